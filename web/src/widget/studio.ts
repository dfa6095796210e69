/** One view of a studio. */

import type { Recipe } from "../api/types";
import { button, make } from "./dom";
import { handedOver, packed, Refused, sent, taken } from "./files";
import type { Standing } from "./kernel";
import type { Link, Presence } from "./link";
import { List } from "./list";
import { Panel } from "./panel";
import { Show } from "./show";
import { Tools } from "./tools";

/** Milliseconds between two recipes that are sent while a slider is dragged. */
const PACE = 120;

const PRESENCE: Readonly<Record<Presence, string>> = {
  here: "",
  busy: "The kernel is busy with a cell; what you ask for here is done when it is free.",
  gone: "The kernel is gone, and the pictures of this studio with it: run its cell again.",
};

export class Studio {
  readonly #root = make("div", "cleancut-studio");
  readonly #list: List;
  readonly #panel: Panel;
  readonly #show: Show;
  readonly #notice = make("p", "cc-notice", { role: "alert", hidden: true });
  readonly #at = make("p", "cc-at", { role: "status", hidden: true });
  readonly #all = button("Download all (ZIP)", () => void this.#downloadAll());
  readonly #input = make("input", "cc-files", { type: "file", multiple: true, "aria-label": "Choose pictures" });
  #recipe: Recipe;
  #sentTurn = 0;
  #timer = 0;
  #chosen = "";
  /** Files are sent one after the other, in the order they came. */
  #sending: Promise<void> = Promise.resolve();

