/** Planes of alpha: cut into tiles, halved, read off grey pictures. */

import type { AlphaPlane, Rect, Size } from "./types";

/**
 * Take a part of a plane at a smaller size, each pixel the mean of those it stands for, as white that is as opaque.
 *
 * Returns (height, width, 4) RGBA, straight.
 */
export function whiteOf(plane: AlphaPlane, part: Rect, size: Size): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(size.width * size.height * 4).fill(255);
  const edges = (start: number, length: number, count: number): number[] =>
    Array.from({ length: count + 1 }, (_, index) => Math.floor(start + (index * length) / count));
  const [columns, rows] = [edges(part.x, part.width, size.width), edges(part.y, part.height, size.height)];
  for (let y = 0; y < size.height; y++) {
    const top = rows[y] ?? 0;
    const bottom = Math.max(top + 1, rows[y + 1] ?? 0);
    for (let x = 0; x < size.width; x++) {
      const left = columns[x] ?? 0;
      const right = Math.max(left + 1, columns[x + 1] ?? 0);
      pixels[(y * size.width + x) * 4 + 3] = meanOf(plane, left, top, right, bottom);
    }
  }
  return pixels;
}

/** Take the first channel of RGBA pixels as a plane. */
export function planeOf(pixels: Uint8ClampedArray, size: Size): AlphaPlane {
  const data = new Uint8Array(size.width * size.height);
  for (let index = 0; index < data.length; index++) data[index] = pixels[index * 4] ?? 0;
  return { width: size.width, height: size.height, data };
}

function meanOf({ data, width }: AlphaPlane, left: number, top: number, right: number, bottom: number): number {
  let sum = 0;
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) sum += data[y * width + x] ?? 0;
  }
  return sum / ((right - left) * (bottom - top));
}
