/* eslint-disable @typescript-eslint/no-non-null-assertion -- every index lies within its plane by construction */
/** What is written: the subject's colour F at soft edges (`matting/colors/foreground.py`), under its alpha. */

import { halfEven } from "./fit";
import type { Image8 } from "./image";
import { colorsAt, type Colors } from "./pyramid";

/** How far colours stray from their surroundings, of 255; what strays further is rather an error of α. */
const TEXTURE = 20;

export type Rgb = readonly [number, number, number];

/** What is painted: a picture under its written alpha, the colours around, and what lies beneath. */
export interface Subject {
  readonly picture: Image8;
  readonly opacity: Image8;
  /** null leaves the picture's own colours. */
  readonly colors: Colors | null;
  /** null leaves the rest clear. */
  readonly background: Rgb | null;
}

/** Quantises α in [0, 1] to the 8 bits that are written. */
export function written(alpha: number): number {
  return Math.floor(Math.fround(Math.fround(alpha * 255) + 0.5));
}

/**
 * Paints rows `top` to `bottom` − 1 as RGBA.
 *
 * Where α is 255 the colour is the picture's, bit for bit; where nothing shows, RGB is 0.
 */
export function painted(subject: Subject, top: number, bottom: number): Uint8Array {
  const { picture, opacity, colors, background } = subject;
  const { width } = picture;
  const strip = new Uint8Array((bottom - top) * width * 4);
  const around = new Float32Array(6);
  const color = new Float32Array(3);
  for (let place = top * width, to = 0; place < bottom * width; place++, to += 4) {
    const cover = opacity.data[place]!;
    if (cover === 0 && !background) continue;
    for (let c = 0; c < 3; c++) color[c] = picture.data[place * 4 + c]!;
    if (colors && cover > 0 && cover < 255) {
      colorsAt(colors, place % width, Math.floor(place / width), around);
      correct(color, cover / 255, around);
    }
    const a = cover / 255;
    for (let c = 0; c < 3; c++) {
      strip[to + c] = background ? halfEven(background[c]! * (1 - a) + color[c]! * a) : color[c]!;
    }
    strip[to + 3] = background ? 255 : cover;
  }
  return strip;
}

/** Solves for F at a pixel: what F and B around it leave unexplained goes to F by its share, the less the more. */
function correct(color: Float32Array, a: number, around: Float32Array): void {
  const b = 1 - a;
  let stray = 0;
  for (let c = 0; c < 3; c++) {
    color[c]! -= a * around[c]! + b * around[3 + c]!;
    stray += (color[c]! / TEXTURE) ** 2;
  }
  const share = a / (a * a + b * b + (1 + stray / 3) * b);
  for (let c = 0; c < 3; c++) color[c] = halfEven(Math.min(255, Math.max(0, around[c]! + color[c]! * share)));
}
