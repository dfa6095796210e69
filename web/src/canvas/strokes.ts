/** Strokes as recipes write them, and as lines on a picture of some size. */

import { pointsIn, type Line } from "./fill";
import type { Rect, Size, Stroke } from "./types";

/** What a recipe holds at the most, as the server reads it. */
export const MOST_STROKES = 500;
export const MOST_POINTS = 4000;
export const WIDEST = 0.5;

/** Decimals of a share: a tenth of a pixel of a picture 10,000 pixels wide. */
const SHARES = 1e5;

/** Write a line on a picture as a stroke. What lies outside is brought to the border. */
export function strokeOf(line: Line, keep: boolean, size: Size): Stroke {
  const points = line.points.map(({ x, y }): readonly [number, number] => [
    share(x / size.width),
    share(y / size.height),
  ]);
  const radius = Math.max(1 / SHARES, Math.min(WIDEST, rounded(line.radius / longer(size))));
  return { points, radius, keep };
}

export function lineOf(stroke: Stroke, size: Size): Line {
  const points = stroke.points.map(([x, y]) => ({ x: x * size.width, y: y * size.height }));
  return { points, radius: stroke.radius * longer(size) };
}

/** The part of the picture that a line covers. */
export function reachOf({ points, radius }: Line): Rect {
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  const [x, y] = [Math.min(...xs) - radius, Math.min(...ys) - radius];
  return { x, y, width: Math.max(...xs) + radius - x, height: Math.max(...ys) + radius - y };
}

/** Why a recipe would refuse these strokes; null if it takes them. */
export function excess(strokes: readonly Stroke[]): "strokes" | "points" | null {
  if (strokes.length > MOST_STROKES) return "strokes";
  return pointsIn(strokes) > MOST_POINTS ? "points" : null;
}

/**
 * Read strokes from JSON, as from a recipe someone loads.
 *
 * Throws a RangeError that says what is wrong.
 */
export function readStrokes(given: unknown): Stroke[] {
  if (!Array.isArray(given)) throw new RangeError("Strokes are a list.");
  const strokes = given.map(readStroke);
  const reason = excess(strokes);
  if (reason)
    throw new RangeError(
      `There are too many ${reason}: ${MOST_STROKES} strokes and ${MOST_POINTS} points are the most.`,
    );
  return strokes;
}

export function longer(size: Size): number {
  return Math.max(size.width, size.height);
}

function readStroke(given: unknown): Stroke {
  const fields: { points?: unknown; radius?: unknown; keep?: unknown } = typeof given === "object" ? (given ?? {}) : {};
  const { points, radius, keep = true } = fields;
  if (!Array.isArray(points) || !points.length || typeof keep !== "boolean" || !isShare(radius, WIDEST) || !radius) {
    throw new RangeError("A stroke has points, a radius above 0 and up to 0.5, and keep, true or false.");
  }
  return { points: points.map(readPoint), radius, keep };
}

function readPoint(given: unknown): readonly [number, number] {
  const [x, y, ...more] = Array.isArray(given) ? (given as unknown[]) : [];
  if (!isShare(x, 1) || !isShare(y, 1) || more.length) throw new RangeError("A point is two shares from 0 to 1.");
  return [x, y];
}

function isShare(given: unknown, most: number): given is number {
  return typeof given === "number" && given >= 0 && given <= most;
}

function share(value: number): number {
  return rounded(Math.min(1, Math.max(0, value)));
}

function rounded(value: number): number {
  return Math.round(value * SHARES) / SHARES;
}
