import { describe, expect, it } from "vitest";
import { areaOver, sweep, type Area } from "./area";
import { diceOf } from "./dice";
import { pointsIn } from "./fill";
import { applied, erased, linesOf, type Change, type Gesture, type Sample } from "./gesture";
import { distanceTo } from "./simplify";
import { lineOf, MOST_POINTS, MOST_STROKES, readStrokes } from "./strokes";
import type { Brush, Point, Stroke } from "./types";

const SIZE = { width: 1000, height: 800 };
const BRUSH: Brush = { radius: 0.02, hardness: 1, pressure: true, keep: true };

function along(points: readonly (readonly [number, number, number?])[]): Sample[] {
  return points.map(([x, y, pressure]) => ({ x, y, pressure: pressure ?? null }));
}

function curve(count = 200): Sample[] {
  return Array.from({ length: count }, (_, index) => ({
    x: 100 + (index * 800) / count,
    y: 400 + 200 * Math.sin((index * 12) / count),
    pressure: null,
  }));
}

function changed(strokes: readonly Stroke[], gesture: Partial<Gesture>, pixel = 1): Change {
  const change = applied(strokes, { tool: "brush", samples: curve(), brush: BRUSH, ...gesture }, SIZE, pixel);
  if (typeof change === "string") throw new Error(change);
  return change;
}

/** What strokes cover, on a grid of whole pixels. */
function coverOf(strokes: readonly Stroke[]): Area {
  const area = areaOver({ x: 0, y: 0, ...SIZE }, 1);
  for (const stroke of strokes) {
    const { points, radius } = lineOf(stroke, SIZE);
    sweep(area, points, radius, 1);
  }
  return area;
}

function sum(area: Area): number {
  return area.cells.reduce((total, cell) => total + cell, 0);
}

function off(point: Point, line: readonly Point[]): number {
  return Math.min(...line.map((end, index) => distanceTo(point, line[index - 1] ?? end, end)));
}

describe("a brush", () => {
  it("becomes one small stroke that stays within half a screen pixel of the hand", () => {
    for (const pixel of [0.25, 1, 4]) {
      const { strokes, added } = changed([], { samples: curve(2000) }, pixel);
      const [stroke] = added;
      expect(strokes).toEqual(added);
      if (!stroke) throw new Error("no stroke");
      expect(stroke).toMatchObject({ radius: 0.02, keep: true });
      expect(stroke.points.length).toBeLessThan(160);
      const { points } = lineOf(stroke, SIZE);
      const farthest = Math.max(...curve(500).map((sample) => off(sample, points)));
      expect(farthest).toBeLessThanOrEqual(pixel / 2 + 0.02);
    }
  });

  it("marks its hard core", () => {
    const [stroke] = changed([], { brush: { ...BRUSH, hardness: 0.5, keep: false } }).added;
    expect(stroke).toMatchObject({ radius: 0.01, keep: false });
  });

  it("leaves a dot where it is only put down", () => {
    const { added } = changed([], { samples: along([[500, 400]]) });
    expect(added).toEqual([{ points: [[0.5, 0.5]], radius: 0.02, keep: true }]);
  });

  it("grows thinner with less pressure, in pieces that meet", () => {
    const samples = Array.from({ length: 101 }, (_, index) => ({ x: 100 + index * 8, y: 400, pressure: index / 100 }));
    const { added } = changed([], { samples });
    expect(added.length).toBeGreaterThan(4);
    expect(added.length).toBeLessThan(12);
    const radii = added.map(({ radius }) => radius);
    expect(radii).toEqual([...radii].sort((one, other) => one - other));
    expect(radii[0]).toBeLessThan(0.006);
    expect(Math.abs((radii.at(-1) ?? 0) - 0.02)).toBeLessThan(0.002);
    added.slice(1).forEach((stroke, index) => expect(stroke.points[0]).toEqual(added[index]?.points.at(-1)));
  });

  it("does not fall to pieces when a hand trembles, and heeds no pressure if told so", () => {
    const dice = diceOf(7);
    const samples = curve().map((sample) => ({ ...sample, pressure: 0.5 + dice.between(-0.04, 0.04) }));
    expect(changed([], { samples }).added).toHaveLength(1);
    const [stroke] = changed([], { samples, brush: { ...BRUSH, pressure: false } }).added;
    expect(stroke?.radius).toBe(0.02);
  });

  it("breaks off where it leaves the picture", () => {
    const samples = along([
      [900, 100],
      [990, 100],
      [1100, 100],
      [1100, 700],
      [990, 700],
      [900, 700],
    ]);
    const { added } = changed([], { samples });
    expect(added).toHaveLength(2);
    expect(readStrokes(JSON.parse(JSON.stringify(added)))).toEqual(added);
    expect(
      changed([], {
        samples: along([
          [-500, -500],
          [-400, -500],
        ]),
      }).added,
    ).toEqual([]);
  });
});

