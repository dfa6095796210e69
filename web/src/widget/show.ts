/** The picture on the stage: what the kernel last made of it, and what a hand draws on it. */

import { createStage, type Stage, type Stroke } from "../canvas";
import type { Recipe } from "../api/types";
import { movesCanvas } from "../queue/recipes";
import { make } from "./dom";
import type { Bytes } from "./kernel";
import type { Link } from "./link";

const PNG = { type: "image/png" };

export interface Told {
  /** The strokes of the picture are others now. */
  readonly strokes: (strokes: readonly Stroke[]) => void;
  /** Say something at the picture; nothing takes it away. */
  readonly say: (text: string) => void;
}

export class Show {
  readonly root = make("div", "cc-stage");
  readonly stage: Stage;
  #id = "";
  #turn = 0;
  #source: Blob | null = null;
  #moved = false;

  constructor(
    private readonly link: Link,
    private readonly recipe: () => Recipe,
    private readonly told: Told,
  ) {
    this.stage = createStage(this.root);
    this.stage.setMode("compare");
    this.stage.setTool("pan");
    this.#leaveTheWheel();
    this.stage.on("stroke", ({ strokes }) => {
      if (!this.#id) return;
      link.say("strokes", { id: this.#id, strokes });
      told.strokes(strokes);
      this.want();
    });
    this.stage.setMarksShown(false);
    this.stage.on("tool", () => {
      this.stage.setMarksShown(this.#bare);
      if (this.#bareChanged()) this.want();
    });
    this.stage.on("refused", () => told.say("A recipe holds no more strokes; clear some."));
    this.stage.on("failed", () => told.say("The browser has no memory left to show this picture."));
    link.messages.on("shown", ({ said, bytes }) => {
      if (said.view !== link.view || said.id !== this.#id || said.turn !== this.#turn) return;
      told.say("");
      void this.#put(bytes, said.whole, said.strokes);
    });
    link.messages.on("unshown", ({ said }) => {
      if (said.view === link.view && said.id === this.#id && said.turn === this.#turn) told.say(said.sentence);
    });
    link.messages.on("marked", ({ said }) => said.id === this.#id && this.want(true));
  }

  /** Show another picture, or none. */
  choose(id: string): void {
    this.#id = id;
    this.#source = null;
    this.told.say("");
    void this.stage.setSource(null);
    void this.stage.setResult(null);
    this.stage.setStrokes([]);
    if (id) this.want(true);
  }

  /** Ask for what the recipe makes of the picture, and for the picture itself where it is `whole`. */
  want(whole = !this.#source): void {
    if (!this.#id) return;
    this.#moved = this.#bare ? false : movesCanvas(this.recipe());
    this.#turn = this.link.say("want", { id: this.#id, bare: this.#bare, whole });
  }

  destroy(): void {
    this.stage.destroy();
  }

  /** Who corrects the edge sees it without effects, on the picture's own canvas. */
  get #bare(): boolean {
    return this.stage.tool !== "pan";
  }

  #wasBare = false;

  #bareChanged(): boolean {
    const changed = this.#bare !== this.#wasBare;
    this.#wasBare = this.#bare;
    return changed && Boolean(this.recipe().effects?.length);
  }

  async #put([result, source]: readonly Bytes[], whole: boolean, strokes: readonly Stroke[]): Promise<void> {
    if (!result) return;
    const moved = this.#moved;
    if (whole && source) {
      this.#source = new Blob([source], PNG);
      this.stage.setStrokes(strokes);
    }
    try {
      // Where effects changed the canvas, before and after do not lie on each other.
      await this.stage.setSource(moved ? null : this.#source);
      await this.stage.setResult(new Blob([result], PNG));
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.told.say("This browser cannot show the preview; the result can still be downloaded.");
      return;
    }
    if (moved) this.stage.setMode("result");
    if (whole) this.stage.fit();
  }

  /** A wheel scrolls the notebook, until a person has put a hand on the stage. */
  #leaveTheWheel(): void {
    const leave = (event: WheelEvent): void => {
      if (!event.ctrlKey && !this.root.contains(document.activeElement)) event.stopPropagation();
    };
    this.root.addEventListener("wheel", leave, { capture: true, passive: true });
  }
}
