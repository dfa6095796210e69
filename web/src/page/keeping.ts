import { effect, signal } from "@preact/signals";
import type { Entry } from "../queue/entry";
import { fileOf } from "../queue/entry";
import type { History } from "../queue/history";
import { assetNames } from "../queue/recipes";
import type { Bench } from "./bench";
import { openShelf, type KeptEdits, type KeptEntry, type Shelf } from "./storage";

/** Whether edits are kept for next time: not yet known, kept, refused by the browser, or out of room. */
export type Keeping = "unknown" | "kept" | "refused" | "full";

const PAUSE_MS = 400;

/** Keeps pictures and their edits in the browser until they are cleared, so that a closed tab loses nothing. */
export class Keeper {
  readonly keeping = signal<Keeping>("unknown");
  /** What is there from last time and was not taken or discarded yet. */
  readonly found = signal<readonly KeptEntry[]>([]);
  #shelf: Shelf | null = null;
  #order = 0;
  readonly #following = new Map<string, () => void>();

  constructor(private readonly bench: Bench) {}

  /** Open the shelf and follow every picture from then on. */
  async start(open: () => Promise<Shelf> = openShelf): Promise<void> {
    try {
      this.#shelf = await open();
      this.found.value = await this.#shelf.all();
      this.keeping.value = "kept";
    } catch (error) {
      if (!(error instanceof DOMException) && !(error instanceof TypeError)) throw error;
      this.keeping.value = "refused";
    }
    effect(() => this.#follow(this.bench.entries.value));
  }

  bringBack(): void {
    const found = this.found.peek();
    this.found.value = [];
    this.bench.bringBack(found);
  }

  discard(): void {
    const found = this.found.peek();
    this.found.value = [];
    for (const { id } of found) this.#tried((shelf) => shelf.delete(id));
  }

  #follow(entries: readonly Entry[]): void {
    const there = new Set(entries.map(({ id }) => id));
    for (const [id, end] of this.#following) {
      if (there.has(id)) continue;
      end();
      this.#following.delete(id);
      this.#tried((shelf) => shelf.delete(id));
    }
    for (const entry of entries) {
      if (!this.#following.has(entry.id)) this.#following.set(entry.id, this.#keep(entry));
    }
  }

  /** Write a picture once, and its edits whenever they change. */
  #keep(entry: Entry): () => void {
    const { id, name, source, header } = entry;
    const url = "url" in source ? source.url : "";
    const about = { type: header?.type ?? "", size: header?.size ?? null };
    const order = this.#order++;
    this.#tried((shelf) => shelf.putPicture({ id, order, name, file: fileOf(entry), url, ...about }));
    let timer: ReturnType<typeof setTimeout> | undefined;
    const end = effect(() => {
      const history = entry.history.value;
      clearTimeout(timer);
      timer = setTimeout(() => this.#tried((shelf) => shelf.putEdits(this.#written(entry, history))), PAUSE_MS);
    });
    return () => {
      clearTimeout(timer);
      end();
    };
  }

  #written(entry: Entry, history: History): KeptEdits {
    const effects = this.bench.works.place.peek()?.catalogues.effects ?? new Map<string, never>();
    const names = [...history.past, history.now, ...history.future].flatMap((recipe) => assetNames(recipe, effects));
    const assets = [...new Set(names)].flatMap((asset): [string, Blob][] => {
      const picture = this.bench.works.assets.get(asset);
      return picture ? [[asset, picture]] : [];
    });
    return { id: entry.id, history, assets };
  }

  #tried(work: (shelf: Shelf) => Promise<void>): void {
    if (!this.#shelf) return;
    work(this.#shelf).catch((error: unknown) => {
      if (!(error instanceof DOMException)) throw error;
      this.keeping.value = "full";
    });
  }
}
