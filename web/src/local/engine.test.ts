// @vitest-environment node
/// <reference types="node" />
/* eslint-disable @typescript-eslint/no-non-null-assertion -- the network is known to answer so */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { localInfo } from "./build/local";
import { fixedVectors, isSame } from "./engine";
import { LocalFailure, SENTENCES, sentence } from "./failures";
import { judged } from "./road/judge";
import { tableOf } from "./road/table";
import { absolute } from "./runtime";

test("the fixed vectors are the same each time, within the network's range, and not flat", () => {
  const vectors = fixedVectors(32, 16);
  expect(vectors).toEqual(fixedVectors(32, 16));
  expect(vectors.length).toBe(2);
  for (const vector of vectors) {
    expect(vector.length).toBe(3 * 32 * 16);
    expect(Math.max(...vector.map(Math.abs))).toBeLessThanOrEqual(1);
    expect(Math.max(...vector) - Math.min(...vector)).toBeGreaterThan(1);
  }
});

test("alphas are the same within two levels, but for one pixel in a thousand", () => {
  const plane = new Float32Array(2000).fill(0.5);
  const off = (count: number, by: number) => plane.map((value, place) => value + (place < count ? by : 0));
  expect(isSame(plane, off(2000, 1.9 / 255))).toBe(true);
  expect(isSame(plane, off(2, 1))).toBe(true);
  expect(isSame(plane, off(3, 1))).toBe(false);
  expect(isSame(plane, off(3, NaN))).toBe(false);
});

test("a failure says its values, and every sentence is one", () => {
  expect(new LocalFailure("tooLarge", { megapixels: 60, limit: 50 }).message).toContain("60 megapixels");
  for (const text of Object.values(SENTENCES)) expect(text).toMatch(/^[A-Z].*\.$/);
  expect(sentence("tooLarge", {})).toContain("{limit}");
});

test("addresses are made absolute, and the model's names its content", () => {
  const info = absolute({ runtime: "local", model: "local/m.onnx", sha256: "ab".repeat(32) }, "https://example.org/x/");
  expect(info.runtime).toBe("https://example.org/x/local/");
  expect(info.model).toBe("https://example.org/x/local/m.onnx?abababababababab");
});

test("our network finds a subject in each fixed vector, or the check would compare nothing", async () => {
  const ort = await import("onnxruntime-web");
  ort.env.wasm.numThreads = 1;
  const { input, output } = tableOf(localInfo().input, localInfo().output);
  const weights = readFileSync(new URL("../../../src/cleancut/models/embedded/cleancut-small.onnx", import.meta.url));
  const session = await ort.InferenceSession.create(weights);
  for (const vector of fixedVectors(...input.size)) {
    const answers = await session.run({ image: new ort.Tensor("float32", vector, [1, 3, ...input.size]) });
    const { data, dims } = answers.alpha!;
    const { alpha, subject } = judged({ alpha: { data: data as Float32Array, dims } }, output);
    expect(subject).toBe(true);
    expect(alpha.data.filter((a) => a > 0.05 && a < 0.95).length).toBeGreaterThan(2000);
  }
}, 120_000);
