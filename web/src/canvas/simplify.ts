import type { Point } from "./types";

const PIECE = 2048;

/**
 * Leave out points of a line that lie within `tolerance` of what remains (Ramer 1972; Douglas and Peucker 1973).
 *
 * The ends remain, and one point of each `PIECE`: its work grows with the square of a piece where a hand goes to and fro.
 * It keeps a list of what is to do, as it could go too deep otherwise.
 */
export function simplified<P extends Point>(points: readonly P[], tolerance: number): P[] {
  const kept = new Uint8Array(points.length);
  const open: [number, number][] = [];
  for (let first = 0; first < points.length; first += PIECE) {
    const last = Math.min(first + PIECE, points.length - 1);
    kept[first] = kept[last] = 1;
    open.push([first, last]);
  }
  for (let piece = open.pop(); piece; piece = open.pop()) {
    const [first, last] = piece;
    const far = farthest(points, first, last);
    if (far.distance <= tolerance) continue;
    kept[far.index] = 1;
    open.push([first, far.index], [far.index, last]);
  }
  return points.filter((_, index) => kept[index]);
}

/** Simplify a closed line, given without its first point repeated; it is given back so too. */
export function simplifiedLoop(points: readonly Point[], tolerance: number): Point[] {
  const [first] = points;
  if (!first || points.length < 4) return [...points];
  let turn = 0;
  let most = 0;
  points.forEach((point, index) => {
    const distance = Math.hypot(point.x - first.x, point.y - first.y);
    if (distance > most) [turn, most] = [index, distance];
  });
  const there = simplified(points.slice(0, turn + 1), tolerance);
  const back = simplified([...points.slice(turn), first], tolerance);
  return [...there, ...back.slice(1, -1)];
}

/** Distance of a point from a piece of line. */
export function distanceTo(point: Point, start: Point, end: Point): number {
  const [dx, dy] = [end.x - start.x, end.y - start.y];
  const square = dx * dx + dy * dy;
  const along = square ? ((point.x - start.x) * dx + (point.y - start.y) * dy) / square : 0;
  const share = Math.min(1, Math.max(0, along));
  return Math.hypot(point.x - start.x - share * dx, point.y - start.y - share * dy);
}

function farthest(points: readonly Point[], first: number, last: number): { index: number; distance: number } {
  const [start, end] = [points[first], points[last]];
  let found = { index: first, distance: -1 };
  if (!start || !end) return found;
  for (let index = first + 1; index < last; index++) {
    const point = points[index];
    const distance = point ? distanceTo(point, start, end) : -1;
    if (distance > found.distance) found = { index, distance };
  }
  return found;
}