describe("a lasso and a box", () => {
  it("mark all they enclose", () => {
    const { added } = changed([], {
      tool: "box",
      samples: along([
        [200, 100],
        [700, 500],
      ]),
    });
    const area = coverOf(added);
    expect(Math.abs(sum(area) - 500 * 400)).toBeLessThan(0.01 * 500 * 400);
    expect(pointsIn(added)).toBeLessThan(100);
    expect(readStrokes(added)).toEqual(added);
  });

  it("may be drawn in any direction, beyond the border too", () => {
    const { added } = changed([], {
      tool: "box",
      samples: along([
        [1400, 900],
        [600, 300],
      ]),
    });
    expect(Math.abs(sum(coverOf(added)) - 400 * 500)).toBeLessThan(0.015 * 400 * 500);
  });

  it("are nothing when nothing is enclosed", () => {
    const { strokes, added } = changed([], {
      tool: "lasso",
      samples: along([
        [10, 10],
        [300, 10],
      ]),
    });
    expect([strokes, added]).toEqual([[], []]);
    expect(changed([], { tool: "box", samples: along([[10, 10]]) }).added).toEqual([]);
  });

  it("show no lines while they are drawn", () => {
    expect(linesOf({ tool: "lasso", samples: curve(), brush: BRUSH }, SIZE)).toEqual([]);
  });
});

describe("an eraser", () => {
  const line: Stroke = {
    points: [
      [0.1, 0.5],
      [0.9, 0.5],
    ],
    radius: 0.03,
    keep: true,
  };

  it("takes out what it covers and nothing else", () => {
    const before = sum(coverOf([line]));
    const { strokes } = changed([line], {
      tool: "eraser",
      samples: along([
        [500, 300],
        [500, 500],
      ]),
    });
    const after = coverOf(strokes);
    expect(Math.abs(before - sum(after) - 40 * 60)).toBeLessThan(0.1 * 40 * 60);
    const [x, y] = [500, 400];
    expect(after.cells[(y + 2) * after.width + x + 2]).toBe(0);
    expect(after.cells[(y + 2) * after.width + 202]).toBe(1);
  });

  it("leaves strokes alone that it does not touch, and their order", () => {
    const other: Stroke = {
      ...line,
      points: [
        [0.1, 0.1],
        [0.9, 0.1],
      ],
      keep: false,
    };
    const { strokes } = changed([other, line, other], { tool: "eraser", samples: along([[100, 400]]) });
    expect(strokes[0]).toBe(other);
    expect(strokes.at(-1)).toBe(other);
    const far = changed([other], { tool: "eraser", samples: along([[500, 700]]) });
    expect(far.strokes).toHaveLength(1);
    expect(far.strokes[0]).toBe(other);
  });

  it("is no change when it touches nothing, so that undo has no empty step", () => {
    const strokes = [line];
    expect(changed(strokes, { tool: "eraser", samples: along([[500, 100]]) }).strokes).toBe(strokes);
  });

  it("takes away a whole stroke", () => {
    const samples = along([
      [80, 400],
      [920, 400],
    ]);
    const brush = { ...BRUSH, radius: 0.04 };
    expect(changed([line], { tool: "eraser", samples, brush }).strokes).toEqual([]);
  });

  it("cuts through where two lines only cross", () => {
    const upright = {
      points: [
        { x: 500, y: 0 },
        { x: 500, y: 800 },
      ],
      radius: 2,
    };
    const { added } = erased([{ ...line, radius: 0.002 }], [upright], SIZE, 0.5);
    expect(added.length).toBeGreaterThan(0);
  });
});

describe("a full recipe", () => {
  const dot: Stroke = { points: [[0.5, 0.5]], radius: 0.01, keep: true };

  it("takes no more strokes", () => {
    const gesture: Gesture = { tool: "brush", samples: curve(), brush: BRUSH };
    expect(applied(Array<Stroke>(MOST_STROKES).fill(dot), gesture, SIZE, 1)).toBe("strokes");
  });

  it("takes a long line coarser, or not at all", () => {
    const many = (count: number): Stroke => ({ ...dot, points: Array.from({ length: count }, () => [0.5, 0.5]) });
    const dice = diceOf(3);
    const samples = Array.from({ length: 3000 }, (_, index) => ({
      x: 100 + index / 4,
      y: 400 + dice.between(-3, 3),
      pressure: null,
    }));
    const gesture: Gesture = { tool: "brush", samples, brush: BRUSH };
    const change = applied([many(MOST_POINTS - 1000)], gesture, SIZE, 1);
    expect(change).toMatchObject({ added: [{ radius: 0.02 }] });
    expect(applied([many(MOST_POINTS - 1)], gesture, SIZE, 1)).toBe("points");
  });
});

describe("readStrokes", () => {
  it("reads what it writes", () => {
    const { added } = changed([], {});
    expect(readStrokes(JSON.parse(JSON.stringify(added)))).toEqual(added);
    expect(readStrokes([{ points: [[0, 1]], radius: 0.1 }])[0]?.keep).toBe(true);
  });

  it.each([
    null,
    {},
    [null],
    [3],
    [{}],
    [{ points: [], radius: 0.1 }],
    [{ points: [[0, 0]], radius: 0 }],
    [{ points: [[0, 0]], radius: 0.6 }],
    [{ points: [[0, 0]], radius: "0.1" }],
    [{ points: [[0, 1.01]], radius: 0.1 }],
    [{ points: [[0, 1, 2]], radius: 0.1 }],
    [{ points: [[0, NaN]], radius: 0.1 }],
    [{ points: [[0, 0]], radius: 0.1, keep: 1 }],
    Array(MOST_STROKES + 1).fill({ points: [[0, 0]], radius: 0.1 }),
  ])("refuses what is no list of strokes", (given: unknown) => {
    expect(() => readStrokes(given)).toThrow(RangeError);
  });
});
