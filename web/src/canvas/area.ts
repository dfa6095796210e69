/** Areas as cells of a grid that lies over the picture: what a lasso encloses, what strokes cover. */

import type { Point, Rect, Size } from "./types";

/** A cell is 1 inside the area and 0 outside it. The outermost cells are outside. */
export interface Area extends Size {
  readonly cells: Uint8Array;
  /** Where the grid begins on the picture, and pixels along a cell. */
  readonly origin: Point;
  readonly cell: number;
}

/** Cells along the longer side at the most, so that an area is worked out in some milliseconds. */
const MOST_CELLS = 1024;

/** Lay a grid over a part of the picture, with room around it; cells are `cell` pixels wide, or wider if many. */
export function areaOver(part: Rect, cell: number): Area {
  const wide = Math.max(cell, Math.max(part.width, part.height) / (MOST_CELLS - 4));
  const width = Math.ceil(part.width / wide) + 4;
  const height = Math.ceil(part.height / wide) + 4;
  const origin = { x: part.x - 2 * wide, y: part.y - 2 * wide };
  return { width, height, cells: new Uint8Array(width * height), origin, cell: wide };
}

/** Mark what a closed line encloses; what it goes around twice is inside, as a person who draws a loop means it. */
export function enclose(area: Area, line: readonly Point[]): void {
  const points = line.map((point) => toGrid(area, point));
  for (let row = 0; row < area.height; row++) {
    const crossings = crossingsOf(points, row + 0.5);
    let turns = 0;
    crossings.forEach(({ x, turn }, index) => {
      turns += turn;
      const next = crossings[index + 1];
      if (turns && next) span(area, row, x, next.x, 1);
    });
  }
}

/** Set the cells within `radius` pixels of a line of points to a value. */
export function sweep(area: Area, line: readonly Point[], radius: number, value: 0 | 1): void {
  const points = line.map((point) => toGrid(area, point));
  const reach = radius / area.cell;
  points.forEach((end, index) => sweepPiece(area, points[index - 1] ?? end, end, reach, value));
}

export function isEmpty(area: Area): boolean {
  return !area.cells.includes(1);
}

function toGrid(area: Area, point: Point): Point {
  return { x: (point.x - area.origin.x) / area.cell, y: (point.y - area.origin.y) / area.cell };
}

function crossingsOf(points: readonly Point[], y: number): { x: number; turn: number }[] {
  const found: { x: number; turn: number }[] = [];
  points.forEach((start, index) => {
    const end = points[(index + 1) % points.length] ?? start;
    if (start.y <= y === end.y <= y) return;
    const x = start.x + ((y - start.y) / (end.y - start.y)) * (end.x - start.x);
    found.push({ x, turn: start.y <= y ? 1 : -1 });
  });
  return found.sort((one, other) => one.x - other.x);
}

/** Set the cells of a row whose centres lie between two places. */
function span(area: Area, row: number, left: number, right: number, value: 0 | 1): void {
  const first = Math.max(0, Math.ceil(left - 0.5));
  const last = Math.min(area.width - 1, Math.floor(right - 0.5));
  if (first <= last) area.cells.fill(value, row * area.width + first, row * area.width + last + 1);
}

/** A piece of a line with round ends covers one span of each row: the hull of two discs. */
function sweepPiece(area: Area, start: Point, end: Point, reach: number, value: 0 | 1): void {
  const top = Math.max(0, Math.floor(Math.min(start.y, end.y) - reach));
  const bottom = Math.min(area.height - 1, Math.ceil(Math.max(start.y, end.y) + reach));
  const length = Math.hypot(end.x - start.x, end.y - start.y);
  const aside = length
    ? { x: ((start.y - end.y) / length) * reach, y: ((end.x - start.x) / length) * reach }
    : { x: 0, y: 0 };
  for (let row = top; row <= bottom; row++) {
    const y = row + 0.5;
    const edges = [start, end].flatMap((center) => {
      const half = Math.sqrt(reach * reach - (center.y - y) ** 2);
      return Number.isNaN(half) ? [] : [center.x - half, center.x + half];
    });
    for (const sign of [1, -1]) {
      const share = (y - start.y - sign * aside.y) / (end.y - start.y);
      if (share >= 0 && share <= 1) edges.push(start.x + sign * aside.x + share * (end.x - start.x));
    }
    if (edges.length) span(area, row, Math.min(...edges), Math.max(...edges), value);
  }
}
