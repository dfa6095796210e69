import { describe, expect, it } from "vitest";
import { diceOf } from "./dice";
import { amended, begun, canRedo, canUndo, done, redone, undone, type History } from "./history";

/** The same by two plain lists, to be held against it. */
class Plain {
  states: number[] = [0];
  at = 0;

  do(state: number): void {
    this.states = [...this.states.slice(0, this.at + 1), state];
    this.at += 1;
  }
}

describe("history", () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])("does as a plain list does, whatever the order (%i)", (seed) => {
    const dice = diceOf(seed);
    const plain = new Plain();
    let history: History<number> = begun(0);
    for (let turn = 1; turn < 400; turn++) {
      const move = dice.whole(0, 3);
      if (move < 2) {
        plain.do(turn);
        history = done(history, turn);
      } else if (move === 2) {
        plain.at = Math.max(0, plain.at - 1);
        history = undone(history);
      } else {
        plain.at = Math.min(plain.states.length - 1, plain.at + 1);
        history = redone(history);
      }
      expect(history.present).toBe(plain.states[plain.at]);
      expect([canUndo(history), canRedo(history)]).toEqual([plain.at > 0, plain.at < plain.states.length - 1]);
    }
  });

  it("undoes a hundred thousand steps and does them again", () => {
    let history = begun(0);
    for (let state = 1; state <= 100_000; state++) history = done(history, state);
    while (canUndo(history)) history = undone(history);
    expect(history.present).toBe(0);
    while (canRedo(history)) history = redone(history);
    expect(history.present).toBe(100_000);
  });

  it("takes back what it did: redo of undo is the same, and an old history is never changed", () => {
    const two = done(done(begun("a"), "b"), "c");
    const back = undone(two);
    expect(redone(back)).toEqual(two);
    expect(two.present).toBe("c");
    expect(back.present).toBe("b");
    expect(canRedo(done(back, "d"))).toBe(false);
    expect(undone(done(back, "d")).present).toBe("b");
  });

  it("takes the same state for no step, and an amended one for the same step", () => {
    const state = { radius: 1 };
    const history = done(begun({ radius: 0 }), state);
    expect(done(history, state)).toBe(history);
    const dragged = amended(amended(history, { radius: 2 }), { radius: 3 });
    expect(dragged.present).toEqual({ radius: 3 });
    expect(undone(dragged).present).toEqual({ radius: 0 });
  });
});
