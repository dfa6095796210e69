/* eslint-disable @typescript-eslint/no-non-null-assertion -- every index lies within its plane by construction */
/**
 * Colours of foreground and background everywhere, from where they are known; `matting/colors/pyramid.py`.
 *
 * A level holds the normal equations of I = αF + (1 − α)B for F and B constant in each block. They add up towards
 * coarser levels as means do, and each level is solved held to the coarser one's answer.
 */

import type { Image8 } from "./image";
import { boxReduced } from "./shrink";

/** Pixels along a side of the finest level's blocks. */
export const SIDE = 8;

/** What a soft pixel counts against an opaque or a clear one: its α may be wrong, theirs hardly. */
const SOFT = Math.fround(0.01);

/** What the coarser level's answer counts, in opaque pixels. */
const COARSER = 2;

/** Sums over a block: α², α(1 − α), (1 − α)², then αI and (1 − α)I by channel. */
const SUMS = 9;
const [FF, FB, BB, F, B] = [0, 1, 2, 3, 6];

interface Level {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/** F and B on a grid of blocks, six numbers each, 0 to 255. */
export type Colors = Level;

/** Estimates F and B from an RGBA picture and its written alpha of one channel. */
export function colors(picture: Image8, opacity: Image8): Colors {
  const levels = [sums(picture, opacity)];
  for (let last = levels[0]!; Math.max(last.width, last.height) > 1; levels.push(last)) last = halved(last);
  const top = levels.at(-1)!.data;
  const weight = top[FF]! + 2 * top[FB]! + top[BB]!;
  const mean = [0, 1, 2].map((c) => (top[F + c]! + top[B + c]!) / weight);
  let grid: Level = { width: 1, height: 1, data: Float32Array.from([...mean, ...mean]) };
  for (const level of levels.reverse()) grid = solved(level, grid);
  return grid;
}

/** Interpolates F and B at a pixel into `found`, six numbers. */
export function colorsAt({ width, height, data }: Colors, x: number, y: number, found: Float32Array): void {
  const [atX, atY] = [within((x + 0.5) / SIDE - 0.5, width), within((y + 0.5) / SIDE - 0.5, height)];
  const [left, top] = [Math.floor(atX), Math.floor(atY)];
  const [across, down] = [atX - left, atY - top];
  const right = Math.min(left + 1, width - 1);
  const upper = top * width;
  const lower = Math.min(top + 1, height - 1) * width;
  for (let c = 0; c < 6; c++) {
    const [a, b] = [data[(upper + left) * 6 + c]!, data[(upper + right) * 6 + c]!];
    const [d, e] = [data[(lower + left) * 6 + c]!, data[(lower + right) * 6 + c]!];
    const above = a + (b - a) * across;
    found[c] = above + (d + (e - d) * across - above) * down;
  }
}

function within(at: number, count: number): number {
  return Math.min(Math.max(at, 0), count - 1);
}

/** Sums up the finest level; a block that sticks out of the picture counts as whole. */
function sums(picture: Image8, opacity: Image8): Level {
  const mean = boxReduced(picture, SIDE, SIDE);
  const cover = boxReduced(opacity, SIDE, SIDE);
  const { width, height } = cover;
  const data = new Float32Array(width * height * SUMS);
  for (let block = 0; block < width * height; block++) {
    const opaque = cover.data[block] === 255;
    const to = block * SUMS;
    if (!opaque && cover.data[block] !== 0) {
      addBlock(picture, opacity, block % width, Math.floor(block / width), data.subarray(to, to + SUMS));
      continue;
    }
    data[to + (opaque ? FF : BB)] = SIDE ** 2;
    for (let c = 0; c < 3; c++) data[to + (opaque ? F : B) + c] = mean.data[block * 4 + c]! * SIDE ** 2;
  }
  return { width, height, data };
}

/** Sums up a block that is neither opaque nor clear; one that sticks out repeats border pixels. */
function addBlock(picture: Image8, opacity: Image8, x: number, y: number, total: Float32Array): void {
  const { width, height } = opacity;
  for (let i = 0; i < SIDE ** 2; i++) {
    const row = Math.min(y * SIDE + (i >> 3), height - 1);
    const place = row * width + Math.min(x * SIDE + (i & 7), width - 1);
    const cover = opacity.data[place]!;
    const a = cover / 255;
    const weight = cover === 0 || cover === 255 ? 1 : SOFT;
    const [front, back] = [weight * a, weight * (1 - a)];
    total[FF]! += front * a;
    total[FB]! += front * (1 - a);
    total[BB]! += back * (1 - a);
    for (let c = 0; c < 3; c++) {
      total[F + c]! += front * picture.data[place * 4 + c]!;
      total[B + c]! += back * picture.data[place * 4 + c]!;
    }
  }
}

/** Adds up 2 × 2 blocks. */
function halved({ width, height, data }: Level): Level {
  const [w, h] = [Math.ceil(width / 2), Math.ceil(height / 2)];
  const result = new Float32Array(w * h * SUMS);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [from, to] = [(y * width + x) * SUMS, ((y >> 1) * w + (x >> 1)) * SUMS];
      for (let k = 0; k < SUMS; k++) result[to + k]! += data[from + k]!;
    }
  }
  return { width: w, height: h, data: result };
}

/** Solves each block's two equations for F and B, held to the coarser level's, which is enlarged twofold. */
function solved({ width, height, data }: Level, coarse: Level): Level {
  const grid = new Float32Array(width * height * 6);
  const held = new Float32Array(6);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      doubledAt(coarse, x, y, held);
      const from = (y * width + x) * SUMS;
      const [ff, bb, fb] = [data[from + FF]! + COARSER, data[from + BB]! + COARSER, data[from + FB]!];
      const scale = 1 / (ff * bb - fb * fb);
      for (let c = 0; c < 3; c++) {
        const front = data[from + F + c]! + COARSER * held[c]!;
        const back = data[from + B + c]! + COARSER * held[3 + c]!;
        const to = (y * width + x) * 6 + c;
        grid[to] = Math.min(255, Math.max(0, (bb * front - fb * back) * scale));
        grid[to + 3] = Math.min(255, Math.max(0, (ff * back - fb * front) * scale));
      }
    }
  }
  return { width, height, data: grid };
}

/** Enlarges a grid twofold, bilinearly, at one place of the finer level. */
function doubledAt({ width, height, data }: Level, x: number, y: number, found: Float32Array): void {
  const [x0, y0] = [x >> 1, y >> 1];
  const x1 = within(x0 + (x & 1 ? 1 : -1), width);
  const y1 = within(y0 + (y & 1 ? 1 : -1), height);
  for (let c = 0; c < 6; c++) {
    const above = data[(y0 * width + x0) * 6 + c]! * 0.75 + data[(y0 * width + x1) * 6 + c]! * 0.25;
    const below = data[(y1 * width + x0) * 6 + c]! * 0.75 + data[(y1 * width + x1) * 6 + c]! * 0.25;
    found[c] = above * 0.75 + below * 0.25;
  }
}
