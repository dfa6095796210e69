import { describe, expect, it, vi } from "vitest";
import type { Recipe } from "../api/types";
import type { About } from "./kernel";
import { List } from "./list";
import { Panel } from "./panel";

const kind = (name: string, settings: object = {}) => ({
  description: `Do ${name}.`,
  properties: { name: { const: name }, ...settings },
});

const ABOUT: About = {
  version: "1",
  effects: {
    oneOf: [
      kind("color", { color: { type: "string", format: "color", default: "#ffffff" } }),
      kind("behind", { picture: { type: "string", "x-asset": true } }),
      kind("shadow", { opacity: { type: "number", minimum: 0, maximum: 1, default: 0.5 } }),
      kind("fit", { width: { type: "integer", minimum: 1, maximum: 100 } }),
    ],
  },
  refine: {
    oneOf: [kind("auto"), kind("feather", { radius: { type: "number", maximum: 100, default: 2, "x-unit": "px" } })],
  },
  models: [
    { name: "small", title: "Small", kind: "salient", license: "MIT", here: true },
    { name: "large", title: "Large", kind: "salient", license: "MIT", here: false },
    { name: "close", title: "Close", kind: "closeup", license: "MIT", here: true },
  ],
  finding: ["salient"],
  writes: ["png", "webp"],
  chunk: 4,
  accepts: ".png",
};

function opened(recipe: Recipe) {
  const changes: Recipe[] = [];
  const panel = new Panel(ABOUT, () => Promise.resolve("sha"), (next) => changes.push(next)); // prettier-ignore
  document.body.replaceChildren(panel.root);
  panel.show(recipe);
  const labelled = (label: string): HTMLElement => {
    const found = [...panel.root.querySelectorAll("label")].find((one) => one.textContent.startsWith(label));
    const control = found?.querySelector("input") ?? panel.root.querySelector(`[id="${found?.htmlFor ?? ""}"]`);
    if (!control) throw new Error(`nothing is called ${label}`);
    return control;
  };
  const set = (label: string, value: string | boolean, event = "change") => {
    const control = labelled(label) as HTMLInputElement;
    if (typeof value === "boolean") control.checked = value;
    else control.value = value;
    control.dispatchEvent(new Event(event));
  };
  return { panel, changes, set, labelled };
}

describe("the panel", () => {
  it("offers the models that find a subject", () => {
    const { labelled, set, changes } = opened({ model: "small" });
    const options = [...(labelled("Model") as HTMLSelectElement).options].map(({ text }) => text);
    expect(options).toEqual(["small", "large (not downloaded)"]);
    set("Model", "large");
    expect(changes.at(-1)?.model).toBe("large");
  });

  it("makes a control for each setting, and lays steps where they belong", () => {
    const { set, changes } = opened({});
    set("Feather", true);
    expect(changes.at(-1)?.refine).toEqual([{ name: "auto" }, { name: "feather", radius: 2 }]);
    set("Radius (px)", "7", "input");
    expect(changes.at(-1)?.refine?.[1]).toEqual({ name: "feather", radius: 7 });
    set("Feather", false);
    expect(changes.at(-1)?.refine).toEqual([{ name: "auto" }]);
  });

  it("begins a step that needs something once it is given", () => {
    const { set, changes } = opened({});
    set("Fit", true);
    expect(changes).toEqual([]);
    set("Width", "50", "input");
    expect(changes.at(-1)?.effects).toEqual([{ name: "fit", width: 50 }]);
  });

  it("puts one background in place of another", () => {
    const { set, changes } = opened({ effects: [{ name: "shadow", opacity: 0.5 }] });
    set("Behind the subject", "color");
    set("Color", "#ff0000", "input");
    expect(changes.at(-1)?.effects).toEqual([
      { name: "shadow", opacity: 0.5 },
      { name: "color", color: "#ff0000" },
    ]);
    set("Behind the subject", "checkerboard");
    expect(changes.at(-1)?.effects).toEqual([{ name: "shadow", opacity: 0.5 }]);
  });
});

describe("the list", () => {
  it("counts, shows errors as text, and lets go of what was removed", () => {
    const wishes = { choose: vi.fn(), download: vi.fn(), remove: vi.fn(), again: vi.fn() };
    const list = new List(wishes);
    const about = { kept: true, error: "" };
    const [good, bad] = [
      { id: "a", name: "<b>a</b>", state: "done", ...about } as const,
      { id: "b", name: "b", state: "failed", kept: false, error: "<i>No.</i>" } as const,
    ];
    list.show([good, bad], "a");
    expect(list.root.querySelector(".cc-count")?.textContent).toBe("1 of 2 done, 1 failed");
    expect(list.root.querySelector("b, i")).toBeNull();
    expect(list.root.querySelector(".cc-error")?.textContent).toBe("<i>No.</i>");
    const labels = [...list.root.querySelectorAll("[aria-label]")].map((one) => one.getAttribute("aria-label"));
    expect(labels).toContain("Download: <b>a</b>");
    expect(labels).not.toContain("Try again: b");
    list.show([good], "a");
    expect(list.root.querySelectorAll("li").length).toBe(1);
  });
});
