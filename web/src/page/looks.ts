import { effect, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import { isAbort, problemFrom, type Problem } from "../api/problem";
import type { Recipe } from "../api/types";
import type { Entry } from "../queue/entry";
import { same } from "../queue/history";
import { bare } from "../queue/recipes";
import type { Bench } from "./bench";
import { sent } from "./works";

/** What the person is at: edges are corrected on the source's own canvas, everything else is shown as it will be. */
export type Tab = "background" | "edges" | "file";

/** A picture to show, and whether its pixels are those that will be saved. */
export interface Look {
  readonly entry: Entry;
  readonly blob: Blob;
  readonly recipe: Recipe;
  readonly kind: "full" | "preview" | "quick";
}

/**
 * What is shown of the chosen picture: the full result where it is what is asked for, else a preview from the server.
 *
 * Previews are asked for one at a time, always for the newest state, so that a slider that is dragged is followed as
 * fast as the server can and never floods it.
 */
export class Looks {
  readonly tab: Signal<Tab> = signal("background");
  readonly look: ReadonlySignal<Look | null>;
  readonly busy: ReadonlySignal<boolean>;
  readonly problem: ReadonlySignal<Problem | null>;
  readonly #look = signal<Look | null>(null);
  readonly #busy = signal(false);
  readonly #problem = signal<Problem | null>(null);
  #wanted: { readonly entry: Entry; readonly recipe: Recipe } | null = null;
  #asking = false;

  constructor(private readonly bench: Bench) {
    this.look = this.#look;
    this.busy = this.#busy;
    this.problem = this.#problem;
  }

  /** Follow what is chosen and how it is edited; returns what ends it. */
  follow(): () => void {
    return effect(() => {
      const entry = this.bench.chosen.value;
      if (!entry) {
        this.#show(null);
        return;
      }
      const { now } = entry.history.value;
      const recipe = this.tab.value === "edges" ? bare(now) : now;
      this.#want(entry, recipe, this.#known(entry, recipe));
    });
  }

  /** What is there already for a recipe, on either way. */
  #known(entry: Entry, recipe: Recipe): Look | null {
    const made = entry.made.value;
    if (made && looksSame(made.recipe, recipe)) return { entry, recipe, blob: made.result.blob, kind: "full" };
    const quick = this.bench.works.quick.value.get(entry.id);
    return quick && !made ? { entry, recipe, blob: quick, kind: "quick" } : null;
  }

  #want(entry: Entry, recipe: Recipe, known: Look | null): void {
    const shown = this.#look.peek();
    this.#problem.value = null;
    if (known) this.#show(known);
    else if (shown?.entry !== entry) this.#show(null);
    this.#wanted = null;
    // Before the first result there is nothing to preview: it is on its way.
    if (known || !entry.made.value || this.bench.works.deviceOnly.value) return;
    if (shown?.entry === entry && looksSame(shown.recipe, recipe)) return;
    this.#wanted = { entry, recipe };
    void this.#ask();
  }

  async #ask(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    this.#busy.value = true;
    while (this.#wanted) {
      const { entry, recipe } = this.#wanted;
      this.#wanted = null;
      await this.#askFor(entry, recipe);
    }
    this.#asking = false;
    this.#busy.value = false;
  }

  async #askFor(entry: Entry, recipe: Recipe): Promise<void> {
    try {
      const blob = await this.bench.works.maker.preview(entry, sent(recipe));
      const overtaken = this.#look.peek()?.kind === "full" && looksSame(this.#look.peek()?.recipe, recipe);
      if (this.bench.chosen.peek() === entry && !overtaken) this.#show({ entry, blob, recipe, kind: "preview" });
    } catch (error) {
      if (isAbort(error) || this.bench.chosen.peek() !== entry) return;
      const problem = problemFrom(error);
      // Where the server is busy or away, the queue waits and brings the result itself.
      if (problem.retryAfter === null && problem.code !== "offline") this.#problem.value = problem;
    }
  }

  #show(look: Look | null): void {
    this.#look.value = look;
  }
}

/** Whether two recipes look the same on the screen: the file's format does not matter there. */
function looksSame(a: Recipe | undefined, b: Recipe): boolean {
  if (!a) return false;
  const plain = ({ format, quality, keep_metadata, ...rest }: Recipe) => ({
    ...rest,
    effects: rest.effects ?? [],
    strokes: rest.strokes ?? [],
  });
  return same(plain(a), plain(b));
}
