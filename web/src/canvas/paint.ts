/** Draws the scene. All coordinates are device pixels. */

import { contextOf } from "./pixels";
import type { TilePool } from "./pool";
import { frameOf, placeOf, type Cut, type Layer, type Scene } from "./scene";
import { levelFor, tilesFor } from "./tiles";
import type { Rect, Size } from "./types";
import { REAL_PIXELS, splitAt, toPicture, type View } from "./view";

export interface Sight {
  readonly view: View;
  readonly panes: readonly Rect[];
  /** Device pixels along a CSS pixel. */
  readonly ratio: number;
  readonly rtl: boolean;
}

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

const CHECK = { side: 8, colors: ["#ffffff", "#cfcfcf"] } as const;

export class Painter {
  /** Where a result is put together before it is laid over what is behind it. */
  readonly #bench = new OffscreenCanvas(1, 1);
  readonly #mask = new OffscreenCanvas(1, 1);
  #checks: { readonly ratio: number; readonly pattern: CanvasPattern } | null = null;

  constructor(
    private readonly context: CanvasRenderingContext2D,
    private readonly pool: TilePool,
  ) {}

  paint(scene: Scene, sight: Sight): void {
    const { context } = this;
    context.clearRect(0, 0, context.canvas.width, context.canvas.height);
    this.pool.begin();
    sight.panes.forEach((pane, index) => {
      context.save();
      context.beginPath();
      context.rect(pane.x, pane.y, pane.width, pane.height);
      context.clip();
      context.translate(pane.x, pane.y);
      this.#pane(scene, { ...sight, view: snapped(sight.view) }, pane, index);
      context.restore();
    });
    this.pool.end();
  }

  #pane(scene: Scene, sight: Sight, pane: Size, index: number): void {
    const { mode, source, a, b } = scene;
    if (mode === "source") this.#layer(this.context, scene, source, sight.view, pane);
    if (mode === "result" || mode === "compare") this.#result(scene, a, sight, pane);
    if (mode === "side") this.#result(scene, index ? b : a, sight, pane);
    if (mode === "alpha") this.#alpha(scene, a, sight.view, pane);
    if (mode === "compare") this.#before(scene, sight, pane);
  }

  #before(scene: Scene, sight: Sight, pane: Size): void {
    const { context } = this;
    const x = Math.round(splitAt(sight.view, frameOf(scene), pane, scene.split, sight.rtl));
    context.save();
    context.beginPath();
    context.rect(sight.rtl ? x : 0, 0, sight.rtl ? pane.width - x : x, pane.height);
    context.clip();
    context.clearRect(0, 0, pane.width, pane.height);
    this.#layer(context, scene, scene.source, sight.view, pane);
    context.restore();
  }

  #result(scene: Scene, cut: Cut | null, sight: Sight, pane: Size): void {
    if (!cut) return;
    this.#backdrop(scene, onPane(placeOf(scene, cut), sight.view), sight);
    if (cut.kind === "result") {
      this.#layer(this.context, scene, cut, sight.view, pane);
      return;
    }
    const bench = cleared(this.#bench, pane);
    this.#layer(bench, scene, scene.source, sight.view, pane);
    // By way of a whole mask: each tile of it would clear everything around itself.
    const mask = cleared(this.#mask, pane);
    this.#layer(mask, scene, cut, sight.view, pane);
    bench.globalCompositeOperation = "destination-in";
    bench.drawImage(mask.canvas, 0, 0);
    bench.globalCompositeOperation = "source-over";
    this.context.drawImage(bench.canvas, 0, 0, pane.width, pane.height, 0, 0, pane.width, pane.height);
  }

  #alpha(scene: Scene, cut: Cut | null, view: View, pane: Size): void {
    if (!cut) return;
    const bench = cleared(this.#bench, pane);
    this.#layer(bench, scene, cut, view, pane);
    bench.globalCompositeOperation = "source-in";
    bench.fillStyle = "#ffffff";
    bench.fillRect(0, 0, pane.width, pane.height);
    bench.globalCompositeOperation = "source-over";
    const { x, y, width, height } = onPane(placeOf(scene, cut), view);
    this.context.fillStyle = "#000000";
    this.context.fillRect(x, y, width, height);
    this.context.drawImage(bench.canvas, 0, 0, pane.width, pane.height, 0, 0, pane.width, pane.height);
  }

  #backdrop({ backdrop }: Scene, { x, y, width, height }: Rect, { view, ratio }: Sight): void {
    const { context } = this;
    if (backdrop.kind === "picture") {
      this.#cover(backdrop.pixels.overview, { x, y, width, height });
      return;
    }
    if (backdrop.kind === "color") context.fillStyle = backdrop.color;
    else {
      const pattern = this.#checkerboard(ratio);
      pattern.setTransform(new DOMMatrix().translateSelf(view.x, view.y));
      context.fillStyle = pattern;
    }
    context.fillRect(x, y, width, height);
  }

  /** Fill a place with a picture, its middle in the middle, none of the place left bare. */
  #cover(image: ImageBitmap, place: Rect): void {
    const scale = Math.max(place.width / image.width, place.height / image.height);
    const [width, height] = [place.width / scale, place.height / scale];
    const [x, y] = [(image.width - width) / 2, (image.height - height) / 2];
    this.context.imageSmoothingEnabled = true;
    this.context.drawImage(image, x, y, width, height, place.x, place.y, place.width, place.height);
  }

  /** Draw what is seen of a layer, from tiles where it is larger than its overview, from that until they are made. */
  #layer(context: Context, scene: Scene, layer: Layer | null, view: View, pane: Size): void {
    if (!layer) return;
    const { pixels } = layer;
    const place = placeOf(scene, layer);
    const [across, down] = [place.width / pixels.width, place.height / pixels.height];
    const scale = view.scale * Math.max(across, down);
    context.imageSmoothingEnabled = scale < REAL_PIXELS;
    context.imageSmoothingQuality = "medium";
    const lay = (image: ImageBitmap, from: Rect, part: Rect): void => {
      const on = { x: place.x + part.x * across, y: place.y + part.y * down };
      const to = onPane({ ...on, width: part.width * across, height: part.height * down }, view);
      context.drawImage(image, from.x, from.y, from.width, from.height, to.x, to.y, to.width, to.height);
    };
    const seen = within(pixels, visible(place, view, pane, across, down));
    if (!seen) return;
    const { overview } = pixels;
    const shrunk = { x: overview.width / pixels.width, y: overview.height / pixels.height };
    if (scale <= shrunk.x || shrunk.x === 1) {
      const whole = { x: 0, y: 0, width: overview.width, height: overview.height };
      lay(overview, whole, { x: 0, y: 0, width: pixels.width, height: pixels.height });
      return;
    }
    for (const tile of tilesFor(pixels, levelFor(scale), seen)) {
      const { part } = tile;
      const made = this.pool.find(pixels, tile);
      if (made) lay(made, { x: 0, y: 0, ...tile.size }, part);
      else lay(overview, scaled(part, shrunk.x, shrunk.y), part);
    }
  }

  #checkerboard(ratio: number): CanvasPattern {
    if (this.#checks?.ratio === ratio) return this.#checks.pattern;
    const side = Math.round(CHECK.side * ratio);
    const context = contextOf(new OffscreenCanvas(2 * side, 2 * side));
    context.fillStyle = CHECK.colors[0];
    context.fillRect(0, 0, 2 * side, 2 * side);
    context.fillStyle = CHECK.colors[1];
    context.fillRect(0, 0, side, side);
    context.fillRect(side, side, side, side);
    const pattern = this.context.createPattern(context.canvas, "repeat");
    if (!pattern) throw new Error("The browser has no memory left to draw on.");
    this.#checks = { ratio, pattern };
    return pattern;
  }
}

