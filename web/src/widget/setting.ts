/** A control for each kind of setting, as its schema asks for it. */

import { lengthOf, type Setting } from "../api/schema";
import type { Value } from "../api/types";
import { field, make, readable } from "./dom";
import type { ModelInfo } from "./kernel";

export interface Place {
  readonly models: readonly ModelInfo[];
  /** Has a picture chosen and sent; gives the name by which recipes call it. */
  readonly choose: (file: File) => Promise<string>;
}

type Change = (value: Value) => void;

/** Make the control of a setting. */
export function controlOf(setting: Setting, value: Value | undefined, place: Place, change: Change): HTMLElement {
  const { control } = setting;
  const label = readable(setting.name);
  const now = value ?? setting.default ?? "";
  switch (control.kind) {
    case "number":
      return slider(label, Number(now), control, change);
    case "choice":
      return field(label, select(control.words, String(now), change));
    case "switch":
      return toggle(label, now === true, change);
    case "length": {
      const { number, unit } = lengthOf(now);
      const range = { low: 0, high: unit === "%" ? 100 : 500, whole: false, unit };
      return slider(label, number, range, (next) => change(`${String(next)}${unit}`));
    }
    case "color":
      return color(label, String(now), change);
    case "picture":
      return picture(label, place, change);
    case "model": {
      const names = place.models.filter(({ kind }) => kind === control.of).map(({ name }) => name);
      return field(label, select([...new Set([String(now), ...names])].filter(Boolean), String(now), change));
    }
    case "text":
      return field(label, make("input", "", { value: String(now), onchange: (event) => change(valueOf(event)) }));
  }
}

interface Range {
  readonly low: number;
  readonly high: number;
  readonly whole: boolean;
  readonly unit: string;
}

/** A slider and a field that hold the same number. */
export function slider(label: string, value: number, { low, high, whole, unit }: Range, change: Change): HTMLElement {
  const step = whole ? 1 : high - low <= 2 ? 0.01 : 0.5;
  const bounds = { min: String(low), max: String(high), step: String(step), value: String(value) };
  const range = make("input", "", { type: "range", ...bounds });
  const exact = make("input", "cc-number", { type: "number", ...bounds, step: "any", "aria-label": label });
  range.oninput = () => {
    exact.value = range.value;
    change(range.valueAsNumber);
  };
  exact.onchange = () => {
    if (!exact.validity.valid || Number.isNaN(exact.valueAsNumber)) return;
    range.value = exact.value;
    change(whole ? Math.round(exact.valueAsNumber) : exact.valueAsNumber);
  };
  return field(unit ? `${label} (${unit})` : label, range, exact);
}

export function select(options: readonly string[], value: string, change: Change): HTMLSelectElement {
  const listed = options.map((option) => make("option", "", { value: option }, readable(option)));
  const element = make("select", "", { onchange: (event) => change(valueOf(event)) }, ...listed);
  element.value = value;
  return element;
}

export function toggle(label: string, on: boolean, change: Change, title = ""): HTMLElement {
  const box = make("input", "", { type: "checkbox", checked: on, onchange: () => change(box.checked) });
  return make("label", "cc-toggle", { title }, box, label);
}

export function color(label: string, value: string, change: Change): HTMLElement {
  const opaque = /^#[0-9a-f]{6}/i.exec(value)?.[0] ?? "#ffffff";
  return field(label, make("input", "", { type: "color", value: opaque, oninput: (event) => change(valueOf(event)) }));
}

function picture(label: string, place: Place, change: Change): HTMLElement {
  const input = make("input", "", {
    type: "file",
    accept: "image/*",
    onchange: () => {
      const file = input.files?.[0];
      if (file) void place.choose(file).then(change, () => undefined); // told where it was chosen
    },
  });
  return field(label, input);
}

function valueOf(event: Event): string {
  return (event.currentTarget as HTMLInputElement | HTMLSelectElement).value;
}
