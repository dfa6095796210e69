/** What each key does: a table, free of the DOM. */

import type { Tool } from "./types";

export type Command =
  | { readonly does: "go"; readonly x: number; readonly y: number; readonly pace: "fine" | "plain" | "far" }
  | { readonly does: "zoom"; readonly factor: number }
  | { readonly does: "scale"; readonly scale: number }
  | { readonly does: "tool"; readonly tool: Tool }
  | { readonly does: "size"; readonly factor: number }
  | { readonly does: "hardness"; readonly factor: number }
  | Plain<"fit" | "mark" | "drop" | "swap" | "undo" | "redo" | "compare" | "toggle" | "alpha">;

type Plain<Does> = Does extends string ? { readonly does: Does } : never;

export interface Press {
  readonly key: string;
  /** Where the key is, for keyboards that write no Latin letters. */
  readonly code: string;
  readonly shiftKey: boolean;
  readonly ctrlKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
}

const ZOOM = 1.25;
const SIZE = 1.2;

const ARROWS = new Map([
  ["ArrowLeft", { x: -1, y: 0 }],
  ["ArrowRight", { x: 1, y: 0 }],
  ["ArrowUp", { x: 0, y: -1 }],
  ["ArrowDown", { x: 0, y: 1 }],
]);

const KEYS = new Map<string, Command>([
  ["+", { does: "zoom", factor: ZOOM }],
  ["=", { does: "zoom", factor: ZOOM }],
  ["-", { does: "zoom", factor: 1 / ZOOM }],
  ["_", { does: "zoom", factor: 1 / ZOOM }],
  ["0", { does: "fit" }],
  ...[1, 2, 3, 4, 5, 6, 7, 8].map((scale): [string, Command] => [`${scale}`, { does: "scale", scale }]),
  ["[", { does: "size", factor: 1 / SIZE }],
  ["]", { does: "size", factor: SIZE }],
  ["{", { does: "hardness", factor: 1 / SIZE }],
  ["}", { does: "hardness", factor: SIZE }],
  [" ", { does: "mark" }],
  ["enter", { does: "mark" }],
  ["escape", { does: "drop" }],
  ["x", { does: "swap" }],
  ["z", { does: "undo" }],
  ["y", { does: "redo" }],
  ["h", { does: "tool", tool: "pan" }],
  ["b", { does: "tool", tool: "brush" }],
  ["e", { does: "tool", tool: "eraser" }],
  ["l", { does: "tool", tool: "lasso" }],
  ["m", { does: "tool", tool: "box" }],
  ["c", { does: "compare" }],
  ["t", { does: "toggle" }],
  ["a", { does: "alpha" }],
]);

const PLACES = new Map([
  ["BracketLeft", ["[", "{"]],
  ["BracketRight", ["]", "}"]],
] as const);

/** Tell what a key asks for; null leaves it to the browser, as it does most of what goes with Ctrl, Alt or Command. */
export function commandOf(press: Press): Command | null {
  const arrow = ARROWS.get(press.key);
  if (arrow) return press.metaKey ? null : { does: "go", ...arrow, pace: paceOf(press) };
  if (!press.ctrlKey && !press.metaKey && !press.altKey) return plain(press);
  if (press.ctrlKey && press.altKey && !press.metaKey) return KEYS.get(press.key) ?? null; // AltGr writes brackets
  const command = press.altKey ? null : plain(press);
  return command?.does === "undo" || command?.does === "redo" ? command : null;
}

function plain(press: Press): Command | null {
  const command = KEYS.get(press.key.toLowerCase()) ?? KEYS.get(placed(press)) ?? null;
  return command?.does === "undo" && press.shiftKey ? { does: "redo" } : command;
}

function placed({ code, shiftKey }: Press): string {
  const bracket = PLACES.get(code as "BracketLeft")?.[shiftKey ? 1 : 0];
  return bracket ?? code.replace(/^(Key|Digit)(?=.$)/, "").toLowerCase();
}

function paceOf({ shiftKey, ctrlKey, altKey }: Press): "fine" | "plain" | "far" {
  if (ctrlKey || altKey) return "fine";
  return shiftKey ? "far" : "plain";
}
