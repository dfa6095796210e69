import { beforeEach, describe, expect, it } from "vitest";
import { Pointers, type Hands } from "./pointer";

interface Given {
  readonly id?: number;
  readonly type?: string;
  readonly button?: number;
  readonly at?: readonly [number, number];
  readonly pressure?: number;
}

describe("pointers", () => {
  let root: HTMLElement;
  let told: string[];
  let draws: boolean;

  function point(kind: string, { id = 1, type = "touch", button = 0, at = [0, 0], pressure = 0.5 }: Given = {}): void {
    const event = new PointerEvent(kind, { cancelable: true, bubbles: true });
    const [clientX, clientY] = at;
    const fields = { pointerId: id, pointerType: type, button, clientX, clientY, pressure };
    for (const [name, value] of Object.entries(fields)) Object.defineProperty(event, name, { value });
    root.dispatchEvent(event);
  }

  beforeEach(() => {
    root = document.createElement("div");
    root.setPointerCapture = () => undefined;
    told = [];
    draws = true;
    const hands: Hands = {
      draws: () => draws,
      begin: ({ pressure }, erases) => told.push(`begin ${pressure ?? "none"} ${erases}`),
      draw: (through) => told.push(`draw ${through.map(({ x, y }) => `${x},${y}`).join(" ")}`),
      end: () => told.push("end"),
      drop: () => told.push("drop"),
      hover: () => undefined,
      pan: (dx, dy) => told.push(`pan ${dx},${dy}`),
      pinch: ([a, b], [c, d]) => told.push(`pinch ${[a, b, c, d].map(({ x }) => x).join(" ")}`),
      zoom: (factor) => told.push(`zoom ${factor > 1 ? "in" : "out"}`),
      twice: () => told.push("twice"),
    };
    new Pointers(root, hands);
  });

  it("draw with one finger, and with no event but the last where the browser tells no more", () => {
    point("pointerdown");
    point("pointermove", { at: [30, 40] });
    point("pointerup");
    expect(told).toEqual(["begin none false", "draw 30,40", "end"]);
  });

  it("take a second finger for a pinch, and what the first drew by then for a slip", () => {
    point("pointerdown");
    point("pointermove", { at: [3, 4] });
    point("pointerdown", { id: 2, at: [100, 0] });
    point("pointermove", { id: 2, at: [200, 0] });
    point("pointerup", { id: 2 });
    point("pointermove", { at: [50, 50] });
    point("pointerup");
    expect(told).toEqual(["begin none false", "draw 3,4", "drop", "pinch 100 3 200 3"]);
  });

  it("keep a long line that a second finger or the system ends", () => {
    point("pointerdown");
    point("pointermove", { at: [90, 0] });
    point("pointerdown", { id: 2 });
    expect(told.at(-1)).toBe("end");
    point("pointerup");
    point("pointerup", { id: 2 });
    point("pointerdown");
    point("pointercancel");
    expect(told.slice(-2)).toEqual(["begin none false", "end"]);
  });

  it("heed a pen's pressure and its other end, and not the hand that holds it", () => {
    point("pointerdown", { type: "pen", pressure: 0.25 });
    point("pointerdown", { id: 7 });
    point("pointermove", { id: 7, at: [5, 5] });
    point("pointerup", { type: "pen" });
    point("pointerdown", { type: "pen", button: 5, pressure: 0.75 });
    expect(told).toEqual(["begin 0.25 false", "end", "begin 0.75 true"]);
  });

  it("pan with the middle button, and with any where nothing draws", () => {
    point("pointerdown", { type: "mouse", button: 1 });
    point("pointermove", { type: "mouse", at: [7, 8] });
    point("pointerup", { type: "mouse" });
    draws = false;
    point("pointerdown", { type: "mouse" });
    point("pointermove", { type: "mouse", at: [1, 2] });
    point("pointerup", { type: "mouse" });
    point("pointerdown", { type: "mouse", button: 2 });
    point("pointermove", { type: "mouse", at: [9, 9] });
    expect(told).toEqual(["pan 7,8", "pan 1,2"]);
  });

  it("zoom by a wheel, pan by two fingers on a trackpad", () => {
    const wheel = (more: WheelEventInit): boolean => root.dispatchEvent(new WheelEvent("wheel", more));
    wheel({ deltaY: -100 });
    wheel({ deltaY: 100 });
    wheel({ deltaY: 3, deltaX: -2 });
    expect(told).toEqual(["zoom in", "zoom out", "pan 2,-3"]);
  });
});
