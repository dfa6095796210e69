// @vitest-environment node
/// <reference types="node" />
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { tableOf } from "../road/table";
import { localInfo } from "./local";
import { tableNamed } from "./toml";

const TEXT = `
# models
[one]
title = "a \\"b\\" # c"   # told
size = [320, 1_000]
nested = { mean = [0.5, -1e-3], deep = { on = true }, none = [] , }

[two]
off = false
`;

test("a table is read, and only that one", () => {
  expect(tableNamed(TEXT, "one")).toEqual({
    title: 'a "b" # c',
    size: [320, 1000],
    nested: { mean: [0.5, -0.001], deep: { on: true }, none: [] },
  });
  expect(tableNamed(TEXT, "two")).toEqual({ off: false });
});

test.each(["three", "on"])("there is no table %s", (name) => {
  expect(() => tableNamed(TEXT, name)).toThrow("no table");
});

test.each(["a = 2026-01-01", "a = '''x", "a = [1", "a", "a = 1 2", 'a = "\\u00e4"', "a.b = 1"])(
  "%s is not guessed at",
  (line) => {
    expect(() => tableNamed(`[t]\n${line}`, "t")).toThrow("Expected");
  },
);

test("the model's own table fits the road", () => {
  const info = localInfo();
  expect(tableOf(info.input, info.output).input.size).toEqual([320, 320]);
  expect(info.sha256).toMatch(/^[0-9a-f]{64}$/);
  expect(existsSync(new URL(`../../../../src/cleancut/models/embedded/${info.model.slice(6)}`, import.meta.url))).toBe(
    true,
  );
});

test.each([
  [{ size: [1] }, {}],
  [{ size: [64, 64], mean: [0, 0, 0], std: [1, 1, 1], color: "stored" }, {}],
  [{ size: [64, 64], mean: [0, 0, 0], std: [1, 1, 1] }, { squash: "softmax" }],
  [null, {}],
])("a table that this road cannot walk is refused: %j %j", (input, output) => {
  expect(() => tableOf(input, output)).toThrow("does not fit");
});
