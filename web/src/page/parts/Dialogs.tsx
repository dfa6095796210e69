import { useSignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { words } from "../../strings";
import { useApp } from "../app";
import { IconButton } from "./controls";

/** The dialog that is asked for, if one is. */
export function Dialogs(): JSX.Element | null {
  const app = useApp();
  const close = () => (app.dialog.value = "none");
  switch (app.dialog.value) {
    case "none":
      return null;
    case "help":
      return <Help onClose={close} />;
    case "clear":
      return <Clear onClose={close} />;
    case "key":
    case "wrongKey":
      return <Key wrong={app.dialog.value === "wrongKey"} />;
  }
}

interface ModalProps {
  readonly heading: string;
  readonly children: ComponentChildren;
  readonly onClose?: () => void;
}

/** The browser's own modal dialog: it keeps the focus inside and gives it back. */
function Modal({ heading, children, onClose }: ModalProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby="dialog-heading"
      onClose={onClose}
      onCancel={(event) => onClose ?? event.preventDefault()}
    >
      {" "}
      {/* prettier-ignore */}
      <header>
        <h2 id="dialog-heading">{heading}</h2>
        {onClose && <IconButton icon="close" label={words.value.help.close} onClick={onClose} />}
      </header>
      {children}
    </dialog>
  );
}

const MOD = /mac|iphone|ipad/i.test(navigator.platform) ? "⌘" : "Ctrl";

const ANYWHERE = [
  ["open", `${MOD} O`],
  ["paste", `${MOD} V`],
  ["undo", `${MOD} Z`],
  ["redo", `${MOD} ⇧ Z`],
  ["save", `${MOD} S`],
  ["next", "Page ↓ ↑"],
] as const;

const ON_PICTURE = [
  ["zoom", "+ −"],
  ["fit", "0 1"],
  ["move", "← ↑ ↓ →"],
  ["mark", "Space"],
  ["size", "[ ]"],
  ["swap", "X"],
] as const;

function Help({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const t = words.value.help;
  const list = (keys: readonly (readonly [keyof typeof t.keys, string])[]) => (
    <dl>
      {keys.map(([name, key]) => (
        <div key={name}>
          <dt>{t.keys[name]}</dt>
          <dd>
            <kbd dir="ltr">{key}</kbd>
          </dd>
        </div>
      ))}
    </dl>
  );
  return (
    <Modal heading={t.heading} onClose={onClose}>
      <h3>{t.anywhere}</h3>
      {list(ANYWHERE)}
      <h3>{t.picture}</h3>
      {list(ON_PICTURE)}
      <p class="about">{t.about}</p>
      <p>
        <a href="docs">{words.value.top.api}</a>
      </p>
    </Modal>
  );
}

function Clear({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const { bench } = useApp();
  const t = words.value.list;
  const clear = () => {
    bench.clear();
    onClose();
  };
  return (
    <Modal heading={t.clear} onClose={onClose}>
      <p>{t.clearSure}</p>
      <div class="row">
        <button type="button" class="primary" onClick={clear}>
          {t.clearYes}
        </button>
        <button type="button" onClick={onClose}>
          {t.keep}
        </button>
      </div>
    </Modal>
  );
}

function Key({ wrong }: { readonly wrong: boolean }): JSX.Element {
  const app = useApp();
  const t = words.value.key;
  const key = useSignal("");
  const use = (event: Event) => {
    event.preventDefault();
    app.useKey(key.value);
  };
  return (
    <Modal heading={t.heading}>
      <form onSubmit={use}>
        <p>{t.lead}</p>
        {wrong && (
          <p class="problem" role="alert">
            {t.wrong}
          </p>
        )}{" "}
        {/* prettier-ignore */}
        <div class="field">
          <label for="key">{t.label}</label>
          <input id="key" type="password" autocomplete="off" required dir="ltr" onInput={(event) => (key.value = event.currentTarget.value)} />{/* prettier-ignore */}
        </div>
        <button type="submit" class="primary">
          {t.use}
        </button>
      </form>
    </Modal>
  );
}
