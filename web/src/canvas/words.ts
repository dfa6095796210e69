import type { Brush, Tool } from "./types";

/** What is said aloud. A page gives its own in its language; shares are from 0 to 1. */
export interface Words {
  readonly label: string;
  readonly role: string;
  readonly keys: string;
  readonly split: string;
  readonly before: (share: number) => string;
  readonly cursor: (across: number, down: number) => string;
  readonly zoom: (percent: number) => string;
  readonly tool: (tool: Tool, brush: Brush) => string;
  readonly down: string;
  readonly up: string;
  readonly dropped: string;
  readonly undone: string;
  readonly redone: string;
  readonly full: string;
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;

const TOOLS: Record<Tool, string> = {
  pan: "Move the picture",
  brush: "Brush",
  eraser: "Eraser of marks",
  lasso: "Lasso",
  box: "Box",
};

export const ENGLISH: Words = {
  label: "Picture",
  role: "picture editor",
  keys:
    "Arrow keys move. Plus and minus zoom, 0 shows all, 1 shows pixels as they are. B brush, E eraser, L lasso, M box, " +
    "H moves the picture. Space or Enter puts the tool down and lifts it, Escape drops it. X swaps keep and remove. " +
    "Brackets change the size. Z undoes, Y redoes.",
  split: "Before and after",
  before: (share) => `${percent(share)} before`,
  cursor: (across, down) => `${percent(across)} across, ${percent(down)} down`,
  zoom: (share) => `${Math.round(share)} % zoom`,
  tool: (tool, { keep, radius }) => {
    if (tool === "pan") return TOOLS.pan;
    const size = tool === "brush" || tool === "eraser" ? `, ${(radius * 200).toFixed(1)} % wide` : "";
    return tool === "eraser" ? `${TOOLS.eraser}${size}` : `${TOOLS[tool]}, ${keep ? "keep" : "remove"}${size}`;
  },
  down: "Down.",
  up: "Up.",
  dropped: "Dropped.",
  undone: "Undone.",
  redone: "Done again.",
  full: "There is no room for more marks.",
};