function cleared(canvas: OffscreenCanvas, { width, height }: Size): OffscreenCanvasRenderingContext2D {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = contextOf(canvas);
  context.clearRect(0, 0, width, height);
  return context;
}

/** Whole device pixels, so that pixels of the picture at a whole scale have sharp borders. */
function snapped(view: View): View {
  return { scale: view.scale, x: Math.round(view.x), y: Math.round(view.y) };
}

/** Where a part of the picture lies on the pane. Both its edges are rounded, so that neighbours leave no seam. */
function onPane(part: Rect, view: View): Rect {
  const [x, y] = [Math.round(part.x * view.scale + view.x), Math.round(part.y * view.scale + view.y)];
  const right = Math.round((part.x + part.width) * view.scale + view.x);
  const bottom = Math.round((part.y + part.height) * view.scale + view.y);
  return { x, y, width: right - x, height: bottom - y };
}

/** The part of a layer that a pane shows, in the layer's pixels. */
function visible(place: Rect, view: View, pane: Size, across: number, down: number): Rect {
  const { x, y } = toPicture(view, { x: 0, y: 0 });
  const { x: right, y: bottom } = toPicture(view, { x: pane.width, y: pane.height });
  return scaled({ x: x - place.x, y: y - place.y, width: right - x, height: bottom - y }, 1 / across, 1 / down);
}

function within(size: Size, part: Rect): Rect | null {
  const [x, y] = [Math.max(0, part.x), Math.max(0, part.y)];
  const width = Math.min(size.width, part.x + part.width) - x;
  const height = Math.min(size.height, part.y + part.height) - y;
  return width > 0 && height > 0 ? { x, y, width, height } : null;
}

function scaled(rect: Rect, across: number, down: number): Rect {
  return { x: rect.x * across, y: rect.y * down, width: rect.width * across, height: rect.height * down };
}
