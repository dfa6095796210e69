import { effect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Stage } from "../../canvas/stage.ts";
import { fileOf, type Entry } from "../../queue/entry";
import { movesCanvas } from "../../queue/recipes";
import { words } from "../../strings";
import { useApp, type App } from "../app";

/** The stage, in the hands of the page: what is chosen lies on it, and what is drawn on it goes into the recipe. */
export function StageView(): JSX.Element {
  const app = useApp();
  const host = useRef<HTMLDivElement>(null);
  const spoken = words.value;
  useEffect(() => {
    if (!host.current) return;
    const stage = new Stage(host.current, { words: spoken.stage, history: "page" });
    app.stage.value = stage;
    const ends = [listen(app, stage), showSource(app, stage), showResult(app, stage), showRival(app, stage), showMarks(app, stage)]; // prettier-ignore
    return () => {
      for (const end of ends) end();
      app.stage.value = null;
      stage.destroy();
    };
  }, [app, spoken]);
  return <div class="stage" ref={host} />;
}

function listen(app: App, stage: Stage): () => void {
  const { bench } = app;
  const on = (act: (entry: Entry) => void) => {
    const entry = bench.chosen.peek();
    if (entry) act(entry);
  };
  const ends = [
    stage.on("stroke", ({ strokes }) =>
      on((entry) => bench.change(entry, { ...entry.history.peek().now, strokes: [...strokes] })),
    ),
    stage.on("history", ({ move }) => on((entry) => bench[move](entry))),
    stage.on("refused", ({ reason }) => (app.notice.value = words.peek().tools.full[reason])),
    stage.on("failed", () => (app.notice.value = words.peek().view.failed)),
  ];
  return () => ends.forEach((end) => end());
}

/** Tell of a picture that this browser cannot show; it can still be cut and saved. */
function shown(app: App, showing: Promise<void>): void {
  showing.catch((error: unknown) => {
    if (!(error instanceof Error)) throw error;
    app.notice.value = words.peek().view.failed;
  });
}

/** Where the canvas was cropped or fitted, before and after no longer lie on each other, and only the result is shown. */
function showSource(app: App, stage: Stage): () => void {
  let last: Blob | null | undefined;
  return effect(() => {
    const entry = app.bench.chosen.value;
    const look = app.looks.look.value;
    const moved = look !== null && look.entry === entry && movesCanvas(look.recipe);
    const file = entry && !moved ? fileOf(entry) : null;
    if (file === last) return;
    last = file;
    if (moved) stage.setMode("result");
    shown(app, stage.setSource(file));
    stage.fit();
  });
}

function showResult(app: App, stage: Stage): () => void {
  let last: Blob | null | undefined;
  return effect(() => {
    const blob = app.looks.look.value?.blob ?? null;
    if (blob === last) return;
    last = blob;
    shown(app, stage.setResult(blob));
  });
}

/** B of the comparison, made at screen size by the server whenever it is chosen. */
function showRival(app: App, stage: Stage): () => void {
  let turn = 0;
  return effect(() => {
    const rival = app.rival.value;
    const entry = app.bench.chosen.value;
    const mine = ++turn;
    if (!entry || rival?.entryId !== entry.id || app.bench.works.deviceOnly.value) {
      void stage.setResult(null, "b");
      return;
    }
    app.bench.works.maker
      .preview(entry, { ...rival.recipe, format: "png" })
      .then((blob) => (mine === turn ? stage.setResult(blob, "b") : undefined))
      .catch((error: unknown) => app.say(error));
  });
}

/** Marks are shown while they can be drawn, and come back when an undo takes the recipe back. */
function showMarks(app: App, stage: Stage): () => void {
  return effect(() => {
    const strokes = app.bench.chosen.value?.history.value.now.strokes ?? [];
    const drawing = app.looks.tab.value === "edges";
    stage.setMarksShown(drawing);
    if (!drawing) stage.setTool("pan");
    if (JSON.stringify(stage.strokes) === JSON.stringify(strokes)) return;
    try {
      stage.setStrokes(strokes);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      app.notice.value = words.peek().panel.editBad;
    }
  });
}
