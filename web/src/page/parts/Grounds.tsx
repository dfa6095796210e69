import type { Signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { Background } from "../../canvas/types.ts";
import { words } from "../../strings";
import { useApp } from "../app";
import { Chooser } from "./files";

const WHITE: Background = { kind: "color", color: "#ffffff" };
const BLACK: Background = { kind: "color", color: "#000000" };

const GROUNDS = {
  checkerboard: { kind: "checkerboard" },
  white: WHITE,
  black: BLACK,
  blur: { kind: "blur" },
} as const satisfies Readonly<Record<string, Background>>;

/** What the picture is shown on. It changes nothing of what is saved. */
export function Grounds({ ground }: { readonly ground: Signal<Background> }): JSX.Element {
  const app = useApp();
  const t = words.value.view;
  const stage = app.stage.value;
  const chosen = ground.value;
  useEffect(() => {
    stage?.setBackground(chosen).catch((error: unknown) => app.say(error));
  }, [app, stage, chosen]);
  const color = chosen.kind === "color" ? chosen.color : "#7f7f7f";
  return (
    <div class="grounds" role="group" aria-label={t.on}>
      <span class="about" aria-hidden="true">
        {t.on}
      </span>
      {Object.entries(GROUNDS).map(([name, value]) => (
        <button
          key={name}
          type="button"
          class={`swatch-button ${name}`}
          aria-pressed={JSON.stringify(value) === JSON.stringify(chosen)}
          aria-label={t.grounds[name as keyof typeof GROUNDS]}
          title={t.grounds[name as keyof typeof GROUNDS]}
          onClick={() => (ground.value = value)}
        />
      ))}
      <input
        type="color"
        aria-label={t.grounds.color}
        title={t.grounds.color}
        value={color}
        onInput={(event) => (ground.value = { kind: "color", color: event.currentTarget.value })}
      />
      <Chooser look="quiet" onFiles={([file]) => file && (ground.value = { kind: "picture", picture: file })}>
        {t.grounds.picture}
      </Chooser>
    </div>
  );
}
