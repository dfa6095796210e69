/* eslint-disable @typescript-eslint/no-non-null-assertion -- every index lies within its plane by construction */
/** How a picture lies in a network's input: the way in and the way back; `Fit` of `raster/resample.py`. */

import type { Image8, Plane } from "./image";
import { taps, type Filter } from "./kernels";
import { filtered, reduced } from "./shrink";
import type { Input } from "./table";

type Pair = readonly [number, number];

/** Where a picture lies in a network's input: (left, top, right, bottom) of `box`; the rest is padding. */
export interface Fit {
  readonly source: Pair;
  readonly size: Pair;
  readonly box: readonly [number, number, number, number];
  readonly filter: Filter;
  readonly exact: boolean;
}

/** Computes rows `top` to `bottom` − 1 of a plane. */
export type ReadRows = (top: number, bottom: number) => Float32Array;

const PADDING = 128;

/** Lays a picture of (width, height) in a network's input as the model's table says. */
export function fitOf(source: Pair, input: Input): Fit {
  const { size, filter, exact } = input;
  const whole: Fit = { source, size, box: [0, 0, ...size], filter, exact };
  if (input.fit === "stretch") return whole;
  const scale = Math.min(size[0] / source[0], size[1] / source[1]);
  const [w, h] = [Math.max(1, halfEven(source[0] * scale)), Math.max(1, halfEven(source[1] * scale))];
  const [left, top] = [Math.floor((size[0] - w) / 2), Math.floor((size[1] - h) / 2)];
  return { ...whole, box: [left, top, left + w, top + h] };
}

/** Rounds as Python and numpy do: a half goes to the even number. */
export function halfEven(value: number): number {
  const low = Math.floor(value);
  return value - low === 0.5 ? low + (low & 1) : Math.round(value);
}

/** Brings a picture to the network's input; the padding is mid-grey, and opaque. */
export function shrunk(image: Image8, fit: Fit): Image8 {
  const [left, top, right, bottom] = fit.box;
  const [width, height] = fit.size;
  const small = (fit.exact ? filtered : reduced)(image, right - left, bottom - top, fit.filter);
  if (small.width === width && small.height === height) return small;
  const { channels } = image;
  const data = new Uint8Array(width * height * channels).fill(PADDING);
  if (channels === 4) for (let p = 3; p < data.length; p += 4) data[p] = 255;
  const line = small.width * channels;
  for (let y = 0; y < small.height; y++) {
    data.set(small.data.subarray(y * line, (y + 1) * line), ((top + y) * width + left) * channels);
  }
  return { width, height, channels, data };
}

/** Brings a plane of the network's output back to the picture's size, a strip of rows at a time, in [0, 1]. */
export function enlarged(plane: Plane, fit: Fit): ReadRows {
  const [left, top, right, bottom] = fit.box;
  const [scaleX, scaleY] = [plane.width / fit.size[0], plane.height / fit.size[1]];
  const wide = widened(plane, fit, left * scaleX, right * scaleX);
  const down = taps(plane.height, fit.source[1], fit.filter, top * scaleY, bottom * scaleY);
  const weights = Float32Array.from(down.weights);
  const [width] = fit.source;
  return (first, last) => {
    const rows = new Float32Array((last - first) * width);
    for (let y = first; y < last; y++) {
      const to = (y - first) * width;
      const [from, count] = [down.firsts[y]! * width, down.counts[y]!];
      for (let x = 0; x < width; x++) {
        let sum = 0;
        for (let k = 0; k < count; k++) sum += weights[y * down.most + k]! * wide[from + k * width + x]!;
        rows[to + x] = sum < 0 ? 0 : sum > 1 ? 1 : sum;
      }
    }
    return rows;
  };
}

/** Enlarges across alone: (h, W). Clipped as 8 bits would be, or corners ring twice. */
function widened(plane: Plane, fit: Fit, start: number, end: number): Float32Array {
  const [width] = fit.source;
  const across = taps(plane.width, width, fit.filter, start, end);
  const weights = Float32Array.from(across.weights);
  const wide = new Float32Array(plane.height * width);
  for (let x = 0; x < width; x++) {
    const [first, count] = [across.firsts[x]!, across.counts[x]!];
    for (let y = 0; y < plane.height; y++) {
      let sum = 0;
      for (let k = 0; k < count; k++) sum += weights[x * across.most + k]! * plane.data[y * plane.width + first + k]!;
      wide[y * width + x] = sum < 0 ? 0 : sum > 1 ? 1 : sum;
    }
  }
  return wide;
}
