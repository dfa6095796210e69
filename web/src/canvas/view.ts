/** How a picture lies on a pane: pure geometry, in device pixels. */

import type { Mode, Point, Rect, Size } from "./types";

/** A point p of the picture lies at p · scale + (x, y) of the pane. */
export interface View extends Point {
  readonly scale: number;
}

export const MOST_SCALE = 8;

/** From here on, pixels are shown as they are, without a filter. */
export const REAL_PIXELS = 2;

const MARGIN = 0.02;

export function toPane(view: View, point: Point): Point {
  return { x: point.x * view.scale + view.x, y: point.y * view.scale + view.y };
}

export function toPicture(view: View, point: Point): Point {
  return { x: (point.x - view.x) / view.scale, y: (point.y - view.y) / view.scale };
}

/** Show the whole frame in the middle of the pane, with a little air around it. */
export function fitted(frame: Rect, pane: Size): View {
  const room = 1 - 2 * MARGIN;
  const scale = Math.min((pane.width * room) / frame.width, (pane.height * room) / frame.height, MOST_SCALE);
  return centered(frame, pane, Math.max(scale, Number.MIN_VALUE));
}

export function centered(frame: Rect, pane: Size, scale: number): View {
  return {
    scale,
    x: pane.width / 2 - (frame.x + frame.width / 2) * scale,
    y: pane.height / 2 - (frame.y + frame.height / 2) * scale,
  };
}

/** Set the scale; what is at the point `at` of the pane stays there. */
export function zoomed(view: View, scale: number, at: Point): View {
  const ratio = scale / view.scale;
  return { scale, x: at.x - (at.x - view.x) * ratio, y: at.y - (at.y - view.y) * ratio };
}

export function moved(view: View, dx: number, dy: number): View {
  return { ...view, x: view.x + dx, y: view.y + dy };
}

/** Follow two fingers: what was under them stays under them, up to a turn. */
export function pinched(view: View, before: readonly [Point, Point], now: readonly [Point, Point]): View {
  const spread = ([a, b]: readonly [Point, Point]): number => Math.max(1, Math.hypot(a.x - b.x, a.y - b.y));
  const middle = ([a, b]: readonly [Point, Point]): Point => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
  const [from, to] = [middle(before), middle(now)];
  const grown = zoomed(view, (view.scale * spread(now)) / spread(before), from);
  return moved(grown, to.x - from.x, to.y - from.y);
}

/** Keep the scale within bounds, and some of the frame in the middle of the pane so that it is never lost. */
export function held(view: View, frame: Rect, pane: Size, at: Point = middleOf(pane)): View {
  const least = Math.min(fitted(frame, pane).scale, 1) / 2;
  const scale = Math.min(Math.max(view.scale, least), MOST_SCALE);
  const kept = scale === view.scale ? view : zoomed(view, scale, at);
  const inside = (offset: number, start: number, length: number, room: number): number =>
    clamped(offset, room / 2 - (start + length) * scale, room / 2 - start * scale);
  return {
    scale,
    x: inside(kept.x, frame.x, frame.width, pane.width),
    y: inside(kept.y, frame.y, frame.height, pane.height),
  };
}

/** A step of the way from one view to another, at an even pace of zoom, about the point that does not move. */
export function between(from: View, to: View, share: number): View {
  if (share >= 1) return to;
  const scale = from.scale * (to.scale / from.scale) ** share;
  const way = Math.abs(to.scale / from.scale - 1) < 1e-6 ? share : (scale - from.scale) / (to.scale - from.scale);
  return { scale, x: from.x + (to.x - from.x) * way, y: from.y + (to.y - from.y) * way };
}

/** Where the panes lie: one, or two next to each other along the longer side. In right-to-left the first is right. */
export function panesOf(mode: Mode, size: Size, rtl: boolean): readonly Rect[] {
  if (mode !== "side") return [{ x: 0, y: 0, ...size }];
  const wide = size.width >= size.height;
  const half = Math.max(1, Math.floor((wide ? size.width : size.height) / 2));
  const first: Rect = wide ? { x: 0, y: 0, width: half, height: size.height } : { ...size, x: 0, y: 0, height: half };
  const second: Rect = wide ? { ...first, x: size.width - half } : { ...first, y: size.height - half };
  return wide && rtl ? [second, first] : [first, second];
}

export function paneAt(panes: readonly Rect[], point: Point): Rect {
  const found = panes.find((pane) => contains(pane, point)) ?? panes[0];
  if (!found) throw new RangeError("There is no pane.");
  return found;
}

/** Where before meets after, along the pane: a share of what is seen of the frame, from where reading begins. */
export function splitAt(view: View, frame: Rect, pane: Size, share: number, rtl: boolean): number {
  const [left, right] = seen(view, frame, pane);
  return left + (rtl ? 1 - share : share) * (right - left);
}

export function splitShare(view: View, frame: Rect, pane: Size, x: number, rtl: boolean): number {
  const [left, right] = seen(view, frame, pane);
  const share = clamped((x - left) / Math.max(1, right - left), 0, 1);
  return rtl ? 1 - share : share;
}

export function contains(rect: Rect, point: Point): boolean {
  return point.x >= rect.x && point.y >= rect.y && point.x < rect.x + rect.width && point.y < rect.y + rect.height;
}

/** The smallest rectangle around several; null around none. */
export function around(rects: readonly Rect[]): Rect | null {
  if (!rects.length) return null;
  const x = Math.min(...rects.map((rect) => rect.x));
  const y = Math.min(...rects.map((rect) => rect.y));
  const right = Math.max(...rects.map((rect) => rect.x + rect.width));
  const bottom = Math.max(...rects.map((rect) => rect.y + rect.height));
  return { x, y, width: right - x, height: bottom - y };
}

export function clamped(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

export function middleOf(size: Size): Point {
  return { x: size.width / 2, y: size.height / 2 };
}

function seen(view: View, frame: Rect, pane: Size): readonly [number, number] {
  const left = clamped(frame.x * view.scale + view.x, 0, pane.width);
  const right = clamped((frame.x + frame.width) * view.scale + view.x, 0, pane.width);
  return [left, right];
}
