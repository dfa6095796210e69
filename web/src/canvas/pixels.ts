/** Pictures of any size as an overview that is always there, and tiles that are made when asked for. */

import { planeOf, whiteOf } from "./plane";
import type { Tile } from "./tiles";
import type { AlphaPlane, Picture, Size } from "./types";

/** Pixels along the longer side of an overview. A picture no larger is its own overview, and has no tiles. */
export const OVERVIEW = 2048;

/** How long a decoded file of many megapixels is kept after the last tile was cut from it, in milliseconds. */
const IDLE = 4000;

export interface Pixels extends Size {
  readonly overview: ImageBitmap;
  tile(tile: Tile): Promise<ImageBitmap>;
  close(): void;
}

/** Decode a file, or take in a bitmap, which stays the caller's. Rejects what the browser cannot decode. */
export async function openPicture(picture: Picture): Promise<Pixels> {
  const decoded = picture instanceof Blob ? new Decoded(picture) : new Borrowed(picture);
  const whole = await decoded.whole();
  const size = { width: whole.width, height: whole.height };
  try {
    return new Cuttings(size, decoded, await createImageBitmap(whole, shrunk(size)));
  } catch (error) {
    decoded.close();
    throw error;
  }
}

/** Take in a plane of alpha as white that is as opaque. */
export async function openPlane(plane: AlphaPlane): Promise<Pixels> {
  if (plane.data.length !== plane.width * plane.height) {
    throw new RangeError(`A plane of ${plane.width} × ${plane.height} has as many values, not ${plane.data.length}.`);
  }
  const { resizeWidth: width, resizeHeight: height } = shrunk(plane);
  const cut = (part: Tile["part"], size: Size): Promise<ImageBitmap> =>
    createImageBitmap(new ImageData(whiteOf(plane, part, size), size.width, size.height));
  const overview = await cut({ x: 0, y: 0, width: plane.width, height: plane.height }, { width, height });
  return {
    width: plane.width,
    height: plane.height,
    overview,
    tile: ({ part, size }) => cut(part, size),
    close: () => overview.close(),
  };
}

/** Read a grey picture as a plane of alpha. */
export async function readPlane(picture: Picture): Promise<AlphaPlane> {
  const bitmap = picture instanceof Blob ? await createImageBitmap(picture) : picture;
  const { width, height } = bitmap;
  const context = contextOf(new OffscreenCanvas(width, height));
  context.drawImage(bitmap, 0, 0);
  if (bitmap !== picture) bitmap.close();
  return planeOf(context.getImageData(0, 0, width, height).data, { width, height });
}

export function contextOf(canvas: OffscreenCanvas): OffscreenCanvasRenderingContext2D {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("The browser has no memory left to draw on.");
  return context;
}

interface Whole {
  whole(): Promise<ImageBitmap>;
  close(): void;
}

class Cuttings implements Pixels {
  readonly width: number;
  readonly height: number;

  constructor(
    size: Size,
    private readonly decoded: Whole,
    readonly overview: ImageBitmap,
  ) {
    this.width = size.width;
    this.height = size.height;
  }

  async tile({ part, size }: Tile): Promise<ImageBitmap> {
    const whole = await this.decoded.whole();
    const { width: resizeWidth, height: resizeHeight } = size;
    const how = { resizeWidth, resizeHeight, resizeQuality: "medium" } as const;
    return createImageBitmap(whole, part.x, part.y, part.width, part.height, how);
  }

  close(): void {
    this.overview.close();
    this.decoded.close();
  }
}

class Borrowed implements Whole {
  constructor(private readonly bitmap: ImageBitmap) {}

  whole(): Promise<ImageBitmap> {
    return Promise.resolve(this.bitmap);
  }

  close(): void {
    // The bitmap is the caller's.
  }
}

/** A file that is decoded while tiles are cut from it: 60 megapixels are 240 MB. */
class Decoded implements Whole {
  #bitmap: Promise<ImageBitmap> | null = null;
  #timer = 0;

  constructor(private readonly file: Blob) {}

  whole(): Promise<ImageBitmap> {
    this.#bitmap ??= createImageBitmap(this.file);
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.close(), IDLE);
    return this.#bitmap;
  }

  close(): void {
    clearTimeout(this.#timer);
    const bitmap = this.#bitmap;
    this.#bitmap = null;
    // Whoever asked for a file that cannot be decoded was told; here there is only nothing to close.
    bitmap?.then((decoded) => decoded.close()).catch(() => undefined);
  }
}

function shrunk({ width, height }: Size): { resizeWidth: number; resizeHeight: number; resizeQuality: "medium" } {
  const share = Math.min(1, OVERVIEW / Math.max(width, height));
  const side = (length: number): number => Math.max(1, Math.round(length * share));
  return { resizeWidth: side(width), resizeHeight: side(height), resizeQuality: "medium" };
}
