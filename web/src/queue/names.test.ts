import { expect, it } from "vitest";
import { distinct, resultName, stemOf } from "./names";

it.each([
  ["cat.jpg", "image/png", "cat_no_bg.png"],
  ["a/b/my cat.final.JPEG", "image/jpeg", "my cat.final_no_bg.jpg"],
  ["C:\\x\\y.png", "image/webp", "y_no_bg.webp"],
  ["..", "image/png", "picture_no_bg.png"],
  ["été?.png", "image/avif", "été_no_bg.avif"],
  ["", "image/png", "picture_no_bg.png"],
])("names the result of %s", (name, type, expected) => expect(resultName(name, type)).toBe(expected));

it("keeps names short and whole", () => expect(stemOf(`${"x".repeat(79)}😀.png`)).toHaveLength(80));

it("keeps equal names apart, whatever their case", () => {
  expect(distinct(["a.png", "A.png", "b.png", "a.png"])).toEqual(["a.png", "A (2).png", "b.png", "a (3).png"]);
});
