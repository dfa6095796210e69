import type { Pixels } from "./pixels";
import { Kept, type Tile } from "./tiles";

/** Bytes of tiles kept. More than a screen of 3840 × 2160 needs of two pictures; two pictures of 60 MP are 480 MB. */
const BUDGET = 160 * 2 ** 20;

const AT_ONCE = 2;

interface Wish {
  readonly key: string;
  readonly pixels: Pixels;
  readonly tile: Tile;
}

/** Makes the tiles that the last frame lacked, a few at a time, and keeps those in use. */
export class TilePool {
  readonly #kept = new Kept<ImageBitmap>(BUDGET, (bitmap) => bitmap.close());
  readonly #names = new Map<Pixels, string>();
  readonly #under = new Set<string>();
  readonly #failed = new Set<string>();
  #wishes: Wish[] = [];
  #asked = 0;
  #named = 0;

  constructor(
    private readonly ready: () => void,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** Begin a frame: what an earlier one lacked may be out of view by now. */
  begin(): void {
    this.#wishes = [];
    this.#asked = 0;
  }

  /** Give a tile if it is there; otherwise it is made, and `ready` is called. */
  find(pixels: Pixels, tile: Tile): ImageBitmap | undefined {
    const key = `${this.#name(pixels)}/${tile.key}`;
    const found = this.#kept.get(key);
    this.#asked += bytesOf(tile);
    // What does not fit beside the rest of its frame would push that out, and be pushed out by it, without end.
    const fits = this.#asked <= BUDGET;
    if (!found && fits && !this.#failed.has(key)) this.#wishes.push({ key, pixels, tile });
    return found;
  }

  /** End a frame. */
  end(): void {
    while (this.#under.size < AT_ONCE) {
      const next = this.#wishes.find(({ key }) => !this.#under.has(key));
      if (!next) return;
      this.#wishes = this.#wishes.filter((wish) => wish !== next);
      void this.#make(next);
    }
  }

  /** Forget a picture that is shown no more, and close it. */
  close(pixels: Pixels): void {
    const name = this.#names.get(pixels);
    this.#names.delete(pixels);
    this.#wishes = this.#wishes.filter((wish) => wish.pixels !== pixels);
    if (name !== undefined) this.#kept.deleteAll(`${name}/`);
    pixels.close();
  }

  closeAll(): void {
    for (const pixels of [...this.#names.keys()]) this.close(pixels);
    this.#wishes = [];
    this.#kept.clear();
  }

  async #make({ key, pixels, tile }: Wish): Promise<void> {
    this.#under.add(key);
    try {
      const bitmap = await pixels.tile(tile);
      if (this.#names.has(pixels)) this.#kept.set(key, bitmap, bytesOf(tile));
      else bitmap.close();
    } catch (error) {
      this.#failed.add(key);
      if (this.#names.has(pixels)) this.failed(error);
    }
    this.#under.delete(key);
    this.ready();
  }

  #name(pixels: Pixels): string {
    const name = this.#names.get(pixels) ?? `${this.#named++}`;
    this.#names.set(pixels, name);
    return name;
  }
}

function bytesOf({ size }: Tile): number {
  return size.width * size.height * 4;
}
