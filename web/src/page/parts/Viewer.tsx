import { useSignal, type Signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { Background, Mode } from "../../canvas/types.ts";
import type { Entry } from "../../queue/entry";
import { movesCanvas } from "../../queue/recipes";
import { percent, words } from "../../strings";
import { useApp } from "../app";
import { IconButton, Options } from "./controls";
import { Grounds } from "./Grounds";
import { Rivals } from "./Rivals";
import { StageView } from "./StageView";
import { problemText } from "./telling";

/** The picture, how it is looked at, and what is said of it. */
export function Viewer({ entry }: { readonly entry: Entry }): JSX.Element {
  const app = useApp();
  const ground = useSignal<Background>({ kind: "checkerboard" });
  const mode = useMode();
  const t = words.value.view;
  return (
    <section class="viewer" aria-labelledby="viewer-name">
      <h1 id="viewer-name" class="unseen">
        {t.stage(entry.name)}
      </h1>
      <div class="bar">
        <Modes entry={entry} mode={mode.value} />
        <Zoom />
      </div>
      {mode.value === "side" && <Rivals entry={entry} />}
      <div class="canvas">
        <StageView />
        <Status entry={entry} />
      </div>
      <div class="bar">
        <Grounds ground={ground} />
        <Steps entry={entry} />
      </div>
      {app.looks.problem.value && (
        <p class="problem" role="alert">
          {problemText(app.looks.problem.value)}
        </p>
      )}
    </section>
  );
}

function useMode(): Signal<Mode> {
  const { stage } = useApp();
  const mode = useSignal<Mode>("result");
  const shown = stage.value;
  useEffect(() => {
    if (!shown) return;
    shown.setMode(mode.peek());
    return shown.on("mode", (told) => (mode.value = told.mode));
  }, [shown, mode]);
  return mode;
}

const MODES: readonly Mode[] = ["result", "compare", "source", "alpha", "side"];
const WITHOUT_SOURCE: readonly Mode[] = ["result", "alpha", "side"];

function Modes({ entry, mode }: { readonly entry: Entry; readonly mode: Mode }): JSX.Element {
  const { stage, looks, bench } = useApp();
  const t = words.value.view;
  const look = looks.look.value;
  const alone = "url" in entry.source || (look?.entry === entry && movesCanvas(look.recipe));
  const offered = (alone ? WITHOUT_SOURCE : MODES).filter((name) => name !== "side" || !bench.works.deviceOnly.value);
  const options = offered.map((value) => ({ value, label: t.modes[value] }));
  return (
    <Options label={t.mode} hideLabel value={mode} options={options} onChange={(next) => stage.value?.setMode(next)} />
  );
}

function Zoom(): JSX.Element {
  const { stage } = useApp();
  const t = words.value.view;
  const scale = useSignal(1);
  const shown = stage.value;
  useEffect(() => shown?.on("view", (view) => (scale.value = view.scale)), [shown, scale]);
  return (
    <div class="zoom" role="group" aria-label={t.zoom}>
      <IconButton icon="zoomOut" label={t.zoomOut} onClick={() => shown?.zoomTo(scale.value / 1.5)} />
      <output>{percent(scale.value)}</output>
      <IconButton icon="zoomIn" label={t.zoomIn} onClick={() => shown?.zoomTo(scale.value * 1.5)} />
      <button type="button" class="quiet" onClick={() => shown?.fit()}>
        {t.fit}
      </button>
      <button type="button" class="quiet" onClick={() => shown?.zoomTo(1)}>
        {percent(1)}
      </button>
    </div>
  );
}

/** What is being done, or was found, in a line over the picture. */
function Status({ entry }: { readonly entry: Entry }): JSX.Element | null {
  const { bench, looks } = useApp();
  const t = words.value;
  const { phase } = bench.works.queue.state(entry.id).value;
  const look = looks.look.value;
  if (looks.busy.value || (look && phase === "working")) return <p class="status busy">{t.view.updating}</p>;
  if (look?.kind === "quick") return <p class="status">{t.view.preview}</p>;
  const made = entry.made.value;
  if (!look && phase === "working") return <p class="status busy">{t.phase.working}</p>;
  const { model = "", confidence = null } = made?.result ?? {};
  if (confidence === null) return null;
  return <p class="status">{model ? t.view.made(model, percent(confidence)) : t.phase.device}</p>;
}

function Steps({ entry }: { readonly entry: Entry }): JSX.Element {
  const { bench } = useApp();
  const t = words.value.tools;
  const { past, future } = entry.history.value;
  return (
    <div class="row tight">
      <IconButton icon="undo" label={t.undo} disabled={past.length === 0} onClick={() => bench.undo(entry)} />
      <IconButton icon="redo" label={t.redo} disabled={future.length === 0} onClick={() => bench.redo(entry)} />
    </div>
  );
}
