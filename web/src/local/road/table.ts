/** A model's table, as `/v1/service` states it or the static build wrote it: checked, with the defaults of tables.py. */

import { LocalFailure } from "../failures";
import type { Filter } from "./kernels";

/** What a network takes: an RGB picture (1, 3, h, w) float32, `(rgb / scale − mean) / std`. */
export interface Input {
  readonly size: readonly [number, number];
  readonly fit: "stretch" | "letterbox";
  readonly filter: Filter;
  readonly exact: boolean;
  readonly scale: "unit" | "peak";
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
  readonly name: string | null;
}

/** What a network answers: one plane (1, 1, h, w), and what it says of its answer. */
export interface Output {
  readonly squash: "none" | "sigmoid";
  readonly stretch: boolean;
  readonly name: string | null;
  readonly error: string | null;
  readonly subject: string | null;
  readonly calibration: readonly (readonly [number, number])[];
}

export interface Table {
  readonly input: Input;
  readonly output: Output;
}

type Given = Readonly<Record<string, unknown>>;

/** Reads a table; throws `LocalFailure("badModel")` where this page cannot run what it describes. */
export function tableOf(input: unknown, output: unknown): Table {
  return { input: inputOf(object(input, "input")), output: outputOf(object(output ?? {}, "output")) };
}

function inputOf(given: Given): Input {
  oneOf(given, "color", ["srgb"]); // browsers give no others
  return {
    size: numbers(given, "size", 2) as readonly [number, number],
    fit: oneOf(given, "fit", ["stretch", "letterbox"]),
    filter: oneOf(given, "filter", ["bicubic", "bilinear", "lanczos"]),
    exact: oneOf(given, "exact", [false, true]),
    scale: oneOf(given, "scale", ["unit", "peak"]),
    mean: numbers(given, "mean", 3) as readonly [number, number, number],
    std: numbers(given, "std", 3) as readonly [number, number, number],
    name: word(given, "name"),
  };
}

function outputOf(given: Given): Output {
  const points = given.calibration ?? [];
  if (!Array.isArray(points)) throw bad("calibration");
  return {
    squash: oneOf(given, "squash", ["none", "sigmoid"]),
    stretch: oneOf(given, "stretch", [false, true]),
    name: word(given, "name"),
    error: word(given, "error"),
    subject: word(given, "subject"),
    calibration: points.map((point) => numbers({ point }, "point", 2) as readonly [number, number]),
  };
}

function object(given: unknown, what: string): Given {
  if (typeof given !== "object" || given === null) throw bad(what);
  return given as Given;
}

/** The first of the choices is the default. */
function oneOf<T extends string | boolean>(given: Given, key: string, choices: readonly [T, ...T[]]): T {
  const value = given[key] ?? choices[0];
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw bad(key);
  return found;
}

function word(given: Given, key: string): string | null {
  const value = given[key] ?? null;
  if (value !== null && typeof value !== "string") throw bad(key);
  return value;
}

function numbers(given: Given, key: string, count: number): readonly number[] {
  const value = given[key];
  const fits = Array.isArray(value) && value.length === count && value.every((n) => Number.isFinite(n));
  if (!fits) throw bad(key);
  return value as number[];
}

function bad(key: string): LocalFailure {
  return new LocalFailure("badModel", { key });
}
