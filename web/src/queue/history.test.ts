import { describe, expect, it } from "vitest";
import { begun, canonical, changed, redone, same, undone } from "./history";

describe("a history", () => {
  it("goes back and forth through every state", () => {
    const states = Array.from({ length: 50 }, (_, quality) => ({ quality }));
    let history = states.slice(1).reduce((one, state) => changed(one, state), begun(states[0] ?? {}));
    for (const state of states.toReversed()) {
      expect(history.now).toEqual(state);
      history = undone(history);
    }
    for (const state of states) {
      expect(history.now).toEqual(state);
      history = redone(history);
    }
    expect(redone(history)).toBe(history);
  });

  it("takes a drag for one step", () => {
    let history = begun({});
    for (const quality of [1, 2, 3]) history = changed(history, { quality }, "quality");
    history = changed(history, { quality: 3, model: "m" });
    history = changed(history, { quality: 4, model: "m" }, "quality");
    expect(history.past).toEqual([{}, { quality: 3 }, { quality: 3, model: "m" }]);
    expect(undone(undone(undone(history))).now).toEqual({});
  });

  it("forgets what was undone once something else is done", () => {
    const history = changed(undone(changed(begun({}), { model: "a" })), { model: "b" });
    expect(history.future).toEqual([]);
    expect(changed(history, { model: "b" })).toBe(history);
  });
});

it("compares data whatever the order it is written in", () => {
  expect(same({ a: 1, b: [{ c: 1, d: 2 }] }, { b: [{ d: 2, c: 1 }], a: 1 })).toBe(true);
  expect(same({ a: [1, 2] }, { a: [2, 1] })).toBe(false);
  expect(canonical({ b: undefined, a: 1 })).toBe('{"a":1}');
});
