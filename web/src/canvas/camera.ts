import type { Point, Rect, Size } from "./types";
import { between, fitted, held, middleOf, moved, pinched, zoomed, type View } from "./view";

/** Milliseconds of a glide from one view to another. */
const GLIDE = 160;

/** Looks at a frame through a pane: where it is, where it is going, and what stays when the pane changes. */
export class Camera {
  #view: View = { scale: 1, x: 0, y: 0 };
  #frame: Rect = { x: 0, y: 0, width: 1, height: 1 };
  #pane: Size = { width: 1, height: 1 };
  #fitted = true;
  #glide: { readonly from: View; readonly to: View; begun: number | null } | null = null;

  constructor(
    private readonly changed: () => void,
    /** Whether nothing is to move by itself. */
    private readonly calm: () => boolean,
  ) {}

  get view(): View {
    return this.#view;
  }

  get fitted(): boolean {
    return this.#fitted;
  }

  get pane(): Size {
    return this.#pane;
  }

  /** Where a glide goes; the view itself when there is none. */
  get aim(): View {
    return this.#glide?.to ?? this.#view;
  }

  /** Look at another frame, or through another pane: what was in the middle stays there, or all stays in view. */
  setUp(frame: Rect, pane: Size): void {
    const [dx, dy] = [(pane.width - this.#pane.width) / 2, (pane.height - this.#pane.height) / 2];
    this.#frame = frame;
    this.#pane = pane;
    this.#glide = null;
    this.#set(this.#fitted ? fitted(frame, pane) : held(moved(this.#view, dx, dy), frame, pane));
  }

  fit(): void {
    this.#go(fitted(this.#frame, this.#pane));
    this.#fitted = true;
    this.changed();
  }

  /** Zoom to a scale, of device pixels by pixel of the picture, about a point of the pane. */
  zoomTo(scale: number, at: Point = middleOf(this.#pane), glides = true): void {
    const to = held(zoomed(this.aim, scale, at), this.#frame, this.#pane, at);
    if (glides) this.#go(to);
    else this.#jump(to);
  }

  zoomBy(factor: number, at?: Point, glides = true): void {
    this.zoomTo(this.aim.scale * factor, at, glides);
  }

  panBy(dx: number, dy: number): void {
    this.#jump(held(moved(this.#view, dx, dy), this.#frame, this.#pane));
  }

  pinch(before: readonly [Point, Point], now: readonly [Point, Point]): void {
    const [a, b] = now;
    const middle = { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
    this.#jump(held(pinched(this.#view, before, now), this.#frame, this.#pane, middle));
  }

  /** Look at a view given from outside, such as that of another stage. */
  show(view: View): void {
    this.#jump(held(view, this.#frame, this.#pane));
  }

  /** Bring a point of the picture into the pane, with `margin` device pixels around it. */
  reveal({ x, y }: Point, margin: number): void {
    const { scale, x: left, y: top } = this.#view;
    const [onX, onY] = [x * scale + left, y * scale + top];
    const shift = (at: number, length: number): number => Math.max(0, margin - at) - Math.max(0, at - length + margin);
    const [dx, dy] = [shift(onX, this.#pane.width), shift(onY, this.#pane.height)];
    if (dx || dy) this.#jump(moved(this.#view, dx, dy));
  }

  /** Move on to where a glide is at this time. */
  step(now: number): void {
    if (!this.#glide) return;
    this.#glide.begun ??= now;
    const share = Math.min(1, (now - this.#glide.begun) / GLIDE);
    const { from, to } = this.#glide;
    if (share === 1) this.#glide = null;
    this.#set(between(from, to, share * (2 - share)));
  }

  #go(to: View): void {
    this.#fitted = false;
    if (this.calm()) {
      this.#jump(to);
      return;
    }
    this.#glide = { from: this.#view, to, begun: null };
    this.changed();
  }

  #jump(to: View): void {
    this.#glide = null;
    this.#fitted = false;
    this.#set(to);
  }

  #set(view: View): void {
    this.#view = view;
    this.changed();
  }
}
