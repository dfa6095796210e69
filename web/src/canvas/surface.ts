/** What stands in the page: three sheets, one over the other, and what a screen reader meets. */

import type { Sheet } from "./loop";
import type { Size } from "./types";
import type { Words } from "./words";

/** How strongly marks cover the picture. */
const MARKS = "0.6";

/** Milliseconds that keys must rest before something is said, so that a held arrow key does not talk all the way. */
const REST = 250;

type Styles = Partial<Record<string, string>>;

export class Surface {
  readonly root: HTMLElement;
  readonly sheets: Readonly<Record<Sheet, CanvasRenderingContext2D>>;
  readonly #live: HTMLElement;
  readonly #observer: ResizeObserver;
  readonly #end = new AbortController();
  #timer = 0;

  constructor(
    private readonly host: HTMLElement,
    words: Words,
    private readonly resized: () => void,
  ) {
    const document = host.ownerDocument;
    this.root = styled(document.createElement("div"), {
      position: "relative",
      width: "100%",
      height: "100%",
      overflow: "hidden",
      touchAction: "none",
      userSelect: "none",
      contain: "strict",
    });
    this.root.tabIndex = 0;
    this.sheets = { picture: this.#sheet(), marks: this.#sheet(), hand: this.#sheet() };
    this.sheets.marks.canvas.style.opacity = MARKS;
    this.#live = hidden(document.createElement("div"));
    this.#live.setAttribute("aria-live", "polite");
    this.#describe(words);
    host.append(this.root);
    this.#observer = new ResizeObserver((entries) => this.#measure(entries.at(-1)));
    this.#watch();
    this.#showFocus();
  }

  /** Device pixels of the sheets. */
  get size(): Size {
    const { width, height } = this.sheets.picture.canvas;
    return { width, height };
  }

  /** Device pixels along a CSS pixel. */
  get ratio(): number {
    return this.#window.devicePixelRatio || 1;
  }

  get rtl(): boolean {
    return this.#window.getComputedStyle(this.root).direction === "rtl";
  }

  /** Whether the person asked that nothing moves by itself. */
  get calm(): boolean {
    return this.#window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  }

  say(text: string): void {
    clearTimeout(this.#timer);
    this.#timer = this.#window.setTimeout(() => (this.#live.textContent = text), REST);
  }

  destroy(): void {
    clearTimeout(this.#timer);
    this.#end.abort();
    this.#observer.disconnect();
    this.root.remove();
    // Sheets of no size give their memory back now, not when the collector comes by.
    for (const { canvas } of Object.values(this.sheets)) canvas.width = canvas.height = 0;
  }

  get #window(): Window {
    return this.host.ownerDocument.defaultView ?? window;
  }

  #sheet(): CanvasRenderingContext2D {
    const canvas = styled(this.host.ownerDocument.createElement("canvas"), {
      position: "absolute",
      left: "0",
      top: "0",
      width: "100%",
      height: "100%",
      pointerEvents: "none",
    });
    canvas.setAttribute("aria-hidden", "true");
    // What was drawn is lost when the graphics driver starts anew, or a tab wakes up.
    canvas.addEventListener("contextrestored", () => this.resized());
    this.root.append(canvas);
    const context = canvas.getContext("2d");
    if (!context) throw new Error("The browser has no memory left to draw on.");
    return context;
  }

  #describe(words: Words): void {
    const keys = hidden(this.host.ownerDocument.createElement("div"));
    keys.id = `canvas-keys-${Math.random().toString(36).slice(2)}`;
    keys.textContent = words.keys;
    const names = {
      role: "application",
      "aria-label": words.label,
      "aria-roledescription": words.role,
      "aria-describedby": keys.id,
    };
    for (const [name, value] of Object.entries(names)) this.root.setAttribute(name, value);
    this.root.append(keys, this.#live);
  }

  /** Watch the element's size, and the screen's density, which changes without it when a window is dragged over. */
  #watch(): void {
    try {
      this.#observer.observe(this.root, { box: "device-pixel-content-box" });
    } catch {
      this.#observer.observe(this.root); // Safari knows CSS pixels only
    }
    const dense = this.#window.matchMedia(`(resolution: ${this.ratio}dppx)`);
    const again = (): void => {
      this.#observer.disconnect();
      this.#watch();
    };
    dense.addEventListener("change", again, { once: true, signal: this.#end.signal });
  }

  #measure(entry: ResizeObserverEntry | undefined): void {
    // Safari has none of it, whatever the types say.
    const exact = (entry as Partial<ResizeObserverEntry> | undefined)?.devicePixelContentBoxSize?.[0];
    const { width, height } = this.root.getBoundingClientRect();
    const across = dense(width * this.ratio, exact?.inlineSize);
    const down = dense(height * this.ratio, exact?.blockSize);
    if (!across || !down || (across === this.size.width && down === this.size.height)) return;
    for (const { canvas } of Object.values(this.sheets)) Object.assign(canvas, { width: across, height: down });
    this.resized();
  }

  /** Show the focus unless a pointer brought it. By the CSSOM, as the page's CSP lets no style sheet be put in. */
  #showFocus(): void {
    const { root } = this;
    let pointed = false;
    const show = (now: boolean): void => {
      pointed = now;
      const seen = !pointed && root.matches(":focus-visible");
      Object.assign(root.style, { outline: seen ? "3px solid Highlight" : "none", outlineOffset: "-3px" });
    };
    const on = (kind: string, listener: () => void): void =>
      root.addEventListener(kind, listener, { signal: this.#end.signal });
    on("pointerdown", () => show(true));
    on("keydown", () => show(false));
    on("focus", () => show(pointed));
    on("blur", () => show(false));
  }
}

/** Whole device pixels; those the browser counted, unless it counts others than it draws, as when it plays a phone. */
function dense(length: number, counted: number | undefined): number {
  return counted !== undefined && Math.abs(counted - length) <= 1 ? counted : Math.round(length);
}

export function styled<E extends HTMLElement>(element: E, styles: Styles): E {
  Object.assign(element.style, styles);
  return element;
}

/** Keep an element for screen readers only. */
function hidden(element: HTMLElement): HTMLElement {
  return styled(element, {
    position: "absolute",
    width: "1px",
    height: "1px",
    overflow: "hidden",
    clipPath: "inset(50%)",
    whiteSpace: "nowrap",
  });
}
