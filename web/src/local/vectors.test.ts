// @vitest-environment node
/* eslint-disable @typescript-eslint/no-non-null-assertion -- every index lies within its plane by construction */
/** The road gives what Python gives, on pictures by formula; see tests/vectors/make.py. */

import { expect, test } from "vitest";
import vectors from "../../../tests/vectors/vectors.json";
import { enlarged, fitOf, type Fit } from "./road/fit";
import type { Image8, Plane } from "./road/image";
import { judged, normalised, seen } from "./road/judge";
import { painted, written } from "./road/paint";
import { colors } from "./road/pyramid";
import { reduced } from "./road/shrink";
import { tableOf } from "./road/table";
import { tidied } from "./road/tidy";

const INPUT = { size: [64, 64], mean: [0, 0, 0], std: [1, 1, 1] };
const bytes = (text: string) => new Uint8Array(Buffer.from(text, "base64"));

function picture(width: number, height: number): Image8 {
  const data = new Uint8Array(width * height * 4);
  for (let y = 0, p = 0; y < height; y++) {
    for (let x = 0; x < width; x++, p += 4) {
      data[p] = x * 7 + y * 13 + ((x * y) >> 3);
      data[p + 1] = (Math.floor(x / 9) + Math.floor(y / 7)) % 2 === 0 ? 40 : 215;
      data[p + 2] = x * 3 + 255 - (y % 256);
      data[p + 3] = x + y < Math.floor((width + height) / 6) ? x * 5 + y * 3 : 255;
    }
  }
  return { width, height, channels: 4, data };
}

function plane(name: string, width = 64, height = 64): Plane {
  const data = Float32Array.from({ length: width * height }, (_, place) => {
    const [x, y] = [place % width, Math.floor(place / width)];
    const haze = (x * 3 + y * 5) % 25;
    if (name === "haze") return (haze * 12) / 1000;
    if (name === "dot") return x === 3 && y === 4 ? 0.9 : 0.001;
    const away = (2 * x - width + 1) ** 2 + (2 * y - height + 1) ** 2;
    const disc = Math.min(1000, Math.max(0, (Math.floor((width * width * 5) / 9) - away) * 4));
    const speck = y % 9 !== 1 ? 0 : x % 11 === 1 ? 800 : x % 11 === 2 ? 30 : 0;
    return Math.max(disc, haze, speck) / 1000;
  });
  return { width, height, data };
}

function cover(width: number, height: number): Image8 {
  const data = Uint8Array.from({ length: width * height }, (_, place) => {
    const [x, y] = [place % width, Math.floor(place / width)];
    return (x * 5 + y * 7) % 53 === 0 ? 128 : Math.min(255, Math.max(0, x * 12 - y * 2 - 60));
  });
  return { width, height, channels: 1, data };
}

/** Says how far bytes are off at most, and at which share of them. */
function off(found: ArrayLike<number>, stated: Uint8Array): { most: number; share: number } {
  expect(found.length).toBe(stated.length);
  const distances = Array.from(stated, (value, place) => Math.abs(value - found[place]!));
  return { most: Math.max(...distances), share: distances.filter((d) => d > 0).length / stated.length };
}

test.each(vectors.shrunk)("$source is reduced to $size as Pillow does it", ({ source, size, rgba }) => {
  const found = reduced(picture(source[0]!, source[1]!), size[0]!, size[1]!, "bicubic");
  expect(off(found.data, bytes(rgba)).most).toBe(0);
});

test.each(vectors.tensors)("the network gets the same numbers of $input", ({ input, source, tensor }) => {
  const table = tableOf(input, {});
  const found = normalised(
    seen(picture(source[0]!, source[1]!), fitOf([source[0]!, source[1]!], table.input)),
    table.input,
  );
  expect(found.length).toBe(tensor.length);
  expect(Math.max(...tensor.map((value, place) => Math.abs(value - found[place]!)))).toBeLessThan(1e-4);
});

test.each(vectors.enlarged)("α goes back to $source by $fit", ({ fit, source, size, output, alpha }) => {
  const lay: Fit = fitOf([source[0]!, source[1]!], tableOf({ ...INPUT, fit, size }, {}).input);
  const rows = enlarged(plane("disc", output[0], output[1]), lay)(0, source[1]!);
  const { most, share } = off(Array.from(rows, written), bytes(alpha));
  expect(most).toBeLessThanOrEqual(1);
  expect(share).toBeLessThan(0.002);
});

test.each(vectors.judged)("$plane is judged by $output", ({ plane: name, output, confidence, subject, alpha }) => {
  const given = plane(name);
  const answers = { alpha: { data: given.data, dims: [1, 1, given.height, given.width] } };
  const found = judged(answers, tableOf(INPUT, output).output);
  expect(found.confidence).toBeCloseTo(confidence, 3);
  expect(found.subject).toBe(subject);
  expect(off(Array.from(found.alpha.data, written), bytes(alpha)).most).toBeLessThanOrEqual(1);
});

test.each(vectors.tidied)("haze and specks go from $plane", ({ plane: name, alpha }) => {
  expect(off(Array.from(tidied(plane(name)).data, written), bytes(alpha)).most).toBeLessThanOrEqual(1);
});

test.each(vectors.painted)("colours of soft edges, $size", ({ size, rgba }) => {
  const [width, height] = [size[0]!, size[1]!];
  const [source, opacity] = [picture(width, height), cover(width, height)];
  const found = painted({ picture: source, opacity, colors: colors(source, opacity), background: null }, 0, height);
  const { most, share } = off(found, bytes(rgba));
  expect(most).toBeLessThanOrEqual(1);
  expect(share).toBeLessThan(0.002);
});
