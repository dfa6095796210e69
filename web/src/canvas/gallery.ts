import { blur } from "./blur";
import { contextOf, openPicture, openPlane, readPlane, type Pixels } from "./pixels";
import type { TilePool } from "./pool";
import type { Cut, Scene } from "./scene";
import type { AlphaPlane, Background, Picture, Rect, Side } from "./types";
import { clamped } from "./view";

/** Pixels along the longer side of a blurred picture: there is nothing finer in it. */
const BLURRED = 256;
const BLUR = 0.02;

type Slot = "source" | Side | "backdrop";

/** Takes pictures in and lets them go. Of two that were meant for one place, the later stays. */
export class Gallery {
  readonly scene: Scene = {
    source: null,
    a: null,
    b: null,
    backdrop: { kind: "checkerboard" },
    mode: "result",
    split: 0.5,
  };
  readonly #turns = new Map<Slot, number>();
  #background: Background = { kind: "checkerboard" };
  #closed = false;

  constructor(
    private readonly pool: TilePool,
    private readonly changed: () => void,
  ) {}

  async setSource(picture: Picture | null): Promise<void> {
    const came = await this.#take("source", () => (picture ? openPicture(picture) : null));
    if (came === undefined) return;
    this.#release(this.scene.source?.pixels);
    this.scene.source = came && { pixels: came, placed: null };
    this.changed();
    if (this.#background.kind === "blur") await this.setBackground(this.#background);
  }

  async setResult(side: Side, picture: Picture | null, placed: Rect | null): Promise<void> {
    const came = await this.#take(side, () => (picture ? openPicture(picture) : null));
    if (came !== undefined) this.#hang(side, came && { kind: "result", pixels: came, placed });
  }

  async setAlpha(side: Side, alpha: AlphaPlane | Picture | null): Promise<void> {
    const came = await this.#take(side, async () => {
      if (!alpha) return null;
      return openPlane("data" in alpha ? alpha : await readPlane(alpha));
    });
    if (came !== undefined) this.#hang(side, came && { kind: "alpha", pixels: came, placed: null });
  }

  async setBackground(background: Background): Promise<void> {
    if (background.kind === "color" && !CSS.supports("color", background.color)) {
      throw new RangeError(`${background.color} is no colour.`);
    }
    this.#background = background;
    const came = await this.#take("backdrop", () => this.#behind(background));
    if (came === undefined) return;
    if (this.scene.backdrop.kind === "picture") this.#release(this.scene.backdrop.pixels);
    if (came) this.scene.backdrop = { kind: "picture", pixels: came };
    else this.scene.backdrop = background.kind === "color" ? background : { kind: "checkerboard" };
    this.changed();
  }

  close(): void {
    this.#closed = true;
    const { source, a, b, backdrop } = this.scene;
    const all = [source?.pixels, a?.pixels, b?.pixels, backdrop.kind === "picture" ? backdrop.pixels : undefined];
    for (const pixels of all) this.#release(pixels);
    Object.assign(this.scene, { source: null, a: null, b: null, backdrop: { kind: "checkerboard" } });
  }

  /** Open what was given; undefined if something else was given for the same place in the meantime. */
  async #take(
    slot: Slot,
    open: () => Promise<Pixels> | Pixels | null | Promise<Pixels | null>,
  ): Promise<Pixels | null | undefined> {
    const turn = (this.#turns.get(slot) ?? 0) + 1;
    this.#turns.set(slot, turn);
    const pixels = await open();
    if (!this.#closed && this.#turns.get(slot) === turn) return pixels;
    pixels?.close();
    return undefined;
  }

  #hang(side: Side, cut: Cut | null): void {
    this.#release(this.scene[side]?.pixels);
    this.scene[side] = cut;
    this.changed();
  }

  #release(pixels: Pixels | undefined): void {
    if (pixels) this.pool.close(pixels);
  }

  #behind(background: Background): Promise<Pixels> | null {
    if (background.kind === "picture") return openPicture(background.picture);
    const { source } = this.scene;
    return background.kind === "blur" && source ? blurred(source.pixels, background.radius ?? BLUR) : null;
  }
}

/** Make a small blurred copy; `radius` is the Gaussian's, as a share of the longer side. */
async function blurred({ overview }: Pixels, radius: number): Promise<Pixels> {
  const share = Math.min(1, BLURRED / Math.max(overview.width, overview.height));
  const [width, height] = [overview.width, overview.height].map((side) => Math.max(1, Math.round(side * share)));
  if (!width || !height) throw new RangeError("There is nothing to blur.");
  const context = contextOf(new OffscreenCanvas(width, height));
  context.imageSmoothingQuality = "high";
  context.drawImage(overview, 0, 0, width, height);
  const image = context.getImageData(0, 0, width, height);
  blur(image.data, image, clamped(radius, 0, 0.5) * Math.max(width, height));
  const bitmap = await createImageBitmap(image);
  const pixels = await openPicture(bitmap);
  bitmap.close();
  return pixels;
}
