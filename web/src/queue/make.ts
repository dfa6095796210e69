import type { Call, Client } from "../api/client";
import { isGone, own } from "../api/problem";
import type { Assets, Edit, Recipe, Result } from "../api/types";
import type { Entry } from "./entry";

/** How results and previews of an entry are made on the server. */
export interface Maker {
  /** Give the bytes to save. What the server keeps of the picture is used, so that it is not sent twice. */
  result(entry: Entry, recipe: Recipe, call?: Call): Promise<Result>;
  /** Give the picture at screen size as it will look. */
  preview(entry: Entry, recipe: Recipe, call?: Call): Promise<Blob>;
  /** Let the server forget the picture. */
  forget(entry: Entry): void;
}

/**
 * Make a maker.
 *
 * @param assetsOf gives the pictures that a recipe names.
 * @param allowed whether pictures may be sent at all; asked before each time.
 */
export function createMaker(
  client: Client,
  assetsOf: (recipe: Recipe) => Assets,
  allowed: () => boolean = () => true,
): Maker {
  const opening = new WeakMap<Entry, Promise<Edit>>();

  /** The last gate before the network: whatever asks, and whenever, nothing passes it that may not. */
  function check(): void {
    if (!allowed()) throw own("serverOnly");
  }

  /** Open an edit once, however many ask for it meanwhile; who asks first can cancel it. */
  function opened(entry: Entry, recipe: Recipe, call?: Call): Promise<Edit> {
    const kept = entry.edit.peek();
    if (kept) return Promise.resolve(kept);
    const under = opening.get(entry) ?? open(entry, recipe, call);
    opening.set(entry, under);
    return under;
  }

  async function open(entry: Entry, recipe: Recipe, call?: Call): Promise<Edit> {
    try {
      const edit = await client.open(entry.source, recipe, assetsOf(recipe), call);
      entry.edit.value = edit;
      return edit;
    } finally {
      opening.delete(entry);
    }
  }

  /** Ask of an edit; where the server has dropped it, send the picture again, once. */
  async function asked<T>(entry: Entry, recipe: Recipe, call: Call | undefined, ask: (id: string) => Promise<T>) {
    check();
    const edit = await opened(entry, recipe, call);
    try {
      return await ask(edit.id);
    } catch (error) {
      if (!isGone(error)) throw error;
      if (entry.edit.peek() === edit) entry.edit.value = null;
      return await ask((await opened(entry, recipe, call)).id);
    }
  }

  return {
    async result(entry, recipe, call) {
      check();
      const assets = assetsOf(recipe);
      if (!entry.edit.peek()) return await client.cut(entry.source, recipe, assets, call);
      return await asked(entry, recipe, call, (id) => client.result(id, recipe, assets, call));
    },
    preview: (entry, recipe, call) =>
      asked(entry, recipe, call, (id) => client.preview(id, recipe, assetsOf(recipe), call)),
    forget(entry) {
      const edit = entry.edit.peek();
      entry.edit.value = null;
      // The server drops it by itself soon; that it could not be told changes nothing for anyone.
      if (edit) client.close(edit.id).catch(() => undefined);
    },
  };
}
