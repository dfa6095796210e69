/** What is in the hand, and how before and after are shown. */

import type { Mode, Stage, StageEvents, Tool } from "../canvas";
import { button, make } from "./dom";
import { slider } from "./setting";

interface Offer {
  readonly label: string;
  readonly tool: Tool;
  readonly keep?: boolean;
}

const TOOLS: readonly Offer[] = [
  { label: "Move", tool: "pan" },
  { label: "Keep", tool: "brush", keep: true },
  { label: "Remove", tool: "brush", keep: false },
  { label: "Eraser", tool: "eraser" },
  { label: "Lasso", tool: "lasso" },
  { label: "Box", tool: "box" },
];

const MODES: readonly (readonly [Mode, string])[] = [
  ["compare", "Before | after"],
  ["result", "After"],
  ["source", "Before"],
  ["alpha", "Alpha"],
];

export class Tools {
  readonly root = make("div", "cc-tools", { role: "toolbar", "aria-label": "Tools" });
  readonly #tools: readonly HTMLButtonElement[];
  readonly #modes: readonly HTMLButtonElement[];
  readonly #size = make("div", "cc-size");

  constructor(private readonly stage: Stage) {
    this.#tools = TOOLS.map(({ label, tool, keep }) =>
      button(label, () => {
        if (keep !== undefined) stage.setBrush({ keep });
        stage.setTool(tool);
      }),
    );
    this.#modes = MODES.map(([mode, label]) => button(label, () => stage.setMode(mode)));
    const steps = [
      button("Undo", () => void stage.undo()),
      button("Redo", () => void stage.redo()),
      button("Clear marks", () => stage.clear()),
      button("Fit", () => stage.fit(), "", "Show all of the picture"),
      button("100 %", () => stage.zoomTo(1)),
    ];
    const group = (label: string, ...buttons: readonly HTMLElement[]) =>
      make("div", "cc-group", { role: "group", "aria-label": label }, ...buttons);
    this.root.append(
      group("View", ...this.#modes),
      group("Hand", ...this.#tools),
      this.#size,
      group("Steps", ...steps),
    );
    stage.on("tool", (held) => this.#held(held));
    stage.on("mode", ({ mode }) => this.#mode(mode));
    this.#held({ tool: stage.tool, brush: stage.brush });
    this.#mode(stage.mode);
  }

  #held({ tool, brush }: StageEvents["tool"]): void {
    for (const [index, offer] of TOOLS.entries()) {
      const held = offer.tool === tool && (offer.keep === undefined || offer.keep === brush.keep);
      this.#tools[index]?.setAttribute("aria-pressed", String(held));
    }
    const brushes = tool === "brush" || tool === "eraser";
    this.#size.hidden = !brushes;
    if (!brushes || this.#size.contains(document.activeElement)) return;
    const range = { low: 0.2, high: 20, whole: false, unit: "%" };
    const share = Math.round(brush.radius * 2000) / 10;
    const change = (value: unknown): void => this.stage.setBrush({ radius: Number(value) / 200 });
    this.#size.replaceChildren(slider("Brush", share, range, change));
  }

  #mode(mode: Mode): void {
    for (const [index, [of]] of MODES.entries()) this.#modes[index]?.setAttribute("aria-pressed", String(of === mode));
  }
}
