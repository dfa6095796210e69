import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { fileOf, type Entry } from "../../queue/entry";
import { words } from "../../strings";
import { useApp } from "../app";
import { IconButton, Switch } from "./controls";

type Reason = keyof typeof words.value.rate.reasons;

/** Whether the cut-out is good, and what is wrong with it; only where the server keeps such words. */
export function Rating({ entry }: { readonly entry: Entry }): JSX.Element | null {
  const app = useApp();
  const t = words.value.rate;
  const rated = useSignal<{ readonly id: string; readonly phase: "why" | "thanks" } | null>(null);
  const made = entry.made.value;
  const { works } = app.bench;
  if (!works.place.value?.service.feedback || made?.where !== "server" || works.deviceOnly.value) return null;
  const model = made.result.model;
  const phase = rated.value?.id === entry.id ? rated.value.phase : "ask";
  const send = (rating: "up" | "down", reasons: readonly string[] = [], text = "", picture: Blob | null = null) =>
    void app.told(async () => {
      await app.client.feedback({ rating, reasons, model, ...(text ? { text } : {}) }, picture);
      rated.value = { id: entry.id, phase: "thanks" };
    });
  if (phase === "thanks") return <p class="rating" role="status">{t.thanks}</p>; // prettier-ignore
  if (phase === "why") return <Why entry={entry} onSend={(...told) => send("down", ...told)} />;
  return (
    <div class="rating row" role="group" aria-label={t.question}>
      <span>{t.question}</span>
      <IconButton icon="up" label={t.up} onClick={() => send("up")} />
      <IconButton icon="down" label={t.down} onClick={() => (rated.value = { id: entry.id, phase: "why" })} />
    </div>
  );
}

interface WhyProps {
  readonly entry: Entry;
  readonly onSend: (reasons: readonly string[], text: string, picture: Blob | null) => void;
}

function Why({ entry, onSend }: WhyProps): JSX.Element {
  const t = words.value.rate;
  const reasons = useSignal<ReadonlySet<Reason>>(new Set());
  const text = useSignal("");
  const withPicture = useSignal(false);
  const send = (event: Event) => {
    event.preventDefault();
    onSend([...reasons.value], text.value.trim(), withPicture.value ? fileOf(entry) : null);
  };
  const toggle = (reason: Reason, on: boolean) => {
    const others = [...reasons.value].filter((one) => one !== reason);
    reasons.value = new Set(on ? [...others, reason] : others);
  };
  return (
    <form class="rating" onSubmit={send}>
      <fieldset>
        <legend>{t.why}</legend>
        {Object.entries(t.reasons).map(([reason, label]) => (
          <label key={reason} class="check">
            <input type="checkbox" onChange={(event) => toggle(reason as Reason, event.currentTarget.checked)} />
            {label}
          </label>
        ))}
      </fieldset>
      <input
        type="text"
        maxLength={500}
        aria-label={t.text}
        placeholder={t.text}
        onInput={(event) => (text.value = event.currentTarget.value)}
      />
      {fileOf(entry) && <Switch label={t.picture} on={withPicture.value} onChange={(on) => (withPicture.value = on)} />}
      <button type="submit">{t.send}</button>
    </form>
  );
}
