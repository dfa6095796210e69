import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Own } from "../../api/problem";
import { current, fileOf, type Entry } from "../../queue/entry";
import type { State } from "../../queue/queue";
import { percent, words } from "../../strings";
import { useApp } from "../app";
import { thumbOf } from "../thumbs";
import { IconButton } from "./controls";
import { Chooser } from "./files";
import { Icon } from "./icons";
import { problemText } from "./telling";

/** Below this a person should look at the result. */
const UNSURE = 0.5;

const FINAL: ReadonlySet<string> = new Set<Own>(["empty", "unreadable", "notRead", "tooManyBytes", "tooManyPixels"]);

/** Every picture, how far it is, and what can be done about it. */
export function Strip(): JSX.Element {
  const app = useApp();
  const { bench } = app;
  const t = words.value.list;
  const { queue } = bench.works;
  const entries = bench.entries.value;
  const states = entries.map(({ id }) => queue.state(id).value.phase);
  const done = states.filter((phase) => phase === "done").length;
  const over = done + states.filter((phase) => phase === "failed" || phase === "cancelled").length;
  const failed = entries.filter(({ id }) => isOpen(queue.state(id).value));
  return (
    <section class="strip" aria-labelledby="strip-heading">
      <header>
        <h2 id="strip-heading">{t.heading}</h2>
        <p class="about">{t.count(done, entries.length)}</p>
      </header>
      <progress
        class={over === entries.length ? "over" : undefined}
        max={entries.length}
        value={over}
        aria-label={t.count(done, entries.length)}
      />
      {/* prettier-ignore */}
      <ul>
        {entries.map((entry) => (
          <Item key={entry.id} entry={entry} />
        ))}
      </ul>
      <footer>
        <Chooser several look="wide" onFiles={(files) => void bench.add(files)}>
          <Icon name="add" />
          {words.value.top.add}
        </Chooser>
        {failed.length > 1 && (
          <button type="button" onClick={() => failed.forEach(({ id }) => queue.retry(id))}>
            {t.retryAll}
          </button>
        )}
        {queue.unfinished.value > 1 && (
          <button type="button" onClick={() => entries.forEach(({ id }) => queue.cancel(id))}>
            {t.cancelAll}
          </button>
        )}
        <button type="button" class="quiet" onClick={() => (app.dialog.value = "clear")}>
          {t.clear}
        </button>
      </footer>
    </section>
  );
}

function Item({ entry }: { readonly entry: Entry }): JSX.Element {
  const { bench } = useApp();
  const { queue } = bench.works;
  const t = words.value.list;
  const state = queue.state(entry.id).value;
  const chosen = bench.chosen.value === entry;
  const ended = state.phase === "failed" || state.phase === "cancelled";
  const goesOn = !ended && state.phase !== "done";
  const ref = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (chosen) ref.current?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [chosen]);
  return (
    <li class={`item ${state.phase}`} ref={ref}>
      <button type="button" class="pick" aria-current={chosen} onClick={() => bench.choose(entry)}>
        <Thumb entry={entry} />
        <span class="name" title={entry.name}>
          {entry.name}
        </span>
        <span class="phase">
          <Phase entry={entry} state={state} />
        </span>
      </button>
      <span class="acts">
        {ended && !isFinal(state) && (
          <IconButton icon="retry" label={t.retry(entry.name)} onClick={() => queue.retry(entry.id)} />
        )}
        {goesOn && <IconButton icon="close" label={t.cancel(entry.name)} onClick={() => queue.cancel(entry.id)} />}
        {!goesOn && <IconButton icon="trash" label={t.remove(entry.name)} onClick={() => bench.remove(entry)} />}
      </span>
      {state.phase === "uploading" && <progress max={1} value={state.share} aria-label={t.heading} />}
      {state.phase === "working" && <progress aria-label={words.value.phase.working} />}
    </li>
  );
}

/** Whether it ended without a result and may be tried again. */
function isOpen(state: State): boolean {
  return state.phase === "cancelled" || (state.phase === "failed" && !isFinal(state));
}

/** Trying again would end the same. */
function isFinal(state: State): boolean {
  return state.phase === "failed" && FINAL.has(state.problem.code);
}

function Phase({ entry, state }: { readonly entry: Entry; readonly state: State }): JSX.Element {
  const t = words.value.phase;
  switch (state.phase) {
    case "uploading":
      return <>{t.uploading(percent(state.share))}</>;
    case "paused":
      return (
        <>
          {problemText(state.problem)} <Countdown until={state.until} />
        </>
      );
    case "failed":
      return <>{problemText(state.problem)}</>;
    case "done": {
      const confidence = current(entry)?.result.confidence ?? 1;
      return <>{confidence < UNSURE ? words.value.list.unsure : t.done}</>;
    }
    case "waiting":
    case "working":
    case "cancelled":
      return <>{t[state.phase]}</>;
  }
}

function Countdown({ until }: { readonly until: number }): JSX.Element {
  const left = useSignal(until - Date.now());
  useEffect(() => {
    const timer = setInterval(() => (left.value = until - Date.now()), 500);
    return () => clearInterval(timer);
  }, [until, left]);
  return <span aria-hidden="true">{words.value.phase.paused(Math.max(0, Math.ceil(left.value / 1000)))}</span>;
}

/** The source at once, the result as soon as it is there; what this browser cannot decode shows a sign. */
function Thumb({ entry }: { readonly entry: Entry }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const blob = entry.made.value?.result.blob ?? fileOf(entry);
  const [width, height] = entry.header?.size ?? [1, 1];
  useEffect(() => {
    if (!blob) return;
    let current = true;
    void thumbOf(blob, height > width).then((bitmap) => {
      if (!bitmap) return;
      if (current) paint(canvas.current, bitmap);
      else bitmap.close();
    });
    return () => void (current = false);
  }, [blob, width, height]);
  return <canvas class="thumb" ref={canvas} width={1} height={1} aria-hidden="true" />;
}

function paint(canvas: HTMLCanvasElement | null, bitmap: ImageBitmap): void {
  if (!canvas) {
    bitmap.close();
    return;
  }
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext("bitmaprenderer")?.transferFromImageBitmap(bitmap);
}
