/** Tells those who asked of what happened. */
export class Events<Kinds> {
  readonly #listeners = new Map<keyof Kinds, Set<(event: never) => void>>();

  /** Listen; the function that comes back ends it. */
  on<Kind extends keyof Kinds>(kind: Kind, listener: (event: Kinds[Kind]) => void): () => void {
    const listeners = this.#listeners.get(kind) ?? new Set();
    this.#listeners.set(kind, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  emit<Kind extends keyof Kinds>(kind: Kind, event: Kinds[Kind]): void {
    for (const listener of [...(this.#listeners.get(kind) ?? [])]) (listener as (event: Kinds[Kind]) => void)(event);
  }

  clear(): void {
    this.#listeners.clear();
  }
}
