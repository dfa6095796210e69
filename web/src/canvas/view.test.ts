import { describe, expect, it } from "vitest";
import { diceOf } from "./dice";
import {
  around,
  between,
  contains,
  fitted,
  held,
  MOST_SCALE,
  panesOf,
  pinched,
  splitAt,
  splitShare,
  toPane,
  toPicture,
  zoomed,
  type View,
} from "./view";

const PANE = { width: 800, height: 600 };
const FRAME = { x: 0, y: 0, width: 4000, height: 3000 };
const SEEDS = [1, 2, 3, 4, 5];

function someView(seed: number): View {
  const dice = diceOf(seed);
  return { scale: 2 ** dice.between(-4, 3), x: dice.between(-3000, 800), y: dice.between(-3000, 600) };
}

describe("view", () => {
  it.each(SEEDS)("goes to the pane and back (%i)", (seed) => {
    const view = someView(seed);
    const point = { x: 123.4, y: 987.6 };
    const back = toPicture(view, toPane(view, point));
    expect(back.x).toBeCloseTo(point.x, 6);
    expect(back.y).toBeCloseTo(point.y, 6);
  });

  it.each(SEEDS)("zooms about the pointer (%i)", (seed) => {
    const view = someView(seed);
    const at = { x: 200, y: 333 };
    const [before, after] = [toPicture(view, at), toPicture(zoomed(view, view.scale * 1.7, at), at)];
    expect(after.x).toBeCloseTo(before.x, 6);
    expect(after.y).toBeCloseTo(before.y, 6);
  });

  it.each(SEEDS)("keeps under two fingers what was under them (%i)", (seed) => {
    const view = someView(seed);
    const before = [
      { x: 100, y: 100 },
      { x: 300, y: 250 },
    ] as const;
    // Twice as far apart, and moved: no turn, so both points hold.
    const now = [
      { x: 50, y: 80 },
      { x: 450, y: 380 },
    ] as const;
    const after = pinched(view, before, now);
    for (const finger of [0, 1] as const) {
      const [was, is] = [toPicture(view, before[finger]), toPicture(after, now[finger])];
      expect(is.x).toBeCloseTo(was.x, 6);
      expect(is.y).toBeCloseTo(was.y, 6);
    }
  });

  it("fits the whole frame, in the middle", () => {
    const view = fitted(FRAME, PANE);
    const [start, end] = [toPane(view, FRAME), toPane(view, { x: 4000, y: 3000 })];
    expect(start.x).toBeCloseTo(PANE.width - end.x, 6);
    expect(start.y).toBeCloseTo(PANE.height - end.y, 6);
    expect(start.x).toBeGreaterThan(0);
    expect(start.x).toBeLessThan(PANE.width / 20);
  });

  it("never enlarges a small picture beyond the most", () => {
    expect(fitted({ x: 0, y: 0, width: 4, height: 4 }, PANE).scale).toBe(MOST_SCALE);
  });

  it.each(SEEDS)("keeps the frame in the middle of the pane and the scale within bounds (%i)", (seed) => {
    const dice = diceOf(seed);
    const wild = { scale: 2 ** dice.between(-12, 8), x: dice.between(-1e6, 1e6), y: dice.between(-1e6, 1e6) };
    const view = held(wild, FRAME, PANE);
    const middle = toPicture(view, { x: 400, y: 300 });
    expect(view.scale).toBeLessThanOrEqual(MOST_SCALE);
    expect(view.scale).toBeGreaterThanOrEqual(fitted(FRAME, PANE).scale / 2);
    expect(middle.x).toBeGreaterThanOrEqual(-1e-6);
    expect(middle.x).toBeLessThanOrEqual(4000 + 1e-6);
    expect(held(view, FRAME, PANE)).toEqual(view);
  });

  it("glides from one view to the other, about one point", () => {
    const from = { scale: 1, x: 0, y: 0 };
    const to = zoomed(from, 4, { x: 100, y: 50 });
    const half = between(from, to, 0.5);
    expect(half.scale).toBeCloseTo(2, 6);
    expect(toPicture(half, { x: 100, y: 50 })).toEqual({ x: 100, y: 50 });
    expect(between(from, to, 1)).toBe(to);
    expect(between(from, { scale: 1, x: 10, y: 0 }, 0.5)).toEqual({ scale: 1, x: 5, y: 0 });
  });

  it("lays two panes along the longer side, the first where reading begins", () => {
    expect(panesOf("result", PANE, false)).toEqual([{ x: 0, y: 0, ...PANE }]);
    expect(panesOf("side", PANE, false).map(({ x }) => x)).toEqual([0, 400]);
    expect(panesOf("side", PANE, true).map(({ x }) => x)).toEqual([400, 0]);
    expect(panesOf("side", { width: 601, height: 900 }, true).map(({ y }) => y)).toEqual([0, 450]);
  });

  it.each([false, true])("puts the slider over what is seen of the picture (right to left: %s)", (rtl) => {
    const view = { scale: 0.1, x: 200, y: 0 };
    for (const share of [0, 0.25, 1]) {
      const x = splitAt(view, FRAME, PANE, share, rtl);
      expect(x).toBeGreaterThanOrEqual(200);
      expect(x).toBeLessThanOrEqual(600);
      expect(splitShare(view, FRAME, PANE, x, rtl)).toBeCloseTo(share, 6);
    }
    expect(splitAt(view, FRAME, PANE, 0.25, rtl)).toBe(rtl ? 500 : 300);
  });

  it("finds what is around rectangles, and what is in them", () => {
    expect(around([])).toBeNull();
    const both = around([FRAME, { x: -10, y: 20, width: 5, height: 5 }]);
    expect(both).toEqual({ x: -10, y: 0, width: 4010, height: 3000 });
    expect(contains(FRAME, { x: 0, y: 0 })).toBe(true);
    expect(contains(FRAME, { x: 4000, y: 0 })).toBe(false);
  });
});
