import { describe, expect, it } from "vitest";
import { diceOf } from "./dice";
import { Kept, levelFor, TILE, tilesFor } from "./tiles";
import { contains } from "./view";

const SIZE = { width: 9500, height: 6301 };

describe("tiles", () => {
  it("are of the coarsest level that has a pixel for each of the screen's", () => {
    expect([8, 1, 0.51, 0.5, 0.26, 0.25, 0.1].map(levelFor)).toEqual([0, 0, 0, 1, 1, 2, 3]);
    for (const scale of [0.9, 0.4, 0.13, 0.03]) expect(scale * 2 ** levelFor(scale)).toBeLessThanOrEqual(1);
  });

  it.each([1, 2, 3, 4, 5])("cover each point of what is in view, once (%i)", (seed) => {
    const dice = diceOf(seed);
    const level = dice.whole(0, 4);
    const [x, y] = [dice.between(0, 9000), dice.between(0, 6000)];
    const part = { x, y, width: dice.between(1, 9500 - x), height: dice.between(1, 6301 - y) };
    const tiles = tilesFor(SIZE, level, part);
    for (let turn = 0; turn < 100; turn++) {
      const point = { x: dice.between(part.x, part.x + part.width), y: dice.between(part.y, part.y + part.height) };
      expect(tiles.filter((tile) => contains(tile.part, point))).toHaveLength(1);
    }
    expect(new Set(tiles.map(({ key }) => key)).size).toBe(tiles.length);
    for (const { size } of tiles) expect(Math.max(size.width, size.height)).toBeLessThanOrEqual(TILE);
  });

  it("cover the whole picture and nothing beyond it", () => {
    for (const level of [0, 1, 3, 6]) {
      const tiles = tilesFor(SIZE, level, { x: 0, y: 0, ...SIZE });
      expect(tiles.reduce((sum, { part }) => sum + part.width * part.height, 0)).toBe(SIZE.width * SIZE.height);
      expect(Math.max(...tiles.map(({ part }) => part.x + part.width))).toBe(SIZE.width);
    }
  });

  it("come from the middle outwards", () => {
    const [first] = tilesFor(SIZE, 0, { x: 0, y: 0, width: 2560, height: 2560 });
    expect(first?.key).toBe("0/2/2");
  });

  it("are none of a picture out of view", () => {
    expect(tilesFor(SIZE, 0, { x: 9600, y: 0, width: 100, height: 100 })).toEqual([]);
  });
});

describe("Kept", () => {
  it("stays within its budget, and lets go what was not used for longest", () => {
    const gone: string[] = [];
    const kept = new Kept<string>(30, (thing) => gone.push(thing));
    for (const key of ["a", "b", "c"]) kept.set(key, key, 10);
    expect(kept.get("a")).toBe("a");
    kept.set("d", "d", 10);
    expect(gone).toEqual(["b"]);
    expect(kept.bytes).toBe(30);
    kept.deleteAll("a");
    kept.clear();
    expect(gone).toEqual(["b", "a", "c", "d"]);
    expect(kept.bytes).toBe(0);
  });

  it("keeps the newest though it is larger than the budget, and lets go what it replaces", () => {
    const gone: number[] = [];
    const kept = new Kept<number>(5, (thing) => gone.push(thing));
    kept.set("a", 1, 100);
    expect(kept.get("a")).toBe(1);
    kept.set("a", 2, 1);
    expect(gone).toEqual([1]);
    expect(kept.bytes).toBe(1);
  });
});
