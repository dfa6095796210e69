import { describe, expect, it } from "vitest";
import { catalogueOf, lengthOf, stepOf } from "./schema";

const SCHEMA = {
  oneOf: [
    {
      description: "Do everything.",
      properties: {
        name: { const: "all" },
        radius: { type: "number", minimum: 0, maximum: 500, "x-unit": "px", default: 12 },
        width: { type: "integer", minimum: 1, maximum: 10 },
        kind: { enum: ["drop", "contact"], default: "drop" },
        far: { type: "string", "x-length": true, default: "2%" },
        tint: { type: "string", format: "color", default: "#000000" },
        up: { type: "boolean", default: true },
        picture: { type: "string", "x-asset": true },
        model: { type: "string", "x-model": "trimap" },
        other: { type: "string", default: "x" },
      },
    },
    { properties: { name: { const: "auto" } } },
  ],
};

describe("a catalogue", () => {
  const catalogue = catalogueOf(SCHEMA);
  const all = catalogue.get("all");

  it("has a control for every kind of setting", () => {
    expect(all?.settings.map(({ control }) => control)).toEqual([
      { kind: "number", low: 0, high: 500, whole: false, unit: "px" },
      { kind: "number", low: 1, high: 10, whole: true, unit: "" },
      { kind: "choice", words: ["drop", "contact"] },
      { kind: "length" },
      { kind: "color" },
      { kind: "switch" },
      { kind: "picture" },
      { kind: "model", of: "trimap" },
      { kind: "text" },
    ]);
    expect(catalogue.get("auto")?.settings).toEqual([]);
  });

  it("makes steps of defaults and of what must be given", () => {
    expect(all && stepOf(all, { width: 4 })).toEqual({
      name: "all",
      radius: 12,
      width: 4,
      kind: "drop",
      far: "2%",
      tint: "#000000",
      up: true,
      other: "x",
    });
  });

  it.each([undefined, null, 4, {}, { oneOf: "x" }])("of %s is empty", (told) => expect(catalogueOf(told).size).toBe(0));
});

it.each([
  ["2%", 2, "%"],
  ["30px", 30, "px"],
  ["30", 30, "px"],
  ["1.5 %", 1.5, "%"],
  ["much", 0, "%"],
])("reads the length %s", (text, number, unit) => expect(lengthOf(text)).toEqual({ number, unit }));
