/** Draws strokes over the picture, and what the hand holds. All coordinates are device pixels. */

import type { Line } from "./fill";
import { contextOf } from "./pixels";
import type { Sight } from "./paint";
import type { Point, Rect } from "./types";
import { toPane, type View } from "./view";

type Context = CanvasRenderingContext2D;

/**
 * Blue and vermilion of Okabe and Ito (2008), which the colour-blind tell apart; stripes and crosses for those who see
 * no colour at all.
 */
const INKS = {
  keep: { edge: "#00456e", body: "#0072b2", grain: "#a8dcff", cross: false },
  remove: { edge: "#7a2c00", body: "#d55e00", grain: "#ffd9b8", cross: true },
} as const;

/** Lines of a kind, in the order in which they lie. A wiped line shows what an eraser takes away. */
export interface Layered {
  readonly lines: readonly Line[];
  readonly kind: "keep" | "remove" | "wipe";
}

export interface Ring {
  /** Radii of the brush and of its hard core. */
  readonly radius: number;
  readonly core: number;
}

export interface Hand {
  /** Where the brush is, in the picture's pixels; null if it is nowhere. */
  readonly at: Point | null;
  readonly ring: Ring | null;
  /** The corners of what is being enclosed. */
  readonly outline: readonly Point[];
}

export class MarkPainter {
  readonly #grains = new Map<string, CanvasPattern>();

  constructor(private readonly context: Context) {}

  paint(layers: readonly Layered[], sight: Sight): void {
    const { context } = this;
    context.clearRect(0, 0, context.canvas.width, context.canvas.height);
    onPanes(context, sight.panes, () => {
      for (const { lines, kind } of layers) {
        if (kind === "wipe") this.#wipe(lines, sight);
        else this.#lay(lines, kind, sight);
      }
    });
  }

  /** All edges first, so that only the border of lines that overlap has one. */
  #lay(lines: readonly Line[], kind: "keep" | "remove", { view, ratio }: Sight): void {
    for (const line of lines) trace(this.context, line, view, INKS[kind].edge, 1.5 * ratio);
    const grain = this.#grain(kind, ratio);
    grain.setTransform(new DOMMatrix().translateSelf(Math.round(view.x), Math.round(view.y)));
    for (const line of lines) trace(this.context, line, view, grain, 0);
  }

  #wipe(lines: readonly Line[], { view }: Sight): void {
    this.context.globalCompositeOperation = "destination-out";
    for (const line of lines) trace(this.context, line, view, "#000000", 0);
    this.context.globalCompositeOperation = "source-over";
  }

  #grain(kind: "keep" | "remove", ratio: number): CanvasPattern {
    const key = `${kind}/${ratio}`;
    const found = this.#grains.get(key);
    if (found) return found;
    const side = Math.round(10 * ratio);
    const context = contextOf(new OffscreenCanvas(side, side));
    const { body, grain, cross } = INKS[kind];
    context.fillStyle = body;
    context.fillRect(0, 0, side, side);
    context.strokeStyle = grain;
    context.lineWidth = 1.25 * ratio;
    for (const shift of [-side, 0, side]) {
      context.moveTo(shift - 1, side + 1);
      context.lineTo(shift + side + 1, -1);
      if (!cross) continue;
      context.moveTo(shift - 1, -1);
      context.lineTo(shift + side + 1, side + 1);
    }
    context.stroke();
    const pattern = this.context.createPattern(context.canvas, "repeat");
    if (!pattern) throw new Error("The browser has no memory left to draw on.");
    this.#grains.set(key, pattern);
    return pattern;
  }
}

export function paintHand(context: Context, { at, ring, outline }: Hand, { view, panes, ratio }: Sight): void {
  context.clearRect(0, 0, context.canvas.width, context.canvas.height);
  onPanes(context, panes, () => {
    if (outline.length > 1) {
      context.beginPath();
      for (const point of outline) context.lineTo(...xy(view, point));
      context.closePath();
      twoTone(context, ratio, [5 * ratio, 4 * ratio]);
    }
    if (!at) return;
    if (ring) rings(context, toPane(view, at), ring, view.scale, ratio);
    else cross(context, toPane(view, at), ratio);
  });
}

function onPanes(context: Context, panes: readonly Rect[], draw: () => void): void {
  for (const pane of panes) {
    context.save();
    context.beginPath();
    context.rect(pane.x, pane.y, pane.width, pane.height);
    context.clip();
    context.translate(pane.x, pane.y);
    draw();
    context.restore();
  }
}

/** Draw a line with round ends. A line of one point is a disc, which a path of no length would not be. */
function trace(context: Context, line: Line, view: View, ink: string | CanvasPattern, edge: number): void {
  const [first] = line.points;
  if (!first) return;
  const radius = Math.max(0.5, line.radius * view.scale) + edge;
  context.beginPath();
  if (line.points.length === 1) {
    context.fillStyle = ink;
    context.arc(...xy(view, first), radius, 0, 2 * Math.PI);
    context.fill();
    return;
  }
  context.strokeStyle = ink;
  context.lineWidth = 2 * radius;
  context.lineCap = context.lineJoin = "round";
  for (const point of line.points) context.lineTo(...xy(view, point));
  context.stroke();
}

function rings(context: Context, { x, y }: Point, ring: Ring, scale: number, ratio: number): void {
  for (const radius of new Set([ring.radius, ring.core])) {
    context.beginPath();
    context.arc(x, y, Math.max(1, radius * scale), 0, 2 * Math.PI);
    twoTone(context, ratio, radius === ring.radius ? [] : [2 * ratio, 2 * ratio]);
  }
  if (ring.radius * scale < 8 * ratio) return;
  context.beginPath();
  context.arc(x, y, ratio, 0, 2 * Math.PI);
  twoTone(context, ratio, []);
}

function cross(context: Context, { x, y }: Point, ratio: number): void {
  const arm = 9 * ratio;
  context.beginPath();
  context.moveTo(x - arm, y);
  context.lineTo(x + arm, y);
  context.moveTo(x, y - arm);
  context.lineTo(x, y + arm);
  twoTone(context, ratio, []);
}

/** White under black is seen on every picture. */
function twoTone(context: Context, ratio: number, dash: number[]): void {
  context.strokeStyle = "#ffffff";
  context.lineWidth = 3 * ratio;
  context.setLineDash([]);
  context.stroke();
  context.strokeStyle = "#000000";
  context.lineWidth = ratio;
  context.setLineDash(dash);
  context.stroke();
  context.setLineDash([]);
}

function xy(view: View, point: Point): [number, number] {
  const { x, y } = toPane(view, point);
  return [x, y];
}
