import { Camera } from "./camera";
import { Drawing } from "./drawing";
import { Events } from "./events";
import { Gallery } from "./gallery";
import { Loop, type Sheet } from "./loop";
import { MarkPainter, paintHand, type Ring } from "./marks";
import { Painter, type Sight } from "./paint";
import { TilePool } from "./pool";
import { frameOf, sizeOf, type Scene } from "./scene";
import { SplitHandle } from "./split";
import { longer } from "./strokes";
import { Surface } from "./surface";
import type { Point, Rect, Size, StageEvents, Tool, ViewState } from "./types";
import { clamped, paneAt, panesOf, splitAt, splitShare, toPicture } from "./view";
import type { Words } from "./words";

const CURSORS: Record<Tool, string> = {
  pan: "grab",
  brush: "none",
  eraser: "none",
  lasso: "crosshair",
  box: "crosshair",
};

/** Holds the parts of a stage together: what is shown, through which camera, on which sheets. */
export class Easel {
  readonly events = new Events<StageEvents>();
  readonly surface: Surface;
  readonly camera: Camera;
  readonly gallery: Gallery;
  readonly drawing: Drawing;
  readonly #loop = new Loop((dirty, now) => this.#draw(dirty, now));
  readonly #pool: TilePool;
  readonly #painter: Painter;
  readonly #marks: MarkPainter;
  readonly #split: SplitHandle;
  /** Where the tool is on the picture, and whether keys brought it there. */
  #cursor: { readonly at: Point; readonly byKeys: boolean } | null = null;
  #marksShown = true;
  #told: ViewState | null = null;

  constructor(host: HTMLElement, words: Words) {
    this.surface = new Surface(host, words, () => this.setUp());
    this.camera = new Camera(
      () => this.#loop.mark("picture", "marks", "hand"),
      () => this.surface.calm,
    );
    this.#pool = new TilePool(
      () => this.#loop.mark("picture"),
      (error) => this.events.emit("failed", { error }),
    );
    this.gallery = new Gallery(this.#pool, () => this.setUp());
    this.drawing = new Drawing(
      this.events,
      () => ({ size: this.size, pixel: 1 / this.camera.view.scale }),
      () => this.#touch(),
    );
    this.#painter = new Painter(this.surface.sheets.picture, this.#pool);
    this.#marks = new MarkPainter(this.surface.sheets.marks);
    this.#split = this.#handle(words);
    this.#touch();
  }

  get scene(): Scene {
    return this.gallery.scene;
  }

  /** Of the picture that is drawn on, in pixels. */
  get size(): Size {
    return sizeOf(this.scene);
  }

  get panes(): readonly Rect[] {
    return panesOf(this.scene.mode, this.surface.size, this.surface.rtl);
  }

  /** Where the tool is, on the picture; where nothing has brought it yet it is in the middle of what is seen. */
  get cursor(): Point {
    const { view, pane } = this.camera;
    return this.#cursor?.at ?? toPicture(view, { x: pane.width / 2, y: pane.height / 2 });
  }

  moveCursor(at: Point | null, byKeys: boolean): void {
    this.#cursor = at && { at, byKeys };
    this.#loop.mark("hand");
  }

  /** Device pixels of the sheets, from CSS pixels of the client area. */
  onSheets({ x, y }: Point): Point {
    const { left, top, width } = this.surface.root.getBoundingClientRect();
    const density = this.surface.size.width / width;
    return { x: (x - left) * density, y: (y - top) * density };
  }

  /** Device pixels of the pane that lies there, or of one that is given. */
  onPane(client: Point, pane: Rect = paneAt(this.panes, this.onSheets(client))): Point {
    const { x, y } = this.onSheets(client);
    return { x: x - pane.x, y: y - pane.y };
  }

  setUp(): void {
    const [pane] = this.panes;
    if (pane) this.camera.setUp(frameOf(this.scene), pane);
    this.#loop.mark("picture", "marks", "hand");
  }

  setSplit(share: number): void {
    this.scene.split = clamped(share, 0, 1);
    this.#loop.mark("picture");
    this.events.emit("split", { share: this.scene.split });
  }

  showMarks(shown: boolean): void {
    this.#marksShown = shown;
    this.#loop.mark("marks");
  }

  destroy(): void {
    this.#loop.stop();
    this.gallery.close();
    this.#pool.closeAll();
    this.surface.destroy();
    this.events.clear();
  }

  #touch(): void {
    this.#loop.mark("marks", "hand");
    this.surface.root.style.cursor = CURSORS[this.drawing.tool];
  }

  #draw(dirty: ReadonlySet<Sheet>, now: number): void {
    this.camera.step(now);
    const { view, fitted } = this.camera;
    const sight: Sight = { view, panes: this.panes, ratio: this.surface.ratio, rtl: this.surface.rtl };
    if (dirty.has("picture")) {
      this.#painter.paint(this.scene, sight);
      this.#placeSplit(sight);
    }
    if (dirty.has("marks")) this.#marks.paint(this.#marksShown ? this.drawing.layers() : [], sight);
    if (dirty.has("hand")) this.#drawHand(sight);
    if (this.#told?.scale === view.scale && this.#told.fitted === fitted) return;
    this.#told = { scale: view.scale, fitted };
    this.events.emit("view", this.#told);
  }

  #drawHand(sight: Sight): void {
    const { tool, brush } = this.drawing;
    const brushes = tool === "brush" || tool === "eraser";
    const at = brushes || this.#cursor?.byKeys ? (this.#cursor?.at ?? null) : null;
    const radius = brush.radius * longer(this.size);
    const ring: Ring = { radius, core: tool === "brush" ? radius * brush.hardness : radius };
    paintHand(this.surface.sheets.hand, { at, ring: brushes ? ring : null, outline: this.drawing.outline() }, sight);
  }

  #handle(words: Words): SplitHandle {
    return new SplitHandle(
      this.surface.root,
      words,
      (clientX) => {
        const { x } = this.onPane({ x: clientX, y: 0 });
        const { view, pane } = this.camera;
        this.setSplit(splitShare(view, frameOf(this.scene), pane, x, this.surface.rtl));
      },
      (change) => this.setSplit(this.scene.split + change),
      () => this.surface.rtl,
    );
  }

  #placeSplit({ view, panes: [pane], ratio, rtl }: Sight): void {
    const shown = this.scene.mode === "compare" && pane;
    const x = shown ? splitAt(view, frameOf(this.scene), pane, this.scene.split, rtl) / ratio : null;
    this.#split.place(x, this.scene.split);
  }
}
