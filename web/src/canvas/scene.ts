/** What is shown: the pictures, where each lies, and what lies behind them. */

import type { Pixels } from "./pixels";
import type { Mode, Rect, Size } from "./types";
import { around } from "./view";

/** A picture, and where it lies in the pixels of the source; null over all of it. */
export interface Layer {
  readonly pixels: Pixels;
  readonly placed: Rect | null;
}

/** A result: its own pixels, or alpha that cuts the source. */
export interface Cut extends Layer {
  readonly kind: "result" | "alpha";
}

export type Backdrop =
  | { readonly kind: "checkerboard" }
  | { readonly kind: "color"; readonly color: string }
  | { readonly kind: "picture"; readonly pixels: Pixels };

export interface Scene {
  source: Layer | null;
  a: Cut | null;
  b: Cut | null;
  backdrop: Backdrop;
  mode: Mode;
  /** Share of what is shown that is before, from where reading begins. */
  split: number;
}

/** What is drawn on where there is no picture. */
export const NOTHING: Size = { width: 1, height: 1 };

/** The size in whose pixels everything lies: the source's, or the result's if there is no source. */
export function sizeOf(scene: Scene): Size {
  return scene.source?.pixels ?? scene.a?.pixels ?? scene.b?.pixels ?? NOTHING;
}

export function placeOf(scene: Scene, layer: Layer): Rect {
  const { width, height } = sizeOf(scene);
  return layer.placed ?? { x: 0, y: 0, width, height };
}

/** What "the whole picture" is in a mode: a result may be cropped, or lie on a larger canvas. */
export function frameOf(scene: Scene): Rect {
  const shown: Record<Mode, readonly (Layer | null)[]> = {
    source: [scene.source],
    result: [scene.a],
    alpha: [scene.a],
    compare: [scene.source, scene.a],
    side: [scene.a, scene.b],
  };
  const layers = shown[scene.mode].filter((layer): layer is Layer => layer !== null);
  const { width, height } = sizeOf(scene);
  return around(layers.map((layer) => placeOf(scene, layer))) ?? { x: 0, y: 0, width, height };
}
