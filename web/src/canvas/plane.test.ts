import { describe, expect, it } from "vitest";
import { blur } from "./blur";
import { planeOf, whiteOf } from "./plane";

describe("planes", () => {
  const plane = { width: 6, height: 4, data: Uint8Array.from({ length: 24 }, (_, index) => index * 10) };

  it("become white that is as opaque", () => {
    const pixels = whiteOf(plane, { x: 1, y: 2, width: 2, height: 1 }, { width: 2, height: 1 });
    expect([...pixels]).toEqual([255, 255, 255, 130, 255, 255, 255, 140]);
  });

  it("shrink to means, of uneven parts too", () => {
    const half = whiteOf(plane, { x: 0, y: 0, width: 6, height: 4 }, { width: 3, height: 2 });
    expect(half[3]).toBe((0 + 10 + 60 + 70) / 4);
    const flat = { width: 7, height: 5, data: new Uint8Array(35).fill(77) };
    const alpha = whiteOf(flat, { x: 0, y: 0, width: 7, height: 5 }, { width: 3, height: 2 }).filter(
      (_, index) => index % 4 === 3,
    );
    expect([...alpha]).toEqual(Array(6).fill(77));
  });

  it("grow by repeating", () => {
    const pixels = whiteOf(plane, { x: 0, y: 0, width: 1, height: 1 }, { width: 2, height: 2 });
    expect(pixels[3]).toBe(0);
    expect(pixels[15]).toBe(0);
  });

  it("are read off the first channel", () => {
    const read = planeOf(Uint8ClampedArray.of(7, 1, 1, 255, 9, 2, 2, 255), { width: 2, height: 1 });
    expect([...read.data]).toEqual([7, 9]);
  });
});

describe("blur", () => {
  const size = { width: 41, height: 41 };

  function dot(): Uint8ClampedArray {
    const pixels = new Uint8ClampedArray(41 * 41 * 4).fill(0);
    for (let y = 10; y <= 30; y++)
      for (let x = 10; x <= 30; x++) pixels.fill(200, (y * 41 + x) * 4, (y * 41 + x) * 4 + 3);
    return pixels;
  }

  it("leaves a flat picture as it is, to its edges", () => {
    const flat = new Uint8ClampedArray(41 * 41 * 4).fill(90);
    blur(flat, size, 6);
    expect(new Set(flat)).toEqual(new Set([90]));
  });

  it("spreads about as a Gaussian does", () => {
    const pixels = dot();
    blur(pixels, size, 3);
    const row = Array.from({ length: 41 }, (_, x) => pixels[(20 * 41 + x) * 4] ?? 0);
    // An edge under a Gaussian is its integral: half at the edge, 84 % one sigma inside it.
    expect(((row[9] ?? 0) + (row[10] ?? 0)) / 2).toBeCloseTo(100, -1);
    expect(Math.abs((row[12] ?? 0) + (row[13] ?? 0) - 2 * 168)).toBeLessThan(20);
    expect(row).toEqual([...row].reverse());
  });

  it("of nothing changes nothing", () => {
    const pixels = dot();
    blur(pixels, size, 0);
    expect(pixels).toEqual(dot());
  });
});
