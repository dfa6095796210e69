/** Areas written as strokes, which is all that a recipe can say. */

import type { Area } from "./area";
import { depthsOf, linesOfDepth } from "./depth";
import { simplifiedLoop } from "./simplify";
import type { Point } from "./types";

/** A line of points with a radius, in the pixels of the picture. */
export interface Line {
  readonly points: readonly Point[];
  readonly radius: number;
}

/** Each line lies this much deeper than the one before it. Below 1.8 - 0.3, where they would no longer overlap. */
const GROWTH = 1.5;

/** Share of a radius by which a line may be simplified, and by which the radius shrinks so that it stays inside. */
const SLACK = 0.1;

/** Cells by which a line may leave the area: its border is no finer than that. */
const BORDER = 0.3;

/**
 * Cover an area with lines along its lines of equal depth: the one at depth d has radius d, so it reaches the border.
 *
 * A place of depth d is d - r from the line of depth r, so lines whose depths grow by half cover everything, and there
 * are only as many as the logarithm of the depth: a rectangle of any size takes some fifty points. Parts thinner than
 * two cells are left out.
 */
export function linesOver(area: Area): Line[] {
  const depths = depthsOf(area);
  const deepest = depths.reduce((most, depth) => Math.max(most, depth), 0);
  const lines: Line[] = [];
  for (let depth = 1; depth < deepest; depth *= GROWTH) {
    for (const loop of linesOfDepth(depths, area.width, depth)) {
      const points = simplifiedLoop(loop, SLACK * depth + BORDER);
      lines.push(toPicture(area, points, depth * (1 - SLACK)));
    }
  }
  return lines;
}

export function pointsIn(lines: readonly { readonly points: readonly unknown[] }[]): number {
  return lines.reduce((sum, line) => sum + line.points.length, 0);
}

function toPicture(area: Area, loop: readonly Point[], radius: number): Line {
  const closed = loop.length > 1 ? [...loop, ...loop.slice(0, 1)] : loop;
  const points = closed.map(({ x, y }) => ({ x: x * area.cell + area.origin.x, y: y * area.cell + area.origin.y }));
  return { points, radius: radius * area.cell };
}
