/** Turns pointers into drawing, panning and pinching. Points are CSS pixels of the client area. */

import type { Point } from "./types";

export interface Touch extends Point {
  /** From 0 to 1, or null of what has no pressure. */
  readonly pressure: number | null;
}

export interface Hands {
  /** Whether one pointer draws; otherwise it pans. */
  draws(): boolean;
  /** Begin to draw, or to erase with a pen's other end. */
  begin(at: Touch, erases: boolean): void;
  draw(through: readonly Touch[]): void;
  end(): void;
  /** Forget what was begun. */
  drop(): void;
  hover(at: Point | null): void;
  pan(dx: number, dy: number): void;
  pinch(before: readonly [Point, Point], now: readonly [Point, Point]): void;
  zoom(factor: number, at: Point): void;
  /** Two quick clicks or taps while nothing is drawn. */
  twice(at: Point): void;
}

type Doing = "nothing" | "drawing" | "panning" | "pinching";

/** CSS pixels that a finger may have drawn by the time a second one shows that a pinch was meant. */
const SLIP = 12;

/** Wheels turn by these many CSS pixels a line, a page. */
const LINE = 18;
const PAGE = 400;

/** The button that is pressed when a pen is held upside down (W3C Pointer Events, 2.2). */
const UPSIDE_DOWN = 5;

/** How much a wheel zooms by CSS pixel. */
const WHEEL = 0.0022;
const TRACKPAD = 0.01;

export class Pointers {
  readonly #down = new Map<number, Point>();
  readonly #end = new AbortController();
  #doing: Doing = "nothing";
  #pen = false;
  #path = 0;

  constructor(
    private readonly root: HTMLElement,
    private readonly hands: Hands,
  ) {
    const on = <K extends keyof HTMLElementEventMap>(
      kind: K,
      listener: (event: HTMLElementEventMap[K]) => void,
      passive = true,
    ): void => root.addEventListener(kind, listener, { signal: this.#end.signal, passive });
    on("pointerdown", (event) => this.#press(event), false);
    on("pointermove", (event) => this.#move(event));
    on("pointerup", (event) => this.#lift(event));
    on("pointercancel", (event) => this.#lift(event));
    on("pointerleave", (event) => event.pointerType === "touch" || this.hands.hover(null));
    on("dblclick", (event) => this.hands.draws() || this.hands.twice(pointOf(event)));
    on("wheel", (event) => this.#wheel(event), false);
  }

  destroy(): void {
    this.#end.abort();
  }

  #press(event: PointerEvent): void {
    // A hand that holds a pen rests on the screen.
    if (event.pointerType === "touch" && this.#pen) return;
    if (event.pointerType === "mouse" && event.button > 1) return;
    event.preventDefault();
    this.root.focus({ preventScroll: true });
    this.root.setPointerCapture(event.pointerId);
    this.#down.set(event.pointerId, pointOf(event));
    this.#pen = event.pointerType === "pen";
    if (this.#down.size > 1) {
      this.#second();
      return;
    }
    this.#doing = drawsBy(event) && this.hands.draws() ? "drawing" : "panning";
    this.#path = 0;
    this.hands.hover(pointOf(event));
    if (this.#doing === "drawing") this.hands.begin(touchOf(event), event.button === UPSIDE_DOWN);
  }

  /** A second finger makes it a pinch. What the first drew by then was a slip, or is done. */
  #second(): void {
    if (this.#doing === "drawing" && this.#path <= SLIP) this.hands.drop();
    else if (this.#doing === "drawing") this.hands.end();
    this.#doing = this.#down.size === 2 ? "pinching" : "nothing";
    this.hands.hover(null);
  }

  #move(event: PointerEvent): void {
    const before = this.#down.get(event.pointerId);
    const now = pointOf(event);
    if (!before) {
      if (!this.#down.size && event.pointerType !== "touch") this.hands.hover(now);
      return;
    }
    const others = [...this.#down].find(([id]) => id !== event.pointerId)?.[1];
    this.#down.set(event.pointerId, now);
    if (this.#doing === "panning") this.hands.pan(now.x - before.x, now.y - before.y);
    if (this.#doing === "pinching" && others) this.hands.pinch([before, others], [now, others]);
    if (this.#doing !== "drawing") return;
    this.#path += Math.hypot(now.x - before.x, now.y - before.y);
    this.hands.draw(between(event).map(touchOf));
    this.hands.hover(now);
  }

  /** What the system takes away, as when a call comes in, is done too: nothing that was drawn is lost. */
  #lift(event: PointerEvent): void {
    if (!this.#down.delete(event.pointerId)) return;
    if (this.#doing === "drawing") this.hands.end();
    this.#doing = this.#doing === "pinching" && this.#down.size === 2 ? "pinching" : "nothing";
    if (!this.#down.size) this.#pen = false;
    if (event.pointerType === "touch") this.hands.hover(null);
  }

  /** A wheel zooms. Two fingers on a trackpad pan, told by their sideways part, and zoom with Ctrl when they pinch. */
  #wheel(event: WheelEvent): void {
    event.preventDefault();
    const unit = [1, LINE, PAGE][event.deltaMode] ?? 1;
    const [dx, dy] = [event.deltaX * unit, event.deltaY * unit];
    const pinched = event.ctrlKey || event.metaKey;
    if (!pinched && (dx || event.shiftKey)) {
      this.hands.pan(-(dx || dy), dx ? -dy : 0);
      return;
    }
    const pace = pinched && Math.abs(dy) < 50 ? TRACKPAD : WHEEL;
    this.hands.zoom(Math.exp(-dy * pace), pointOf(event));
  }
}

function drawsBy({ button, pointerType }: PointerEvent): boolean {
  return button === 0 || (pointerType === "pen" && button === UPSIDE_DOWN);
}

/** All that happened since the last frame; a page that came by plain HTTP is told of the last event only. */
function between(event: PointerEvent): readonly PointerEvent[] {
  const events = (event as Partial<PointerEvent>).getCoalescedEvents?.call(event) ?? [];
  return events.length ? events : [event];
}

function pointOf({ clientX, clientY }: { clientX: number; clientY: number }): Point {
  return { x: clientX, y: clientY };
}

/** A mouse reports a pressure of ½ that nobody feels. */
function touchOf(event: PointerEvent): Touch {
  return { ...pointOf(event), pressure: event.pointerType === "pen" ? event.pressure : null };
}
