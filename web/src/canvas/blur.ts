/** A blurred picture, small: three means over a window are a Gaussian but for three hundredths (Wells 1986). */

import type { Size } from "./types";

const TURNS = 3;

/** Blur opaque RGBA pixels (height, width, 4) by about a Gaussian of `sigma` pixels, in place; edges are repeated. */
export function blur(pixels: Uint8ClampedArray, { width, height }: Size, sigma: number): void {
  const reach = Math.round((Math.sqrt((12 * sigma * sigma) / TURNS + 1) - 1) / 2);
  if (reach < 1) return;
  for (let turn = 0; turn < TURNS; turn++) {
    for (let channel = 0; channel < 3; channel++) {
      for (let y = 0; y < height; y++) means(pixels, y * width * 4 + channel, 4, width, reach);
      for (let x = 0; x < width; x++) means(pixels, x * 4 + channel, width * 4, height, reach);
    }
  }
}

/** Replace each value of a line by the mean of those up to `reach` from it. */
function means(values: Uint8ClampedArray, first: number, step: number, count: number, reach: number): void {
  const line = Uint8ClampedArray.from({ length: count }, (_, index) => values[first + index * step] ?? 0);
  const at = (index: number): number => line[Math.min(count - 1, Math.max(0, index))] ?? 0;
  let sum = 0;
  for (let index = -reach; index <= reach; index++) sum += at(index);
  for (let index = 0; index < count; index++) {
    values[first + index * step] = sum / (2 * reach + 1);
    sum += at(index + reach + 1) - at(index - reach);
  }
}
