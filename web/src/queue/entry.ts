import { signal, type Signal } from "@preact/signals";
import type { Source } from "../api/client";
import type { Header } from "../api/header";
import type { Edit, Recipe, Result } from "../api/types";
import { begun, same, type History } from "./history";

/** Bytes that can be saved, and the recipe they were made by. */
export interface Made {
  readonly recipe: Recipe;
  readonly result: Result;
  readonly where: "server" | "device";
}

/** A picture that a person handed in, and all that became of it. */
export interface Entry {
  readonly id: string;
  readonly name: string;
  readonly source: Source;
  /** Null for what the server fetches by its address. */
  readonly header: Header | null;
  readonly history: Signal<History>;
  readonly made: Signal<Made | null>;
  readonly edit: Signal<Edit | null>;
  readonly saved: Signal<boolean>;
}

export function entryOf(
  id: string,
  name: string,
  source: Source,
  header: Header | null,
  history: History | Recipe,
): Entry {
  const whole = isHistory(history) ? history : begun(history);
  return {
    id,
    name,
    source,
    header,
    history: signal(whole),
    made: signal(null),
    edit: signal(null),
    saved: signal(false),
  };
}

/** The bytes to save, where what was made is what is asked for now. */
export function current(entry: Entry): Made | null {
  const made = entry.made.value;
  return made && same(made.recipe, entry.history.value.now) ? made : null;
}

export function fileOf(entry: Entry): Blob | null {
  return "file" in entry.source ? entry.source.file : null;
}

function isHistory(value: History | Recipe): value is History {
  return "past" in value && "now" in value;
}
