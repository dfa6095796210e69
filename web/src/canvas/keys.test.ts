import { describe, expect, it } from "vitest";
import { commandOf, type Press } from "./keys";

function press(key: string, more: Partial<Press> = {}): Press {
  return { key, code: "", shiftKey: false, ctrlKey: false, altKey: false, metaKey: false, ...more };
}

describe("keys", () => {
  it("do all that a pointer can", () => {
    const keys = ["ArrowUp", "+", "-", "0", "1", "8", "[", "]", "{", "}", " ", "Enter", "Escape"];
    const asked = [...keys, ..."xzyhbelmcta".split("")].map((key) => commandOf(press(key))?.does);
    expect(asked).not.toContain(undefined);
    expect(new Set(asked).size).toBe(15);
  });

  it("move finely, plainly and far", () => {
    const pace = (more: Partial<Press>): unknown => commandOf(press("ArrowLeft", more));
    expect(pace({})).toEqual({ does: "go", x: -1, y: 0, pace: "plain" });
    expect(pace({ shiftKey: true })).toMatchObject({ pace: "far" });
    expect(pace({ altKey: true })).toMatchObject({ pace: "fine" });
    expect(pace({ metaKey: true })).toBeNull();
  });

  it("undo and redo with and without Ctrl or Command", () => {
    expect(commandOf(press("z"))).toEqual({ does: "undo" });
    expect(commandOf(press("z", { ctrlKey: true }))).toEqual({ does: "undo" });
    expect(commandOf(press("Z", { metaKey: true, shiftKey: true }))).toEqual({ does: "redo" });
    expect(commandOf(press("y", { ctrlKey: true }))).toEqual({ does: "redo" });
  });

  it("leave the browser its own", () => {
    for (const key of ["c", "l", "t", "+", "0", "a"]) expect(commandOf(press(key, { ctrlKey: true }))).toBeNull();
    for (const key of ["Tab", "F5", "q", "PageDown"]) expect(commandOf(press(key))).toBeNull();
    expect(commandOf(press("e", { altKey: true }))).toBeNull();
  });

  it("work on keyboards that write other letters", () => {
    expect(commandOf(press("ء", { code: "KeyX" }))).toEqual({ does: "swap" });
    expect(commandOf(press("я", { code: "KeyZ", ctrlKey: true }))).toEqual({ does: "undo" });
    expect(commandOf(press("ü", { code: "BracketLeft" }))).toMatchObject({ does: "size" });
    expect(commandOf(press("*", { code: "BracketRight", shiftKey: true }))).toMatchObject({ does: "hardness" });
    expect(commandOf(press("[", { ctrlKey: true, altKey: true }))).toMatchObject({ does: "size" });
    expect(commandOf(press("&", { code: "Digit1" }))).toEqual({ does: "scale", scale: 1 });
  });
});
