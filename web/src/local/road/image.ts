/** Planes of pixels, and how they are cut into strips. */

/** Pixels of 8 bits a channel: rows from the top, `channels` values a pixel. */
export interface Image8 {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Uint8Array | Uint8ClampedArray;
}

/** Numbers in [0, 1], rows from the top. */
export interface Plane {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

const STRIP_PIXELS = 1 << 18;

/** Cuts `height` rows of `width` pixels into strips (top, bottom), as `raster/rows.py` does. */
export function strips(height: number, width: number): [number, number][] {
  const step = Math.max(1, Math.floor(STRIP_PIXELS / width));
  const parts: [number, number][] = [];
  for (let top = 0; top < height; top += step) parts.push([top, Math.min(top + step, height)]);
  return parts;
}
