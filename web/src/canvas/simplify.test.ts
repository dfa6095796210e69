import { describe, expect, it } from "vitest";
import { diceOf } from "./dice";
import { distanceTo, simplified, simplifiedLoop } from "./simplify";
import type { Point } from "./types";

function wandering(seed: number, count: number): Point[] {
  const dice = diceOf(seed);
  const at = { x: 0, y: 0 };
  return Array.from({ length: count }, () => {
    at.x += dice.between(-2, 3);
    at.y += dice.between(-2, 2);
    return { ...at };
  });
}

/** How far a point lies from a line of points. */
function off(point: Point, line: readonly Point[]): number {
  return Math.min(...line.map((end, index) => distanceTo(point, line[index - 1] ?? end, end)));
}

describe("simplified", () => {
  it.each([1, 2, 3, 4, 5, 6])("keeps the ends, and every point within the tolerance (%i)", (seed) => {
    const line = wandering(seed, 600);
    const tolerance = diceOf(seed).between(0.2, 4);
    const fewer = simplified(line, tolerance);
    expect(fewer.length).toBeLessThan(line.length);
    expect(fewer[0]).toBe(line[0]);
    expect(fewer.at(-1)).toBe(line.at(-1));
    for (const point of line) expect(off(point, fewer)).toBeLessThanOrEqual(tolerance);
    const order = fewer.map((point) => line.indexOf(point));
    expect(order).toEqual([...order].sort((one, other) => one - other));
  });

  it("makes a straight line two points, and a corner three", () => {
    const straight = Array.from({ length: 50 }, (_, x) => ({ x, y: 2 * x }));
    expect(simplified(straight, 0.01)).toHaveLength(2);
    expect(simplified([...straight, { x: 80, y: 0 }], 0.5)).toHaveLength(3);
  });

  it("leaves nothing, one and two points as they are", () => {
    expect(simplified([], 1)).toEqual([]);
    expect(simplified([{ x: 1, y: 1 }], 1)).toHaveLength(1);
    expect(
      simplified(
        [
          { x: 1, y: 1 },
          { x: 1, y: 1 },
        ],
        1,
      ),
    ).toHaveLength(2);
  });

  it("is done with a hand that goes to and fro thousands of times", () => {
    const line = Array.from({ length: 5_000 }, (_, x) => ({ x, y: x % 2 ? 0.001 * x : 0 }));
    expect(simplified(line, 0.5).length).toBeGreaterThan(4_000);
  });
});

describe("simplifiedLoop", () => {
  it("stays a closed line near what was given", () => {
    const circle = Array.from({ length: 360 }, (_, degree) => ({
      x: 100 * Math.cos((degree * Math.PI) / 180),
      y: 100 * Math.sin((degree * Math.PI) / 180),
    }));
    const fewer = simplifiedLoop(circle, 0.5);
    expect(fewer.length).toBeLessThan(60);
    const closed = [...fewer, ...fewer.slice(0, 1)];
    for (const point of circle) expect(off(point, closed)).toBeLessThanOrEqual(0.5);
  });
});
