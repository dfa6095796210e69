/** Which pieces of a large picture are needed for what is in view: pure arithmetic. */

import type { Rect, Size } from "./types";

/** Pixels along a tile, at its own level. */
export const TILE = 512;

/** A piece of a picture that is halved `level` times. */
export interface Tile {
  readonly key: string;
  readonly level: number;
  /** Where it lies on the picture, in the picture's pixels. */
  readonly part: Rect;
  /** Its own size in pixels. */
  readonly size: Size;
}

/** The coarsest level that still has a pixel for each pixel of the screen; `scale` as of the view. */
export function levelFor(scale: number): number {
  return Math.max(0, Math.floor(Math.log2(1 / scale) + 1e-9));
}

/** The tiles that a part of the picture touches, those nearest to its middle first. */
export function tilesFor(size: Size, level: number, part: Rect): Tile[] {
  if (part.x >= size.width || part.y >= size.height) return [];
  const step = TILE * 2 ** level;
  const last = (offset: number, length: number, whole: number): number =>
    Math.min(Math.ceil((offset + length) / step), Math.ceil(whole / step)) - 1;
  const first = (offset: number): number => Math.max(0, Math.floor(offset / step));
  const tiles: Tile[] = [];
  for (let row = first(part.y); row <= last(part.y, part.height, size.height); row++) {
    for (let column = first(part.x); column <= last(part.x, part.width, size.width); column++) {
      tiles.push(tileAt(size, level, column, row));
    }
  }
  const off = ({ part: { x, y, width, height } }: Tile): number =>
    Math.hypot(x + width / 2 - part.x - part.width / 2, y + height / 2 - part.y - part.height / 2);
  return tiles.sort((one, other) => off(one) - off(other));
}

function tileAt(size: Size, level: number, column: number, row: number): Tile {
  const step = TILE * 2 ** level;
  const [x, y] = [column * step, row * step];
  const part = { x, y, width: Math.min(step, size.width - x), height: Math.min(step, size.height - y) };
  const halved = (length: number): number => Math.max(1, Math.round(length / 2 ** level));
  return {
    key: `${level}/${column}/${row}`,
    level,
    part,
    size: { width: halved(part.width), height: halved(part.height) },
  };
}

/** Things kept while they fit into a budget; what was not used for longest goes first, and is told so. */
export class Kept<T> {
  readonly #things = new Map<string, { readonly thing: T; readonly bytes: number }>();
  #bytes = 0;

  constructor(
    private readonly budget: number,
    private readonly drop: (thing: T) => void,
  ) {}

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): T | undefined {
    const found = this.#things.get(key);
    if (!found) return undefined;
    this.#things.delete(key);
    this.#things.set(key, found);
    return found.thing;
  }

  set(key: string, thing: T, bytes: number): void {
    this.delete(key);
    this.#things.set(key, { thing, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#things.keys()) {
      if (this.#bytes <= this.budget || oldest === key) break;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const found = this.#things.get(key);
    if (!found) return;
    this.#things.delete(key);
    this.#bytes -= found.bytes;
    this.drop(found.thing);
  }

  /** Drop what has a key that begins so. */
  deleteAll(start: string): void {
    for (const key of [...this.#things.keys()]) if (key.startsWith(start)) this.delete(key);
  }

  clear(): void {
    this.deleteAll("");
  }
}
