import { describe, expect, it } from "vitest";
import { catalogueOf } from "../api/schema";
import type { Recipe } from "../api/types";
import {
  assetNames, backdropOf, bare, movesCanvas, withBackdrop, without, withPreset, withSetting, withSettingsOf, withStep,
} from "./recipes"; // prettier-ignore

const names = (recipe: Recipe) => recipe.effects?.map(({ name }) => name);

describe("steps", () => {
  it("are laid where their order says, whatever they were switched on in", () => {
    const given = ["color", "shadow", "trim", "outline", "fit", "of-a-plug-in"];
    const recipe = given.reduce<Recipe>((one, name) => withStep(one, "effects", { name }), {});
    expect(names(recipe)).toEqual(["outline", "trim", "fit", "shadow", "color", "of-a-plug-in"]);
  });

  it("keep the tidying that a recipe has by default", () => {
    expect(withStep({}, "refine", { name: "feather", radius: 2 }).refine).toEqual([
      { name: "auto" },
      { name: "feather", radius: 2 },
    ]);
    expect(without({}, "refine", ["auto"]).refine).toEqual([]);
  });

  it("change in their place", () => {
    const recipe: Recipe = { effects: [{ name: "trim" }, { name: "shadow", angle: 1 }] };
    expect(withSetting(recipe, "effects", "shadow", "angle", 9).effects?.[1]).toEqual({ name: "shadow", angle: 9 });
    expect(withSetting(recipe, "effects", "blur", "radius", 9)).toBe(recipe);
  });
});

it("has one background at a time", () => {
  const white = withBackdrop({ effects: [{ name: "shadow" }] }, { name: "color", color: "#ffffff" });
  const blurred = withBackdrop(white, { name: "blur", radius: 3 });
  expect(names(blurred)).toEqual(["shadow", "blur"]);
  expect(backdropOf(blurred)?.name).toBe("blur");
  expect(names(withBackdrop(blurred, null))).toEqual(["shadow"]);
});

it("takes a preset's effects and file, and leaves corrections", () => {
  const strokes = [{ points: [[0.5, 0.5]], radius: 0.1, keep: true }] as const;
  const recipe: Recipe = { strokes, effects: [{ name: "blur" }], format: "webp", quality: 3 };
  expect(withPreset(recipe, { effects: [{ name: "trim" }], format: "jpeg" })).toEqual({
    strokes,
    effects: [{ name: "trim" }],
    format: "jpeg",
  });
  expect(withSettingsOf({ strokes }, { model: "m", strokes: [] })).toEqual({ model: "m", strokes });
  expect(withSettingsOf({}, recipe)).not.toHaveProperty("strokes");
});

it("tells what moves the canvas, and how the edge looks without", () => {
  expect(movesCanvas({ effects: [{ name: "shadow" }] })).toBe(false);
  expect(movesCanvas({ effects: [{ name: "fit", width: 1, height: 1 }] })).toBe(true);
  expect(bare({ model: "m", effects: [{ name: "trim" }] })).toEqual({ model: "m", effects: [] });
});

it("names the pictures that a recipe needs", () => {
  const catalogue = catalogueOf({
    oneOf: [{ properties: { name: { const: "behind" }, picture: { "x-asset": true }, fit: { enum: ["cover"] } } }],
  });
  const recipe = {
    effects: [
      { name: "behind", picture: "sky", fit: "cover" },
      { name: "behind", picture: "sky" },
    ],
  };
  expect(assetNames(recipe, catalogue)).toEqual(["sky"]);
});
