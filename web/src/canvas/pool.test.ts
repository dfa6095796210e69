import { describe, expect, it, vi } from "vitest";
import type { Pixels } from "./pixels";
import { TilePool } from "./pool";
import { tilesFor, type Tile } from "./tiles";

function fakePixels(width: number, height: number): Pixels & { made: string[]; open: number; fails: boolean } {
  const bitmap = (): ImageBitmap => {
    fake.open += 1;
    return { width: 1, height: 1, close: () => (fake.open -= 1) };
  };
  const fake = {
    width,
    height,
    made: [] as string[],
    open: 0,
    fails: false,
    overview: { width: 1, height: 1, close: () => undefined },
    tile: ({ key }: Tile) => {
      fake.made.push(key);
      return fake.fails ? Promise.reject(new Error("no memory")) : Promise.resolve(bitmap());
    },
    close: () => undefined,
  };
  return fake;
}

/** Draw frames until nothing more is asked for; gives how many tiles the last one had. */
async function drawn(pool: TilePool, pixels: readonly Pixels[]): Promise<number> {
  let found = 0;
  for (let frame = 0; frame < 600; frame++) {
    pool.begin();
    const tiles = pixels.flatMap((one) =>
      tilesFor(one, 0, { x: 0, y: 0, width: one.width, height: one.height }).map((tile) => pool.find(one, tile)),
    );
    pool.end();
    found = tiles.filter(Boolean).length;
    await Promise.resolve();
    await Promise.resolve();
  }
  return found;
}

describe("TilePool", () => {
  it("makes each tile once, and keeps it", async () => {
    const [pixels, ready] = [fakePixels(2048, 1024), vi.fn()];
    const pool = new TilePool(ready, () => undefined);
    expect(await drawn(pool, [pixels])).toBe(8);
    expect(pixels.made).toHaveLength(8);
    expect(ready).toHaveBeenCalledTimes(8);
    pool.close(pixels);
    expect(pixels.open).toBe(0);
  });

  it("comes to rest when a screen needs more than there is room for", async () => {
    const both = [fakePixels(8192, 4096), fakePixels(8192, 4096)];
    const pool = new TilePool(
      () => undefined,
      () => undefined,
    );
    expect(await drawn(pool, both)).toBe(160);
    const made = both.map((one) => one.made.length);
    expect(made).toEqual([128, 32]);
    pool.closeAll();
    expect(both.map((one) => one.open)).toEqual([0, 0]);
  });

  it("tells of a tile that cannot be made, once", async () => {
    const [pixels, failed] = [fakePixels(512, 512), vi.fn()];
    pixels.fails = true;
    expect(await drawn(new TilePool(() => undefined, failed), [pixels])).toBe(0);
    expect(failed).toHaveBeenCalledOnce();
  });

  it("closes what comes after its picture is gone", async () => {
    const pixels = fakePixels(512, 512);
    const pool = new TilePool(
      () => undefined,
      () => undefined,
    );
    const [tile] = tilesFor(pixels, 0, { x: 0, y: 0, width: 512, height: 512 });
    pool.begin();
    if (tile) pool.find(pixels, tile);
    pool.end();
    pool.close(pixels);
    await Promise.resolve();
    await Promise.resolve();
    expect([pixels.made.length, pixels.open]).toEqual([1, 0]);
  });
});
