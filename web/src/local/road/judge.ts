/* eslint-disable @typescript-eslint/no-non-null-assertion -- every index lies within its plane by construction */
/** Picture → the network's numbers, and its answer → alpha and confidence; `matting/predict.py` and `confidence.py`. */

import { LocalFailure } from "../failures";
import { halfEven, shrunk, type Fit } from "./fit";
import type { Image8, Plane } from "./image";
import type { Input, Output } from "./table";

/** Confidence below which there is no subject (docs/decisions/0004). */
export const NO_SUBJECT = 0.4;

/** Share of the picture that a subject covers at least. */
const SMALLEST = 0.0005;

/** Grey shown to the network where the source is transparent. */
const HIDDEN = 128;

/** Named arrays of a network's answer, with their shapes. */
export type Answers = Readonly<Record<string, { readonly data: Float32Array; readonly dims: readonly number[] }>>;

/** What a network says of a picture, at the network's own size. */
export interface Verdict {
  readonly alpha: Plane;
  readonly confidence: number;
  readonly subject: boolean;
}

/** Gives what the network sees of an RGBA picture: RGB at its size, transparent parts over grey. */
export function seen(source: Image8, fit: Fit): Image8 {
  const small = shrunk(source, fit);
  const data = new Uint8Array(small.width * small.height * 3);
  for (let p = 0, to = 0; p < small.data.length; p += 4) {
    const visible = Math.fround(small.data[p + 3]! / 255);
    for (let c = 0; c < 3; c++) data[to++] = halfEven(HIDDEN + (small.data[p + c]! - HIDDEN) * visible);
  }
  return { width: small.width, height: small.height, channels: 3, data };
}

/** Turns RGB into the network's input, (1, 3, h, w). */
export function normalised(rgb: Image8, input: Input): Float32Array {
  const count = rgb.width * rgb.height;
  const tensor = new Float32Array(3 * count);
  const scale = input.scale === "unit" ? 255 : Math.max(peak(rgb), 1e-6);
  for (let c = 0; c < 3; c++) {
    const std = Math.fround(input.std[c]!);
    const [factor, shift] = [Math.fround(1 / (scale * std)), Math.fround(Math.fround(input.mean[c]!) / std)];
    for (let p = 0; p < count; p++) tensor[c * count + p] = Math.fround(rgb.data[p * 3 + c]! * factor) - shift;
  }
  return tensor;
}

function peak(rgb: Image8): number {
  let most = 0;
  for (const value of rgb.data) most = Math.max(most, value);
  return most;
}

/** Judges an answer before any stretching can hide what it is. */
export function judged(answers: Answers, output: Output): Verdict {
  const plane = planeOf(answers.alpha);
  const squashed = output.squash === "sigmoid" ? plane.data.map((v) => 1 / (1 + Math.exp(-v))) : plane.data;
  const claimed = squashed.map(clipped);
  const error = answers.error && finite(answers.error.data).map(clipped);
  const subject = answers.subject && clipped(finite(answers.subject.data)[0]!);
  const confidence = calibrated(raw(claimed, error, subject), output.calibration);
  const data = output.stretch ? stretched(squashed) : claimed;
  return {
    alpha: { ...plane, data },
    confidence: Math.round(confidence * 1e4) / 1e4,
    subject: confidence >= NO_SUBJECT,
  };
}

/**
 * Judges what is claimed by itself, before it is calibrated: the share that is not doubted where the network states
 * its error, else how firm it is; 0 where it is smaller than a subject is.
 */
export function raw(claimed: Float32Array, error?: Float32Array, subject = 1): number {
  let [large, total, squares] = [0, 0, 0];
  for (const value of claimed) {
    large += Number(value > 0.5);
    total += value;
    squares += value * value;
  }
  if (large / claimed.length < SMALLEST) return 0;
  const mean = total / claimed.length;
  if (!error) return (squares / claimed.length / Math.max(mean, 1e-9)) * subject;
  const doubt = error.reduce((sum, value) => sum + value, 0) / error.length;
  return (mean / Math.max(mean + doubt, 1e-9)) * subject;
}

/** Turns a raw judgement into the IoU to expect, along the line through a model's points; without any, keeps it. */
export function calibrated(value: number, points: Output["calibration"]): number {
  const after = points.findIndex(([x]) => x >= value);
  if (points.length === 0) return value;
  if (after <= 0) return points[after === 0 ? 0 : points.length - 1]![1];
  const [[x0, y0], [x1, y1]] = [points[after - 1]!, points[after]!];
  return y0 + ((y1 - y0) * (value - x0)) / (x1 - x0);
}

function planeOf(answer: Answers[string] | undefined): Plane {
  const [height, width] = answer ? answer.dims.slice(-2) : [];
  if (!answer || !width || !height || answer.data.length !== width * height) throw new LocalFailure("badModel");
  return { width, height, data: finite(answer.data) };
}

function finite(data: Float32Array): Float32Array {
  if (data.length === 0 || !data.every(Number.isFinite)) throw new LocalFailure("badModel");
  return data;
}

function clipped(value: number): number {
  return value < 0 ? 0 : value > 1 ? 1 : value;
}

function stretched(data: Float32Array): Float32Array {
  const low = data.reduce((a, b) => Math.min(a, b));
  const high = data.reduce((a, b) => Math.max(a, b));
  return data.map((value) => clipped((value - low) / Math.max(high - low, 1e-6)));
}
