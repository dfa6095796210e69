import type { Recipe } from "../api/types";

/** Every state that an edit went through; pure data, so that it can be kept and loaded again. */
export interface History {
  readonly past: readonly Recipe[];
  readonly now: Recipe;
  readonly future: readonly Recipe[];
  /** What the last change was made with; the next one made with the same takes its place. */
  readonly gesture: string;
}

export function begun(now: Recipe): History {
  return { past: [], now, future: [], gesture: "" };
}

/**
 * Change the recipe.
 *
 * @param gesture names a drag of one slider, say, whose many values shall be one step of undo; "" is a step of its own.
 */
export function changed(history: History, now: Recipe, gesture = ""): History {
  if (same(history.now, now)) return history;
  const goesOn = gesture !== "" && gesture === history.gesture;
  const past = goesOn ? history.past : [...history.past, history.now];
  return { past, now, future: [], gesture };
}

export function undone(history: History): History {
  const now = history.past.at(-1);
  if (!now) return history;
  return { past: history.past.slice(0, -1), now, future: [history.now, ...history.future], gesture: "" };
}

export function redone(history: History): History {
  const [now, ...future] = history.future;
  if (!now) return history;
  return { past: [...history.past, history.now], now, future, gesture: "" };
}

/** Whether two recipes ask for the same, whatever the order their fields were stated in. */
export function same(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

/** Write plain data so that equal data are equal text. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
