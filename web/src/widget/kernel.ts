/** What the kernel and a view of the studio say to each other. The other side is src/cleancut/apps/notebook/talk.py. */

import type { Recipe } from "../api/types";
import type { Stroke } from "../canvas";

/** A model as anywidget hands it over: what it has, and messages. */
export interface Model {
  get(name: string): unknown;
  send(content: unknown, callbacks?: undefined, buffers?: readonly ArrayBuffer[]): unknown;
  on(name: string, listener: (...told: never[]) => void): void;
  off(name: string, listener: (...told: never[]) => void): void;
}

export type State = "waiting" | "working" | "done" | "failed";

export interface Item {
  readonly id: string;
  readonly name: string;
  readonly state: State;
  /** Whether the kernel has it, so that it may try again. */
  readonly kept: boolean;
  readonly error: string;
  readonly size?: readonly [number, number];
  readonly confidence?: number;
  readonly notes?: readonly string[];
}

export interface ModelInfo {
  readonly name: string;
  readonly title: string;
  readonly kind: string;
  readonly license: string;
  readonly here: boolean;
}

/** What there is to choose from. */
export interface About {
  readonly version: string;
  readonly effects: unknown;
  readonly refine: unknown;
  readonly models: readonly ModelInfo[];
  readonly finding: readonly string[];
  readonly writes: readonly string[];
  readonly chunk: number;
  readonly accepts: string;
}

/** The recipe of all pictures, and which wish of which view made it so. */
export interface Standing {
  readonly recipe: Recipe;
  readonly by: string;
}

/** Says of the kernel, by kind; buffers come beside them. */
export interface Said {
  /** Every message is answered by this at least. */
  heard: { readonly view: string; readonly turn: number };
  welcome: { readonly view: string };
  thumb: { readonly id: string };
  marked: { readonly id: string };
  go: { readonly view: string; readonly turn: number; readonly upload: string };
  refused: { readonly view: string; readonly turn: number; readonly sentence: string; readonly full: boolean };
  got: { readonly view: string; readonly turn: number; readonly offset: number } & Partial<
    Record<"id" | "asset", string>
  >;
  shown: {
    readonly view: string;
    readonly turn: number;
    readonly id: string;
    readonly whole: boolean;
    readonly strokes: readonly Stroke[];
  };
  unshown: { readonly view: string; readonly turn: number; readonly id: string; readonly sentence: string };
  made: {
    readonly view: string;
    readonly turn: number;
    readonly name: string;
    readonly type: string;
    readonly size: number;
  };
  unmade: { readonly view: string; readonly turn: number; readonly id: string; readonly sentence: string };
  piece: { readonly view: string; readonly turn: number; readonly offset: number };
  problem: {
    readonly asked: { readonly kind: string | null; readonly view: string | null; readonly turn: number | null };
    readonly sentence: string;
  };
}

export type Kind = keyof Said;

/** Bytes as they come: a view of the message, or all of it. */
export type Bytes = ArrayBuffer | DataView<ArrayBuffer>;
