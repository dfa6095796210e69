/** How deep each cell lies in an area, and the lines of equal depth. */

import type { Area } from "./area";
import type { Point } from "./types";

/** Distance from each cell's centre to the area's border, in cells; 0 outside. Float32, row by row. */
export function depthsOf(area: Area): Float32Array {
  const { width, height, cells } = area;
  const squares = new Float64Array(width * height);
  cells.forEach((inside, index) => (squares[index] = inside ? Infinity : 0));
  const desk = deskFor(Math.max(width, height));
  for (let x = 0; x < width; x++) lowerEnvelope(desk, squares, x, width, height);
  for (let y = 0; y < height; y++) lowerEnvelope(desk, squares, y * width, 1, width);
  return new Float32Array(squares).map((square) => Math.max(0, Math.sqrt(square) - 0.5));
}

/** Room for one row or column: its values, the parabolas of its envelope, and from where each is the lowest. */
interface Desk {
  readonly given: Float64Array;
  readonly roots: Int32Array;
  readonly from: Float64Array;
}

function deskFor(length: number): Desk {
  return {
    given: new Float64Array(length),
    roots: new Int32Array(length),
    from: new Float64Array(length + 1),
  };
}

/**
 * Make each value the least of (distance to another)² + that one's value, along one row or column, in place.
 *
 * Felzenszwalb and Huttenlocher 2012, "Distance transforms of sampled functions": the lower envelope of parabolas.
 */
function lowerEnvelope(desk: Desk, values: Float64Array, first: number, step: number, count: number): void {
  const { given, roots, from } = desk;
  const at = (index: number): number => given[index] ?? Infinity;
  for (let index = 0; index < count; index++) given[index] = values[first + index * step] ?? 0;
  let last = -1;
  for (let index = 0; index < count; index++) {
    if (at(index) === Infinity) continue;
    let begins = -Infinity;
    for (; last >= 0; last--) {
      const root = roots[last] ?? 0;
      begins = (at(index) + index * index - at(root) - root * root) / (2 * (index - root));
      if (begins > (from[last] ?? 0)) break;
      begins = -Infinity;
    }
    roots[++last] = index;
    from[last] = begins;
  }
  for (let index = 0, used = 0; index < count && last >= 0; index++) {
    while (used < last && (from[used + 1] ?? 0) < index) used++;
    const root = roots[used] ?? 0;
    values[first + index * step] = (index - root) ** 2 + at(root);
  }
}

/** The sides of a square of four centres that a line crosses: top 0, right 1, bottom 2, left 3, deeper to its right. */
// prettier-ignore
const CROSSED: readonly (readonly (readonly [number, number])[])[] = [
  [], [[0, 3]], [[1, 0]], [[1, 3]], [[2, 1]], [[0, 1], [2, 3]], [[2, 0]], [[2, 3]],
  [[3, 2]], [[0, 2]], [[1, 2], [3, 0]], [[1, 2]], [[3, 1]], [[0, 1]], [[3, 0]], [],
];

/**
 * Trace the closed lines of one depth through a grid (marching squares, Lorensen and Cline 1987 in two dimensions).
 *
 * Returns lines in cells, without their first point repeated. The grid's border must be less deep.
 */
export function linesOfDepth(depths: Float32Array, width: number, depth: number): Point[][] {
  const height = depths.length / width;
  const next = new Map<number, number>();
  const bit = (index: number, value: number): number => ((depths[index] ?? 0) > depth ? value : 0);
  for (let y = 0; y + 1 < height; y++) {
    for (let x = 0; x + 1 < width; x++) {
      const corner = y * width + x;
      const kind = bit(corner, 1) | bit(corner + 1, 2) | bit(corner + width + 1, 4) | bit(corner + width, 8);
      if (kind === 0 || kind === 15) continue;
      const sides = [2 * corner, 2 * (corner + 1) + 1, 2 * (corner + width), 2 * corner + 1];
      for (const [from, to] of CROSSED[kind] ?? []) next.set(sides[from] ?? 0, sides[to] ?? 0);
    }
  }
  return loopsOf(next).map((loop) => loop.map((side) => crossing(depths, width, side, depth)));
}

function loopsOf(next: Map<number, number>): number[][] {
  const loops: number[][] = [];
  for (const start of next.keys()) {
    const loop: number[] = [];
    for (let side: number | undefined = start; side !== undefined;) {
      loop.push(side);
      const after = next.get(side);
      next.delete(side);
      side = after === start ? undefined : after;
    }
    loops.push(loop);
  }
  return loops;
}

/** Where a line crosses a side, between the centres of two cells; the number of a side is 2 · cell, + 1 if upright. */
function crossing(depths: Float32Array, width: number, side: number, depth: number): Point {
  const cell = side >> 1;
  const upright = side & 1;
  const here = depths[cell] ?? 0;
  const there = depths[cell + (upright ? width : 1)] ?? 0;
  const share = (depth - here) / (there - here);
  const center = { x: (cell % width) + 0.5, y: Math.floor(cell / width) + 0.5 };
  return upright ? { x: center.x, y: center.y + share } : { x: center.x + share, y: center.y };
}
