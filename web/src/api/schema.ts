import type { Step, Value } from "./types";

/** What a person sets a setting with, read off its JSON schema. */
export type Control =
  | {
      readonly kind: "number";
      readonly low: number;
      readonly high: number;
      readonly whole: boolean;
      readonly unit: string;
    }
  | { readonly kind: "choice"; readonly words: readonly string[] }
  | { readonly kind: "length" }
  | { readonly kind: "color" }
  | { readonly kind: "switch" }
  | { readonly kind: "picture" }
  | { readonly kind: "model"; readonly of: string }
  | { readonly kind: "text" };

export interface Setting {
  readonly name: string;
  readonly control: Control;
  /** Null where it must be given. */
  readonly default: Value | null;
}

/** A step as the server describes it. */
export interface StepKind {
  readonly name: string;
  readonly description: string;
  readonly settings: readonly Setting[];
}

export type Catalogue = ReadonlyMap<string, StepKind>;

type Described = Readonly<Record<string, unknown>>;

/** Read the steps of a catalogue: an object of JSON schema whose `oneOf` describes each. */
export function catalogueOf(schema: unknown): Catalogue {
  const listed = asObject(schema).oneOf;
  const kinds = (Array.isArray(listed) ? listed : []).map(kindOf);
  return new Map(kinds.map((kind) => [kind.name, kind]));
}

function kindOf(schema: unknown): StepKind {
  const described = asObject(schema);
  const { name, ...properties } = asObject(described.properties);
  const settings = Object.entries(properties).map(([key, about]) => settingOf(key, asObject(about)));
  return { name: textOf(asObject(name).const), description: textOf(described.description), settings };
}

function settingOf(name: string, about: Described): Setting {
  return { name, control: controlOf(about), default: isValue(about.default) ? about.default : null };
}

/** The first row that fits tells the control; what none knows is asked for as text. */
const CONTROLS: readonly (readonly [(about: Described) => boolean, (about: Described) => Control])[] = [
  [(about) => Array.isArray(about.enum), (about) => ({ kind: "choice", words: (about.enum as unknown[]).map(textOf) })],
  [(about) => about["x-asset"] === true, () => ({ kind: "picture" })],
  [(about) => about["x-length"] === true, () => ({ kind: "length" })],
  [(about) => "x-model" in about, (about) => ({ kind: "model", of: textOf(about["x-model"]) })],
  [(about) => about.format === "color", () => ({ kind: "color" })],
  [(about) => about.type === "boolean", () => ({ kind: "switch" })],
  [(about) => about.type === "number" || about.type === "integer", numberOf],
];

function controlOf(about: Described): Control {
  return CONTROLS.find(([fits]) => fits(about))?.[1](about) ?? { kind: "text" };
}

function numberOf(about: Described): Control {
  const low = typeof about.minimum === "number" ? about.minimum : 0;
  const high = typeof about.maximum === "number" ? about.maximum : 100;
  return { kind: "number", low, high, whole: about.type === "integer", unit: textOf(about["x-unit"]) };
}

/** A length, "2%" or "30px", as a number and a unit; what is written otherwise counts as 0 %. */
export function lengthOf(value: Value): { readonly number: number; readonly unit: "px" | "%" } {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(px|%)?\s*$/.exec(String(value));
  return match ? { number: Number(match[1]), unit: match[2] === "%" ? "%" : "px" } : { number: 0, unit: "%" };
}

/** Make a step of a kind with every setting that has a default; those that must be given are taken from `given`. */
export function stepOf(kind: StepKind, given: Readonly<Record<string, Value>> = {}): Step {
  const settings: Record<string, Value> = {};
  for (const { name, default: usual } of kind.settings) {
    const value = given[name] ?? usual;
    if (value !== null) settings[name] = value;
  }
  return { ...settings, name: kind.name };
}

function asObject(value: unknown): Described {
  return typeof value === "object" && value !== null ? (value as Described) : {};
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function isValue(value: unknown): value is Value {
  return ["string", "number", "boolean"].includes(typeof value);
}
