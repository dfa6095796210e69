import { afterEach, describe, expect, it } from "vitest";
import { bytes, language, LANGUAGES, megapixels, named, percent, preferred, type Language, type Strings } from ".";

afterEach(() => void (language.value = "en"));

/** What any text may speak of. */
const FACTS = { keep: true, radius: 1, size: "1 MB", most: "1 MB", type: "image/x", name: "x" };

/** Every text of a table, those that speak of something filled in. */
function texts(table: unknown, path = ""): [string, string][] {
  if (typeof table === "string") return [[path, table]];
  if (typeof table === "function") return texts((table as (...given: unknown[]) => unknown)(2, FACTS), path);
  return Object.entries(table as Record<string, unknown>).flatMap(([key, value]) => texts(value, `${path}.${key}`));
}

describe.each(Object.keys(LANGUAGES) as Language[])("%s", (tag) => {
  const table: Strings = LANGUAGES[tag];

  it("has no empty text", () => {
    for (const [path, text] of texts(table)) expect(text.trim(), path).not.toBe("");
  });

  it("names every step, setting and word that English names", () => {
    for (const part of ["steps", "settings", "words", "presets"] as const) {
      expect(Object.keys(table[part]).toSorted()).toEqual(Object.keys(LANGUAGES.en[part]).toSorted());
    }
  });

  it("reads in the direction of its script", () => expect(table.dir).toBe(tag === "ar" ? "rtl" : "ltr"));
});

it("takes the first language that it has", () => {
  expect(preferred(["fr-FR", "de-AT", "en"])).toBe("de");
  expect(preferred(["fr"])).toBe("en");
  expect(preferred(["ar-EG"])).toBe("ar");
  expect(preferred(["constructor"])).toBe("en");
});

it("writes numbers as the language does", () => {
  language.value = "de";
  expect(percent(0.5)).toMatch(/^50\s%$/);
  expect(bytes(32_500_000)).toBe("32,5 MB");
  language.value = "en";
  expect(bytes(900)).toBe("0.9 kB");
  expect(megapixels(12_200_000)).toBe("12.2 MP");
});

it("calls what it does not know by its own name", () => expect(named({}, "of-a-plug-in")).toBe("Of a plug in"));
