import { batch, computed, signal, type ReadonlySignal } from "@preact/signals";
import { admission } from "../api/admission";
import type { Client } from "../api/client";
import type { Problem } from "../api/problem";
import type { Recipe } from "../api/types";
import { entryOf, type Entry } from "../queue/entry";
import { changed, redone, undone, type History } from "../queue/history";
import { withSettingsOf } from "../queue/recipes";
import type { KeptEntry } from "./storage";
import { Works, type Place } from "./works";

/** The table that everything lies on: the pictures that were handed in, which of them is looked at, and their edits. */
export class Bench {
  readonly works: Works;
  readonly chosen: ReadonlySignal<Entry | null>;
  readonly entries: ReadonlySignal<readonly Entry[]>;
  readonly #entries = signal<readonly Entry[]>([]);
  readonly #chosenId = signal("");
  /** The settings that new pictures begin with. */
  #usual: Recipe = {};

  constructor(readonly client: Client) {
    this.works = new Works(client);
    this.entries = this.#entries;
    this.chosen = computed(() => this.#entries.value.find(({ id }) => id === this.#chosenId.value) ?? null);
  }

  /** Take files in, each checked against the server's numbers; one that is refused is shown with the reason. */
  async add(files: readonly File[]): Promise<void> {
    const { service } = await this.#placed();
    for (const file of files) {
      const told = await admission(file, service);
      const name = file.name || "picture";
      const header = "header" in told ? told.header : null;
      this.#put(entryOf(newId(), name, { file, name }, header, this.#usual), "problem" in told ? told.problem : null);
    }
  }

  addUrl(url: string): void {
    this.#put(entryOf(newId(), nameOf(url), { url }, null, this.#usual), null);
  }

  /** Take pictures in again that were kept from last time, with their edits. */
  bringBack(kept: readonly KeptEntry[]): void {
    for (const one of kept) {
      for (const [name, picture] of one.assets) this.works.assets.set(name, picture);
      const source = one.file ? { file: one.file, name: one.name } : { url: one.url };
      const header = one.type ? { type: one.type, size: one.size } : null;
      this.#put(entryOf(one.id, one.name, source, header, one.history), null);
    }
  }

  choose(entry: Entry): void {
    this.#chosenId.value = entry.id;
  }

  /** Go to the next picture or the one before, round and round. */
  step(by: 1 | -1): void {
    const all = this.#entries.peek();
    const at = all.findIndex(({ id }) => id === this.#chosenId.peek());
    const next = all[(at + by + all.length) % all.length];
    if (next) this.choose(next);
  }

  remove(entry: Entry): void {
    const all = this.#entries.peek();
    const at = all.indexOf(entry);
    this.works.drop(entry);
    batch(() => {
      this.#entries.value = all.toSpliced(at, 1);
      if (this.#chosenId.peek() === entry.id) this.#chosenId.value = (all[at + 1] ?? all[at - 1])?.id ?? "";
    });
  }

  clear(): void {
    for (const entry of this.#entries.peek()) this.works.drop(entry);
    batch(() => {
      this.#entries.value = [];
      this.#chosenId.value = "";
    });
  }

  /** Change a recipe; see `changed` for what a gesture is. */
  change(entry: Entry, recipe: Recipe, gesture = ""): void {
    this.#edit(entry, (history) => changed(history, recipe, gesture));
  }

  undo(entry: Entry): void {
    this.#edit(entry, undone);
  }

  redo(entry: Entry): void {
    this.#edit(entry, redone);
  }

  /** Give every other picture the settings of one, and those that are added later too; marks stay where they are. */
  spread(entry: Entry): void {
    this.#usual = withSettingsOf({}, entry.history.peek().now);
    for (const other of this.#entries.peek()) {
      if (other !== entry) this.change(other, withSettingsOf(other.history.peek().now, this.#usual));
    }
  }

  #edit(entry: Entry, next: (history: History) => History): void {
    const before = entry.history.peek();
    entry.history.value = next(before);
    if (entry.history.peek().now !== before.now) this.works.makeSoon(entry);
  }

  #put(entry: Entry, problem: Problem | null): void {
    batch(() => {
      this.#entries.value = [...this.#entries.peek(), entry];
      if (!this.#chosenId.peek()) this.choose(entry);
    });
    if (problem) this.works.queue.add(entry.id, () => Promise.reject(problem));
    else this.works.make(entry);
  }

  /** Pictures may be dropped before the server has told its numbers. */
  #placed(): Promise<Place> {
    return new Promise((resolve) => {
      const end = this.works.place.subscribe((value) => {
        if (!value) return;
        resolve(value);
        queueMicrotask(() => end()); // not before `subscribe` has given it
      });
    });
  }
}

let handedIn = 0;

function newId(): string {
  return `${Date.now().toString(36)}-${(handedIn++).toString(36)}`;
}

function nameOf(url: string): string {
  const path = URL.canParse(url) ? new URL(url).pathname : url;
  return path.split("/").at(-1) ?? "picture";
}
