import { describe, expect, it } from "vitest";
import { areaOver, enclose, isEmpty, sweep, type Area } from "./area";
import { depthsOf, linesOfDepth } from "./depth";
import { diceOf, type Dice } from "./dice";
import { linesOver, pointsIn } from "./fill";
import { distanceTo } from "./simplify";
import type { Point } from "./types";

const PART = { x: 10, y: 20, width: 120, height: 90 };

function centers(area: Area): (Point & { inside: boolean; cell: number })[] {
  return Array.from(area.cells, (inside, cell) => ({
    x: ((cell % area.width) + 0.5) * area.cell + area.origin.x,
    y: (Math.floor(cell / area.width) + 0.5) * area.cell + area.origin.y,
    inside: inside === 1,
    cell,
  }));
}

function blob(dice: Dice): Point[] {
  const [one, two] = [dice.between(0.05, 0.3), dice.between(0.05, 0.2)];
  const corners = dice.whole(3, 60);
  return Array.from({ length: corners }, (_, index) => {
    const angle = (2 * Math.PI * index) / corners;
    const reach = 1 + one * Math.cos(3 * angle) + two * Math.sin(5 * angle) - 0.35;
    return { x: 70 + 55 * reach * Math.cos(angle), y: 65 + 40 * reach * Math.sin(angle) };
  });
}

describe("areas", () => {
  it("hold what a line encloses, twice around too", () => {
    const square = [
      { x: 20, y: 30 },
      { x: 60, y: 30 },
      { x: 60, y: 70 },
      { x: 20, y: 70 },
    ];
    const area = areaOver(PART, 1);
    enclose(area, [...square, ...square]);
    const count = area.cells.reduce((sum, cell) => sum + cell, 0);
    expect(count).toBe(1600);
    const wrong = centers(area).filter(({ x, y, inside }) => inside !== (x > 20 && x < 60 && y > 30 && y < 70));
    expect(wrong).toEqual([]);
  });

  it.each([1, 2, 3, 4])("hold what a line of a radius covers, centre by centre (%i)", (seed) => {
    const dice = diceOf(seed);
    const line = Array.from({ length: 4 }, () => ({ x: dice.between(20, 120), y: dice.between(30, 100) }));
    const radius = dice.between(1, 9);
    const area = areaOver(PART, 0.7);
    sweep(area, line, radius, 1);
    const wrong = centers(area).filter((point) => {
      const off = Math.min(...line.slice(1).map((end, index) => distanceTo(point, line[index] ?? end, end)));
      return Math.abs(off - radius) > 1e-9 && point.inside !== off < radius;
    });
    expect(wrong).toEqual([]);
    sweep(area, line, radius + 0.01, 0);
    expect(isEmpty(area)).toBe(true);
  });

  it("cover a huge part by wider cells", () => {
    const area = areaOver({ x: 0, y: 0, width: 9500, height: 6300 }, 0.1);
    expect(Math.max(area.width, area.height)).toBeLessThanOrEqual(1025);
  });
});

describe("depths", () => {
  it.each([1, 2, 3])("are the distances to the nearest cell outside (%i)", (seed) => {
    const dice = diceOf(seed);
    const area = areaOver({ x: 0, y: 0, width: 20, height: 14 }, 1);
    for (let row = 1; row + 1 < area.height; row++) {
      for (let column = 1; column + 1 < area.width; column++) {
        area.cells[row * area.width + column] = Number(dice.between(0, 1) < 0.9);
      }
    }
    const depths = depthsOf(area);
    const points = centers(area);
    for (const { x, y, inside, cell } of points) {
      const away = points.filter((other) => !other.inside).map((other) => Math.hypot(other.x - x, other.y - y));
      expect(depths[cell]).toBeCloseTo(inside ? Math.min(...away) - 0.5 : 0, 4);
    }
  });

  it("have lines around each island and each hole", () => {
    const area = areaOver(PART, 1);
    sweep(area, [{ x: 50, y: 60 }], 20, 1);
    sweep(area, [{ x: 50, y: 60 }], 6, 0);
    sweep(area, [{ x: 100, y: 60 }], 12, 1);
    const loops = linesOfDepth(depthsOf(area), area.width, 2);
    expect(loops).toHaveLength(3);
    const radii = loops.map((loop) => {
      const middle = loop.reduce((sum, { x, y }) => ({ x: sum.x + x / loop.length, y: sum.y + y / loop.length }), {
        x: 0,
        y: 0,
      });
      return Math.hypot((loop[0]?.x ?? 0) - middle.x, (loop[0]?.y ?? 0) - middle.y);
    });
    const sorted = radii.sort((one, other) => one - other);
    [8, 10, 18].forEach((radius, index) => expect(sorted[index]).toBeCloseTo(radius, -0.3));
  });
});

describe("linesOver", () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])("cover the area, and nothing else, by few points (%i)", (seed) => {
    const area = areaOver(PART, 0.5);
    enclose(area, blob(diceOf(seed)));
    const depths = depthsOf(area);
    const lines = linesOver(area);
    expect(pointsIn(lines)).toBeLessThan(400);
    const covered = areaOver(PART, 0.5);
    for (const line of lines) sweep(covered, line.points, line.radius, 1);
    const outside = { ...area, cells: area.cells.map((cell) => 1 - cell) };
    for (let index = 0; index < area.width; index++) outside.cells[index] = 0;
    const missed = [...area.cells.keys()].filter((cell) => area.cells[cell] && !covered.cells[cell]);
    expect(missed.filter((cell) => (depths[cell] ?? 0) > 2.5)).toEqual([]);
    const away = depthsOf(outside);
    const spilled = [...area.cells.keys()].filter((cell) => covered.cells[cell] && !area.cells[cell]);
    expect(spilled.filter((cell) => (away[cell] ?? 0) >= 1.5)).toEqual([]);
    expect(missed.length).toBeLessThan(0.02 * area.cells.reduce((sum, cell) => sum + cell, 0));
  });

  it("writes a box of a thousand cells as some fifty points", () => {
    const area = areaOver({ x: 0, y: 0, width: 1000, height: 700 }, 1);
    enclose(area, [
      { x: 0, y: 0 },
      { x: 1000, y: 0 },
      { x: 1000, y: 700 },
      { x: 0, y: 700 },
    ]);
    expect(pointsIn(linesOver(area))).toBeLessThan(100);
  });
});
