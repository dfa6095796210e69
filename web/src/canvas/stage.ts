import { Easel } from "./easel";
import { handsOn } from "./hands";
import { Keyboard } from "./keyboard";
import { Pointers } from "./pointer";
import { readStrokes } from "./strokes";
import type {
  AlphaPlane,
  Background,
  Brush,
  Mode,
  Picture,
  Rect,
  Side,
  StageEvents,
  Stroke,
  Tool,
  ViewState,
} from "./types";
import type { View } from "./view";
import { ENGLISH, type Words } from "./words";

export interface StageOptions {
  readonly words?: Words;
  /** "page" if the page keeps the history: undo and redo are then only asked for, by the event `history`. */
  readonly history?: "stage" | "page";
}

/** Shows a picture and what was made of it, and takes marks. Everything it holds is let go by `destroy`. */
export class Stage {
  readonly element: HTMLElement;
  readonly #easel: Easel;
  readonly #pointers: Pointers;
  readonly #keyboard: Keyboard;

  constructor(host: HTMLElement, { words = ENGLISH, history = "stage" }: StageOptions = {}) {
    this.#easel = new Easel(host, words);
    const { events, surface } = this.#easel;
    this.element = surface.root;
    this.#pointers = new Pointers(this.element, handsOn(this.#easel));
    const ask = (move: "undo" | "redo"): void => events.emit("history", { move });
    this.#keyboard = new Keyboard(this.#easel, this, words, history === "page" ? ask : null);
  }

  get strokes(): readonly Stroke[] {
    return this.#easel.drawing.strokes;
  }

  get tool(): Tool {
    return this.#easel.drawing.tool;
  }

  get brush(): Brush {
    return this.#easel.drawing.brush;
  }

  get mode(): Mode {
    return this.#easel.scene.mode;
  }

  get split(): number {
    return this.#easel.scene.split;
  }

  get view(): View & ViewState {
    return { ...this.#easel.camera.view, fitted: this.#easel.camera.fitted };
  }

  get canUndo(): boolean {
    return this.#easel.drawing.canUndo;
  }

  get canRedo(): boolean {
    return this.#easel.drawing.canRedo;
  }

  /** Show another picture. Rejects what the browser cannot decode; what was shown then remains. */
  setSource(picture: Picture | null): Promise<void> {
    return this.#easel.gallery.setSource(picture);
  }

  /** Show a result with its own alpha; `placed` says where it lies in the source's pixels, if not over all of it. */
  setResult(picture: Picture | null, side: Side = "a", placed: Rect | null = null): Promise<void> {
    return this.#easel.gallery.setResult(side, picture, placed);
  }

  /** Show the source cut by alpha of any size, a plane or a grey picture. */
  setAlpha(alpha: AlphaPlane | Picture | null, side: Side = "a"): Promise<void> {
    return this.#easel.gallery.setAlpha(side, alpha);
  }

  /** Change what lies behind results. Rejects what is no colour, and what the browser cannot decode. */
  setBackground(background: Background): Promise<void> {
    return this.#easel.gallery.setBackground(background);
  }

  setMode(mode: Mode): void {
    if (mode === this.mode) return;
    this.#easel.drawing.end();
    this.#easel.scene.mode = mode;
    this.#easel.setUp();
    this.#easel.events.emit("mode", { mode });
  }

  /** Change between before and after. */
  toggle(): void {
    this.setMode(this.mode === "source" ? "result" : "source");
  }

  /** Show this share of what is in view as it was before, from where reading begins. */
  setSplit(share: number): void {
    this.#easel.setSplit(share);
  }

  setTool(tool: Tool): void {
    this.#easel.drawing.setTool(tool);
  }

  setBrush(change: Partial<Brush>): void {
    this.#easel.drawing.setBrush(change);
  }

  /** Show these strokes and forget the history. Throws a RangeError if a recipe could not hold them. */
  setStrokes(strokes: readonly Stroke[]): void {
    this.#easel.drawing.setStrokes(readStrokes(strokes));
  }

  setMarksShown(shown: boolean): void {
    this.#easel.showMarks(shown);
  }

  undo(): boolean {
    return this.#easel.drawing.walk("undo");
  }

  redo(): boolean {
    return this.#easel.drawing.walk("redo");
  }

  clear(): void {
    this.#easel.drawing.clear();
  }

  fit(): void {
    this.#easel.camera.fit();
  }

  /** Zoom to device pixels by pixel of the picture, 1 being 100 %, about the middle. */
  zoomTo(scale: number): void {
    this.#easel.camera.zoomTo(scale);
  }

  panBy(dx: number, dy: number): void {
    this.#easel.camera.panBy(dx * this.#easel.surface.ratio, dy * this.#easel.surface.ratio);
  }

  /** Look where another stage looks. */
  show(view: View): void {
    this.#easel.camera.show(view);
  }

  on<Kind extends keyof StageEvents>(kind: Kind, listener: (event: StageEvents[Kind]) => void): () => void {
    return this.#easel.events.on(kind, listener);
  }

  destroy(): void {
    this.#pointers.destroy();
    this.#keyboard.destroy();
    this.#easel.destroy();
  }
}