  constructor(
    host: HTMLElement,
    private readonly link: Link,
  ) {
    this.#recipe = link.standing.recipe;
    this.#list = new List({
      choose: (id) => this.#choose(id),
      download: (id) => void this.#download(id),
      remove: (id) => void link.say("remove", { id }),
      again: (id) => {
        link.say("again", { id });
        this.#choose(id);
      },
    });
    this.#panel = new Panel(link.about, (file) => this.#background(file), (recipe) => this.#change(recipe)); // prettier-ignore
    this.#show = new Show(link, () => this.#recipe, { strokes: () => undefined, say: (text) => said(this.#at, text) });
    this.#build(host);
    this.#listen();
    this.#panel.show(this.#recipe);
    this.#pictures();
    link.say("hello");
  }

  destroy(): void {
    clearTimeout(this.#timer);
    this.#show.destroy();
    this.#list.destroy();
    this.link.close();
    this.#root.remove();
  }

  #build(host: HTMLElement): void {
    // Jupyter's shortcuts are single letters: without this, B would add a cell instead of taking the brush.
    this.#root.setAttribute("data-lm-suppress-shortcuts", "true");
    this.#input.accept = `image/*,${this.link.about.accepts}`;
    this.#input.onchange = () => {
      this.#take([...(this.#input.files ?? [])]);
      this.#input.value = "";
    };
    const add = button("Add pictures …", () => this.#input.click(), "cc-add");
    const drop = make("div", "cc-drop", {}, add, "or drop them here", this.#input);
    const side = make("div", "cc-side", {}, drop, this.#list.root, this.#all, this.#panel.root);
    const tools = new Tools(this.#show.stage);
    const main = make("div", "cc-main", {}, tools.root, this.#show.root, this.#at);
    this.#root.append(this.#notice, main, side);
    host.append(this.#root);
    this.#takeDrops();
  }

  #takeDrops(): void {
    const over = (on: boolean) => this.#root.classList.toggle("cc-over", on);
    this.#root.addEventListener("dragover", (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      event.stopPropagation();
      over(true);
    });
    this.#root.addEventListener("dragleave", (event) => {
      if (!(event.relatedTarget instanceof Node && this.#root.contains(event.relatedTarget))) over(false);
    });
    this.#root.addEventListener("drop", (event) => {
      over(false);
      const files = [...(event.dataTransfer?.files ?? [])];
      if (!files.length) return;
      event.preventDefault();
      event.stopPropagation();
      this.#take(files);
    });
  }

  #listen(): void {
    const { messages, changes } = this.link;
    changes.on("pictures", () => this.#pictures());
    changes.on("recipe", (standing) => this.#adopt(standing));
    changes.on("state", (state) => this.#presence(state));
    messages.on("thumb", ({ said: { id }, bytes: [picture] }) => {
      if (picture) this.#list.picture(id, new Blob([picture], { type: "image/webp" }));
    });
    messages.on("problem", ({ said: { asked, sentence } }) => {
      if (asked.view !== this.link.view) return;
      if (asked.kind === "recipe") this.#adopt({ ...this.link.standing, by: "" });
      if (asked.kind === "recipe" || asked.kind === "strokes") said(this.#at, sentence);
    });
  }

  #pictures(): void {
    const items = this.link.pictures;
    const here = items.some(({ id }) => id === this.#chosen);
    const first = items.find(({ state }) => state !== "failed") ?? items[0];
    if (!here) this.#choose(first?.id ?? "");
    this.#list.show(items, this.#chosen);
    this.#all.disabled = !items.some(({ state }) => state === "done") || this.link.state === "gone";
  }

  #choose(id: string): void {
    this.#chosen = id;
    this.#show.choose(id);
    this.#list.show(this.link.pictures, id);
  }

  #change(recipe: Recipe): void {
    this.#recipe = recipe;
    if (this.#timer) return;
    this.#timer = window.setTimeout(() => {
      this.#timer = 0;
      this.#sentTurn = this.link.say("recipe", { recipe: this.#recipe });
      this.#show.want();
    }, PACE);
  }

  /** Take what another view, or a cell, has made of the recipe. */
  #adopt({ recipe, by }: Standing): void {
    const [view, turn] = by.split(" ");
    if (view === this.link.view && Number(turn) <= this.#sentTurn) return;
    if (JSON.stringify(recipe) === JSON.stringify(this.#recipe)) return;
    this.#recipe = recipe;
    this.#panel.show(recipe);
    this.#show.want();
  }

  #take(files: readonly File[]): void {
    this.#sending = this.#sending.then(async () => {
      for (const [index, file] of files.entries()) {
        try {
          await sent(this.link, file);
        } catch (error) {
          if (!(error instanceof Error)) throw error;
          if (error instanceof Refused && !error.full) continue; // it is in the list, with the reason
          const left = files.length - index;
          said(this.#notice, left > 1 ? `${error.message} ${left} files were not taken.` : error.message);
          return;
        }
      }
      if (this.link.state === "here") said(this.#notice, "");
    });
  }

  async #background(file: File): Promise<string> {
    try {
      return await sent(this.link, file, "background");
    } catch (error) {
      if (error instanceof Error) said(this.#at, error.message);
      throw error;
    }
  }

  async #download(id: string): Promise<void> {
    await this.#telling(async () => handedOver(await taken(this.link, id)));
  }

  async #downloadAll(): Promise<void> {
    const label = this.#all.textContent;
    const ids = this.link.pictures.filter(({ state }) => state === "done").map(({ id }) => id);
    this.#all.disabled = true;
    const told = (done: number) => (this.#all.textContent = `${done} of ${ids.length} …`);
    await this.#telling(async () => handedOver(await packed(this.link, ids, told)));
    this.#all.textContent = label;
    this.#all.disabled = this.link.state === "gone";
  }

  async #telling(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      said(this.#at, error.message);
    }
  }

  #presence(state: Presence): void {
    said(this.#notice, PRESENCE[state]);
    this.#root.classList.toggle("cc-gone", state === "gone");
    if (state === "gone") for (const part of this.#root.querySelectorAll<HTMLElement>(".cc-side")) part.inert = true;
  }
}

function said(place: HTMLElement, text: string): void {
  place.textContent = text;
  place.hidden = !text;
}
