import { styled } from "./surface";
import { clamped } from "./view";
import type { Words } from "./words";

/** CSS pixels across what can be grasped: WCAG 2.2 asks for 24. */
const GRIP = 28;

const STEPS = new Map([
  ["PageUp", 0.1],
  ["PageDown", -0.1],
  ["Home", -1],
  ["End", 1],
]);

/** The line between before and after, as a slider that a pointer or keys move. */
export class SplitHandle {
  readonly element: HTMLElement;

  constructor(
    root: HTMLElement,
    private readonly words: Words,
    private readonly drag: (clientX: number) => void,
    private readonly step: (change: number) => void,
    private readonly isRtl: () => boolean,
  ) {
    const document = root.ownerDocument;
    this.element = styled(document.createElement("div"), {
      position: "absolute",
      top: "0",
      bottom: "0",
      left: "0",
      width: `${GRIP}px`,
      cursor: "ew-resize",
      touchAction: "none",
      display: "none",
    });
    this.element.tabIndex = 0;
    const names = { role: "slider", "aria-label": words.split, "aria-valuemin": "0", "aria-valuemax": "100" };
    for (const [name, value] of Object.entries(names)) this.element.setAttribute(name, value);
    this.#dress(document);
    this.#listen();
    root.append(this.element);
  }

  /** Put it at a place of the element, in CSS pixels; null hides it. */
  place(x: number | null, share: number): void {
    this.element.style.display = x === null ? "none" : "block";
    if (x === null) return;
    this.element.style.transform = `translateX(${x - GRIP / 2}px)`;
    this.element.setAttribute("aria-valuenow", `${Math.round(share * 100)}`);
    this.element.setAttribute("aria-valuetext", this.words.before(share));
  }

  #dress(document: Document): void {
    const line = styled(document.createElement("div"), {
      position: "absolute",
      top: "0",
      bottom: "0",
      left: `${GRIP / 2 - 1}px`,
      width: "2px",
      background: "#ffffff",
      boxShadow: "0 0 0 1px #000000",
      pointerEvents: "none",
    });
    const knob = styled(document.createElement("div"), {
      position: "absolute",
      top: "50%",
      left: "0",
      width: `${GRIP}px`,
      height: `${GRIP}px`,
      boxSizing: "border-box",
      marginTop: `${-GRIP / 2}px`,
      borderRadius: "50%",
      background: "#ffffff",
      border: "2px solid #000000",
      pointerEvents: "none",
    });
    this.element.append(line, knob);
  }

  #listen(): void {
    const { element } = this;
    element.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.stopPropagation();
      element.setPointerCapture(event.pointerId);
      this.drag(event.clientX);
    });
    element.addEventListener("pointermove", (event) => {
      event.stopPropagation();
      if (element.hasPointerCapture(event.pointerId)) this.drag(event.clientX);
    });
    element.addEventListener("keydown", (event) => this.#key(event));
  }

  #key(event: KeyboardEvent): void {
    const sideways = { ArrowRight: 1, ArrowLeft: -1, ArrowUp: 1, ArrowDown: -1 }[event.key];
    const mirrored = this.isRtl() && (event.key === "ArrowRight" || event.key === "ArrowLeft") ? -1 : 1;
    const change = sideways === undefined ? STEPS.get(event.key) : sideways * mirrored * 0.01;
    if (change === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    this.step(clamped(change, -1, 1));
  }
}
