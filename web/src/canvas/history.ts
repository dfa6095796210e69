/**
 * Undo and redo without limit, over states of any kind: strokes here, whole recipes on the page.
 *
 * A history is a value. What was shares its links with what is, so a step costs one link however long the history is.
 */

interface Link<T> {
  readonly state: T;
  readonly next: Link<T> | null;
}

export interface History<T> {
  readonly present: T;
  readonly past: Link<T> | null;
  readonly future: Link<T> | null;
}

export function begun<T>(present: T): History<T> {
  return { present, past: null, future: null };
}

/** Go on to a new state; what was undone is forgotten. The very state that is there already is no step. */
export function done<T>(history: History<T>, state: T): History<T> {
  if (state === history.present) return history;
  return { present: state, past: { state: history.present, next: history.past }, future: null };
}

/** Put another state in place of this one, as when a slider is still being dragged. */
export function amended<T>(history: History<T>, state: T): History<T> {
  return { present: state, past: history.past, future: null };
}

/** Go one step back; at the beginning, stay. */
export function undone<T>(history: History<T>): History<T> {
  if (!history.past) return history;
  return {
    present: history.past.state,
    past: history.past.next,
    future: { state: history.present, next: history.future },
  };
}

/** Go one step forward again; at the end, stay. */
export function redone<T>(history: History<T>): History<T> {
  if (!history.future) return history;
  return {
    present: history.future.state,
    past: { state: history.present, next: history.past },
    future: history.future.next,
  };
}

export function canUndo(history: History<unknown>): boolean {
  return history.past !== null;
}

export function canRedo(history: History<unknown>): boolean {
  return history.future !== null;
}
