/** A point, in the pixels of the picture unless said otherwise. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Rect extends Point, Size {}

/**
 * A mark as a recipe writes it: a line of points in shares of width and height, from 0 to 1, and a radius that is a share
 * of the longer side, above 0 and up to 0.5. Later strokes lie over earlier ones.
 */
export interface Stroke {
  readonly points: readonly (readonly [number, number])[];
  readonly radius: number;
  readonly keep: boolean;
}

/** What can be shown. A bitmap stays the caller's and must stay open; a blob is decoded when its pixels are needed. */
export type Picture = Blob | ImageBitmap;

/** Alpha in 8 bits, row by row. */
export interface AlphaPlane extends Size {
  readonly data: Uint8Array | Uint8ClampedArray;
}

/** What lies behind a cutout. `radius` of the blur is a share of the longer side. */
export type Background =
  | { readonly kind: "checkerboard" }
  | { readonly kind: "color"; readonly color: string }
  | { readonly kind: "picture"; readonly picture: Picture }
  | { readonly kind: "blur"; readonly radius?: number };

export type Mode = "source" | "result" | "compare" | "alpha" | "side";

export type Tool = "pan" | "brush" | "eraser" | "lasso" | "box";

/**
 * The brush. A stroke of a recipe has no hardness: what is marked is the core, `hardness` of the radius, and the rim
 * around it is left for the refinement to decide.
 */
export interface Brush {
  /** Share of the picture's longer side, above 0 and up to 0.5. */
  readonly radius: number;
  /** From 0.1 to 1. */
  readonly hardness: number;
  /** Whether a pen's pressure makes the line thinner. */
  readonly pressure: boolean;
  /** Whether it marks what to keep, or what to remove. */
  readonly keep: boolean;
}

/** Which of two results: what the page works on, and what is compared with it side by side. */
export type Side = "a" | "b";

export interface ViewState {
  /** Device pixels along a pixel of the picture. */
  readonly scale: number;
  /** Whether the whole picture is in view and stays so when the element's size changes. */
  readonly fitted: boolean;
}

export type Cause = "draw" | "erase" | "undo" | "redo" | "clear";

export interface StageEvents {
  /** The strokes changed by hand; `added` are the new ones. */
  stroke: { readonly strokes: readonly Stroke[]; readonly added: readonly Stroke[]; readonly cause: Cause };
  view: ViewState;
  tool: { readonly tool: Tool; readonly brush: Brush };
  mode: { readonly mode: Mode };
  split: { readonly share: number };
  /** A mark was not taken, as a recipe holds no more strokes or points. */
  refused: { readonly reason: "strokes" | "points" };
  /** Undo or redo was asked for, and the page keeps the history. */
  history: { readonly move: "undo" | "redo" };
  /** Pixels could not be made after the picture was taken in, for want of memory most likely. */
  failed: { readonly error: unknown };
}
