/* eslint-disable @typescript-eslint/no-non-null-assertion -- every index lies within its plane by construction */
/** Reducing pictures to 8 bits, to the values of Pillow's `reduce` and `resize`; see `raster/resample.py`. */

import type { Image8 } from "./image";
import { taps, type Filter, type Taps } from "./kernels";

/** A picture is first reduced by whole-number boxes to no less than this many times the size wanted. */
const GAP = 2;

/** Bits after the point of a weight, which is a whole number as Pillow's is. */
const BITS = 22;

/** Resizes a picture, cheaply when it becomes much smaller; Pillow's `resize(reducing_gap=2)`. */
export function reduced(image: Image8, width: number, height: number, filter: Filter): Image8 {
  const fx = Math.max(1, Math.floor(image.width / width / GAP));
  const fy = Math.max(1, Math.floor(image.height / height / GAP));
  const small = boxReduced(image, fx, fy);
  const across = taps(small.width, width, filter, 0, Math.fround(image.width / fx));
  const down = taps(small.height, height, filter, 0, Math.fround(image.height / fy));
  return savesMoreDown(small, width, height)
    ? acrossed(downed(small, down), across)
    : downed(acrossed(small, across), down);
}

/** Resizes a picture from every pixel, across first; `filtered` in Python. */
export function filtered(image: Image8, width: number, height: number, filter: Filter): Image8 {
  return downed(acrossed(image, taps(image.width, width, filter)), taps(image.height, height, filter));
}

/** Averages boxes of fx × fy pixels; the last ones may be partial. */
export function boxReduced(image: Image8, fx: number, fy: number): Image8 {
  if (fx === 1 && fy === 1) return image;
  const { channels } = image;
  const width = Math.ceil(image.width / fx);
  const height = Math.ceil(image.height / fy);
  const data = new Uint8Array(width * height * channels);
  const sums = new Float64Array(width * channels);
  for (let y = 0; y < height; y++) {
    const bottom = Math.min((y + 1) * fy, image.height);
    sums.fill(0);
    for (let row = y * fy; row < bottom; row++) addRow(image, row, fx, sums);
    for (let x = 0; x < width; x++) {
      const count = (Math.min((x + 1) * fx, image.width) - x * fx) * (bottom - y * fy);
      for (let c = 0; c < channels; c++) {
        data[(y * width + x) * channels + c] = mean(sums[x * channels + c]!, count);
      }
    }
  }
  return { width, height, channels, data };
}

function addRow(image: Image8, row: number, fx: number, sums: Float64Array): void {
  const { channels, data, width } = image;
  let from = row * width * channels;
  for (let left = 0, to = 0; left < width; left += fx, to += channels) {
    const end = from + Math.min(fx, width - left) * channels;
    while (from < end) for (let c = 0; c < channels; c++) sums[to + c]! += data[from++]!;
  }
}

/** Pillow multiplies by a reciprocal of 24 bits, which rounds a little differently from a division. */
function mean(sum: number, count: number): number {
  const reciprocal = Math.floor(2 ** 32 / (256 * count));
  return Math.floor(((sum + Math.floor(count / 2)) * reciprocal) / 2 ** 24);
}

/** Pillow 13 goes down first where that drops many more rows than columns; the rule was found by trying sizes. */
function savesMoreDown(image: Image8, width: number, height: number): boolean {
  return image.height > height && image.height - height > 2 * (image.width - width);
}

function wholes(weights: Float64Array): Int32Array {
  return Int32Array.from(weights, (weight) => Math.trunc(weight * 2 ** BITS + (weight < 0 ? -0.5 : 0.5)));
}

function acrossed(image: Image8, { firsts, counts, weights, most }: Taps): Image8 {
  const { channels, data, height } = image;
  const width = firsts.length;
  const result = new Uint8ClampedArray(width * height * channels);
  const whole = wholes(weights);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * image.width + firsts[x]!) * channels;
      for (let c = 0; c < channels; c++) {
        let sum = 1 << (BITS - 1);
        for (let k = 0; k < counts[x]!; k++) sum += data[from + k * channels + c]! * whole[x * most + k]!;
        result[to++] = sum >> BITS;
      }
    }
  }
  return { width, height, channels, data: result };
}

function downed(image: Image8, { firsts, counts, weights, most }: Taps): Image8 {
  const { channels, data, width } = image;
  const height = firsts.length;
  const line = width * channels;
  const result = new Uint8ClampedArray(line * height);
  const whole = wholes(weights);
  for (let y = 0; y < height; y++) {
    const from = firsts[y]! * line;
    for (let x = 0; x < line; x++) {
      let sum = 1 << (BITS - 1);
      for (let k = 0; k < counts[y]!; k++) sum += data[from + k * line + x]! * whole[y * most + k]!;
      result[y * line + x] = sum >> BITS;
    }
  }
  return { width, height, channels, data: result };
}
