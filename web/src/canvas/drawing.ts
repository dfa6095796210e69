import type { Events } from "./events";
import { applied, linesOf, outlineOf, runsOf, type Gesture, type Sample } from "./gesture";
import { begun, canRedo, canUndo, done, redone, undone, type History } from "./history";
import type { Layered } from "./marks";
import { NOTHING } from "./scene";
import { lineOf, WIDEST } from "./strokes";
import type { Brush, Cause, Point, Size, StageEvents, Stroke, Tool } from "./types";
import { clamped } from "./view";

const LEAST_RADIUS = 0.0005;
const LEAST_HARDNESS = 0.1;

interface Ground {
  /** The picture that is drawn on. */
  readonly size: Size;
  /** Width of a screen's pixel on it. */
  readonly pixel: number;
}

/** What a hand draws: tool, brush, the gesture under way, and the strokes with their history. */
export class Drawing {
  tool: Tool = "brush";
  brush: Brush = { radius: 0.02, hardness: 1, pressure: true, keep: true };
  #history: History<readonly Stroke[]> = begun([]);
  #gesture: (Gesture & { readonly samples: Sample[] }) | null = null;
  #shown: { readonly strokes: readonly Stroke[]; readonly size: Size; readonly layers: readonly Layered[] } | null =
    null;

  constructor(
    private readonly events: Events<StageEvents>,
    private readonly ground: () => Ground,
    private readonly changed: () => void,
  ) {}

  get strokes(): readonly Stroke[] {
    return this.#history.present;
  }

  get isBusy(): boolean {
    return this.#gesture !== null;
  }

  get canUndo(): boolean {
    return canUndo(this.#history);
  }

  get canRedo(): boolean {
    return canRedo(this.#history);
  }

  setTool(tool: Tool): void {
    if (tool === this.tool) return;
    this.end();
    this.tool = tool;
    this.#tell();
  }

  setBrush(change: Partial<Brush>): void {
    const { radius, hardness, pressure, keep } = { ...this.brush, ...change };
    this.brush = {
      radius: clamped(radius, LEAST_RADIUS, WIDEST),
      hardness: clamped(hardness, LEAST_HARDNESS, 1),
      pressure,
      keep,
    };
    this.#tell();
  }

  /** Put strokes from elsewhere here: another picture's, or those that the page's history holds. */
  setStrokes(strokes: readonly Stroke[]): void {
    this.#history = begun(strokes);
    this.changed();
  }

  /** Put the tool down, or the eraser at a pen's other end. */
  begin(at: Sample, tool: Tool = this.tool): void {
    if (tool === "pan" || this.ground().size === NOTHING) return;
    this.end();
    this.#gesture = { tool, samples: [at], brush: this.brush };
    this.changed();
  }

  extend(through: readonly Sample[]): void {
    if (!this.#gesture) return;
    this.#gesture.samples.push(...through);
    this.changed();
  }

  /** Make what was drawn into strokes; tells whether there was room for them. */
  end(): boolean {
    const gesture = this.#gesture;
    this.#gesture = null;
    if (!gesture) return true;
    const { size, pixel } = this.ground();
    const change = applied(this.strokes, gesture, size, pixel);
    this.changed();
    if (typeof change === "string") {
      this.events.emit("refused", { reason: change });
      return false;
    }
    this.#put(change.strokes, change.added, gesture.tool === "eraser" ? "erase" : "draw");
    return true;
  }

  drop(): void {
    this.#gesture = null;
    this.changed();
  }

  clear(): void {
    this.drop();
    if (this.strokes.length) this.#put([], [], "clear");
  }

  walk(move: "undo" | "redo"): boolean {
    this.drop();
    const history = move === "undo" ? undone(this.#history) : redone(this.#history);
    if (history === this.#history) return false;
    this.#history = history;
    this.events.emit("stroke", { strokes: this.strokes, added: [], cause: move });
    return true;
  }

  /** What lies on the picture, the gesture under way on top. */
  layers(): readonly Layered[] {
    const { size } = this.ground();
    if (this.#shown?.strokes !== this.strokes || this.#shown.size !== size) {
      this.#shown = { strokes: this.strokes, size, layers: layered(this.strokes, size) };
    }
    const gesture = this.#gesture;
    if (!gesture) return this.#shown.layers;
    const lines = linesOf(gesture, size);
    return [...this.#shown.layers, { lines, kind: gesture.tool === "eraser" ? "wipe" : kindOf(gesture.brush.keep) }];
  }

  /** The corners of what is being enclosed. */
  outline(): readonly Point[] {
    const gesture = this.#gesture;
    return gesture?.tool === "lasso" || gesture?.tool === "box" ? outlineOf(gesture, this.ground().size) : [];
  }

  #put(strokes: readonly Stroke[], added: readonly Stroke[], cause: Cause): void {
    if (strokes === this.strokes) return;
    this.#history = done(this.#history, strokes);
    this.changed();
    this.events.emit("stroke", { strokes, added, cause });
  }

  #tell(): void {
    this.changed();
    this.events.emit("tool", { tool: this.tool, brush: this.brush });
  }
}

function layered(strokes: readonly Stroke[], size: Size): Layered[] {
  return runsOf(strokes).map((run) => ({
    lines: run.map((stroke) => lineOf(stroke, size)),
    kind: kindOf(run[0]?.keep ?? true),
  }));
}

function kindOf(keep: boolean): "keep" | "remove" {
  return keep ? "keep" : "remove";
}
