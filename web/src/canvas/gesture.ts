/** What a hand did, as lines: pure, from samples of the pointer to what a recipe can say. */

import { areaOver, enclose, isEmpty, sweep } from "./area";
import { linesOver, pointsIn, type Line } from "./fill";
import { distanceTo, simplified } from "./simplify";
import { excess, lineOf, longer, reachOf, strokeOf } from "./strokes";
import type { Brush, Point, Rect, Size, Stroke, Tool } from "./types";
import { around } from "./view";

/** A place of the pointer on the picture; pressure from 0 to 1, or null of what has none. */
export interface Sample extends Point {
  readonly pressure: number | null;
}

export interface Gesture {
  readonly tool: Exclude<Tool, "pan">;
  readonly samples: readonly Sample[];
  readonly brush: Brush;
}

export interface Change {
  readonly strokes: readonly Stroke[];
  readonly added: readonly Stroke[];
}

/** A radius changes along a line by steps of this ratio, each a stroke of its own. */
const STEP = 1.2;

/** How far into the next step the pressure must go, so that a hand that trembles makes no strokes. */
const STICKS = 0.75;

/** Radius at no pressure, as a share of that at full pressure. */
const LIGHTEST = 0.25;

/** How much coarser a gesture may be drawn to fit into a recipe, by turns. */
const COARSER = [1, 2, 4, 8];

/** Points that one filled area may take. */
const AREA_POINTS = 600;

/**
 * Add a gesture to strokes.
 *
 * `pixel` is the width of a screen's pixel on the picture: lines are simplified to half of it, areas are as fine as it.
 * If a recipe cannot hold the outcome it is drawn coarser; if it cannot hold that, the reason is given instead.
 */
export function applied(
  strokes: readonly Stroke[],
  gesture: Gesture,
  size: Size,
  pixel: number,
): Change | "strokes" | "points" {
  let reason: "strokes" | "points" = "points";
  for (const times of COARSER) {
    const change = once(strokes, gesture, size, pixel * times);
    const over = excess(change.strokes);
    if (!over) return change;
    reason = over;
  }
  return reason;
}

/** What a brush or an eraser covers, as it is shown while it is used; of other tools, nothing. */
export function linesOf({ tool, samples, brush }: Gesture, size: Size): Line[] {
  const radius = brush.radius * longer(size);
  if (tool === "brush") return drawn(samples, brush, size, radius * brush.hardness);
  return tool === "eraser" ? drawn(samples, brush, size, radius) : [];
}

/** The corners of what a lasso or a box encloses. */
export function outlineOf(gesture: Gesture, size: Size): Point[] {
  const inside = gesture.samples.map(({ x, y }) => ({ x: within(x, size.width), y: within(y, size.height) }));
  const [first, last] = [inside[0], inside.at(-1)];
  if (gesture.tool !== "box" || !first || !last) return inside;
  return [first, { x: last.x, y: first.y }, last, { x: first.x, y: last.y }];
}

/** Take what lines cover out of strokes; strokes they do not touch remain as they are. */
export function erased(strokes: readonly Stroke[], by: readonly Line[], size: Size, pixel: number): Change {
  const result: Stroke[] = [];
  const added: Stroke[] = [];
  for (const run of runsOf(strokes)) {
    const touched = run.filter((stroke) => by.some((line) => touches(lineOf(stroke, size), line)));
    result.push(...run.filter((stroke) => !touched.includes(stroke)));
    const left = touched.length ? remains(touched, by, size, pixel) : [];
    result.push(...left);
    added.push(...left);
  }
  const changed = result.length !== strokes.length || added.length > 0;
  return changed ? { strokes: result, added } : { strokes, added: [] };
}

function once(strokes: readonly Stroke[], gesture: Gesture, size: Size, pixel: number): Change {
  const hand = linesOf(gesture, size).map((line) => ({ ...line, points: simplified(line.points, pixel / 2) }));
  if (gesture.tool === "eraser") return erased(strokes, hand, size, pixel);
  const lines = gesture.tool === "brush" ? hand : filled(outlineOf(gesture, size), pixel);
  const added = lines.map((line) => strokeOf(line, gesture.brush.keep, size));
  return { strokes: added.length ? [...strokes, ...added] : strokes, added };
}

