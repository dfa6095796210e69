/** What goes over the wire of /v1, as the server writes and reads it. */

export type Value = boolean | number | string;

/** One effect or refinement: its name and its settings. */
export type Step = { readonly name: string } & Readonly<Record<string, Value>>;

/** A brush stroke: points in shares of width and height, the radius one of the longer side. */
export interface Stroke {
  readonly points: readonly (readonly [number, number])[];
  readonly radius: number;
  readonly keep: boolean;
}

/** What to do to a picture. A field that is absent is the server's choice. */
export interface Recipe {
  readonly model?: string;
  readonly refine?: readonly Step[];
  readonly strokes?: readonly Stroke[];
  readonly opaque?: boolean;
  readonly foreground?: string;
  readonly effects?: readonly Step[];
  readonly format?: string;
  readonly quality?: number;
  readonly keep_metadata?: boolean;
  readonly [other: string]: unknown;
}

export interface Limits {
  readonly max_bytes: number;
  readonly max_pixels: number;
  readonly max_files: number;
  readonly workers: number;
  readonly waiting: number;
}

/** What a server that can run in the browser alone hands to the page for it. */
export interface LocalInfo {
  readonly runtime: string;
  readonly model: string;
  readonly [other: string]: unknown;
}

export interface ServiceInfo {
  readonly version: string;
  readonly limits: Limits;
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  readonly model: string;
  readonly urls: boolean;
  readonly feedback: boolean;
  readonly edits: { readonly kept: number; readonly seconds: number };
  readonly local: LocalInfo | null;
}

export interface ModelInfo {
  readonly name: string;
  readonly title: string;
  readonly kind: string;
  readonly license: string;
  readonly commercial: boolean;
  readonly default: boolean;
}

export type Box = readonly [number, number, number, number];

/** A picture kept by the server for a while, together with what the network said of it. */
export interface Edit {
  readonly id: string;
  readonly size: readonly [number, number];
  readonly preview: readonly [number, number];
  readonly box: Box | null;
  readonly confidence: number;
  readonly notes: readonly string[];
  readonly expires_in: number;
}

/** A picture that was cut, and what the server told of it. */
export interface Result {
  readonly blob: Blob;
  readonly model: string;
  /** How far to trust it, 0 to 1; null where nothing was told. */
  readonly confidence: number | null;
}

export interface Feedback {
  readonly rating: "up" | "down";
  readonly reasons: readonly string[];
  readonly model: string;
  readonly text?: string;
}

/** Pictures that a recipe names, by those names. */
export type Assets = ReadonlyMap<string, Blob>;