/** Cut a gesture into lines of one radius each, and leave out where the brush did not reach the picture. */
function drawn(samples: readonly Sample[], brush: Brush, size: Size, radius: number): Line[] {
  const lines: { points: Point[]; radius: number }[] = [];
  let step: number | null = null;
  let before: Sample | null = null;
  for (const sample of samples) {
    const here = radius * forceOf(sample, brush);
    if (outside(sample, size, here)) {
      step = before = null;
      continue;
    }
    const wanted = Math.log(here) / Math.log(STEP);
    if (step === null || Math.abs(wanted - step) > STICKS) {
      step = brush.pressure && sample.pressure !== null ? Math.round(wanted) : wanted;
      lines.push({ points: before ? [inside(before, size)] : [], radius: STEP ** step });
    }
    lines.at(-1)?.points.push(inside(sample, size));
    before = sample;
  }
  return lines;
}

function forceOf(sample: Sample, brush: Brush): number {
  if (!brush.pressure || sample.pressure === null) return 1;
  return LIGHTEST + (1 - LIGHTEST) * within(sample.pressure, 1);
}

function filled(outline: readonly Point[], pixel: number): Line[] {
  const bounds = reachOf({ points: outline, radius: 0 });
  if (!outline.length || Math.min(bounds.width, bounds.height) < pixel) return [];
  return covered(bounds, pixel, (area) => enclose(area, outline));
}

function remains(touched: readonly Stroke[], by: readonly Line[], size: Size, pixel: number): Stroke[] {
  const lines = touched.map((stroke) => lineOf(stroke, size));
  const bounds = around(lines.map(reachOf));
  if (!bounds) return [];
  const left = covered(bounds, pixel, (area) => {
    for (const line of lines) sweep(area, line.points, line.radius, 1);
    for (const line of by) sweep(area, line.points, line.radius, 0);
  });
  return left.map((line) => strokeOf(line, touched[0]?.keep ?? true, size));
}

/** Cover an area with lines, on a coarser grid as long as they are too many. */
function covered(bounds: Rect, pixel: number, mark: (area: ReturnType<typeof areaOver>) => void): Line[] {
  for (let cell = pixel; ; cell *= 1.5) {
    const area = areaOver(bounds, cell);
    mark(area);
    if (isEmpty(area)) return [];
    const lines = linesOver(area);
    if (pointsIn(lines) <= AREA_POINTS) return lines;
  }
}

/** Strokes of one kind that follow each other: among them, their order does not matter. */
export function runsOf(strokes: readonly Stroke[]): Stroke[][] {
  const runs: Stroke[][] = [];
  for (const stroke of strokes) {
    const last = runs.at(-1);
    if (last?.[0]?.keep === stroke.keep) last.push(stroke);
    else runs.push([stroke]);
  }
  return runs;
}

function touches(one: Line, other: Line): boolean {
  const reach = one.radius + other.radius;
  return one.points.some((end, index) =>
    other.points.some(
      (till, at) => apart([one.points[index - 1] ?? end, end], [other.points[at - 1] ?? till, till]) < reach,
    ),
  );
}

/** Distance of two pieces of line; 0 where they cross. */
function apart([a, b]: readonly [Point, Point], [c, d]: readonly [Point, Point]): number {
  const turn = (p: Point, q: Point, r: Point): number => (q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x);
  if (turn(a, b, c) * turn(a, b, d) < 0 && turn(c, d, a) * turn(c, d, b) < 0) return 0;
  return Math.min(distanceTo(a, c, d), distanceTo(b, c, d), distanceTo(c, a, b), distanceTo(d, a, b));
}

function outside({ x, y }: Point, size: Size, reach: number): boolean {
  return x < -reach || y < -reach || x > size.width + reach || y > size.height + reach;
}

function inside({ x, y }: Point, size: Size): Point {
  return { x: within(x, size.width), y: within(y, size.height) };
}

function within(value: number, most: number): number {
  return Math.min(most, Math.max(0, value));
}
