/** The pictures, how far each is, and what became of all. */

import { button, make } from "./dom";
import type { Item } from "./kernel";

const SIGNS = { waiting: "waiting", working: "looking …", done: "", failed: "failed" } as const;

export interface Wishes {
  readonly choose: (id: string) => void;
  readonly download: (id: string) => void;
  readonly remove: (id: string) => void;
  readonly again: (id: string) => void;
}

interface Row {
  readonly root: HTMLLIElement;
  readonly image: HTMLImageElement;
  told: string;
}

export class List {
  readonly root = make("div", "cc-list");
  readonly #rows = make("ul", "", { "aria-label": "Pictures" });
  readonly #bar = make("progress", "", { max: 1, value: 0, "aria-label": "Pictures that are done" });
  readonly #count = make("span", "cc-count", { role: "status" });
  readonly #known = new Map<string, Row>();
  readonly #thumbs = new Map<string, string>();
  #chosen = "";

  constructor(private readonly wishes: Wishes) {
    this.root.append(make("div", "cc-progress", {}, this.#bar, this.#count), this.#rows);
  }

  show(items: readonly Item[], chosen: string): void {
    this.#chosen = chosen;
    this.#tally(items);
    const here = new Set(items.map(({ id }) => id));
    for (const [id, { root }] of this.#known) {
      if (here.has(id)) continue;
      root.remove();
      this.#known.delete(id);
      this.#forget(id);
    }
    for (const item of items) this.#place(item);
  }

  /** Show what a picture looks like. */
  picture(id: string, blob: Blob): void {
    this.#forget(id);
    const address = URL.createObjectURL(blob);
    this.#thumbs.set(id, address);
    const row = this.#known.get(id);
    if (row) Object.assign(row.image, { src: address, hidden: false });
  }

  destroy(): void {
    for (const id of [...this.#thumbs.keys()]) this.#forget(id);
  }

  #forget(id: string): void {
    const address = this.#thumbs.get(id);
    if (address) URL.revokeObjectURL(address);
    this.#thumbs.delete(id);
  }

  #tally(items: readonly Item[]): void {
    const done = items.filter(({ state }) => state === "done").length;
    const failed = items.filter(({ state }) => state === "failed").length;
    this.#bar.max = Math.max(1, items.length);
    this.#bar.value = done + failed;
    const text = items.length
      ? `${done} of ${items.length} done${failed ? `, ${failed} failed` : ""}`
      : "No pictures yet";
    if (this.#count.textContent !== text) this.#count.textContent = text;
  }

  #place(item: Item): void {
    const row = this.#known.get(item.id) ?? this.#begun(item);
    row.root.classList.toggle("cc-chosen", item.id === this.#chosen);
    const told = JSON.stringify(item);
    if (row.told === told) return;
    row.told = told;
    row.root.dataset.state = item.state;
    const figure = item.confidence === undefined ? "" : `${Math.round(item.confidence * 100)} %`;
    const size = item.size ? `${item.size[0]} × ${item.size[1]}` : "";
    const about = [SIGNS[item.state], size, figure].filter(Boolean).join(" · ");
    const notes = [...(item.error ? [item.error] : []), ...(item.notes ?? [])];
    const name = button(item.name, () => this.wishes.choose(item.id), "cc-name", item.name);
    const text = make("div", "cc-text", {}, name, make("span", "cc-about", { title: "size, confidence" }, about),
      ...notes.map((note) => make("span", item.error === note ? "cc-error" : "cc-note", {}, note))); // prettier-ignore
    row.root.replaceChildren(row.image, text, this.#buttons(item));
  }

  #buttons(item: Item): HTMLElement {
    const named = (text: string, sign: string, act: (id: string) => void): HTMLElement => {
      const made = button(sign, () => act(item.id), "cc-small", text);
      made.setAttribute("aria-label", `${text}: ${item.name}`);
      return made;
    };
    return make("div", "cc-buttons", {},
      item.state === "done" && named("Download", "↓", this.wishes.download),
      item.state === "failed" && item.kept && named("Try again", "↻", this.wishes.again),
      named("Remove", "×", this.wishes.remove)); // prettier-ignore
  }

  #begun({ id }: Item): Row {
    const address = this.#thumbs.get(id);
    const image = make("img", "", { alt: "", hidden: !address, ...(address ? { src: address } : {}) });
    const row = { root: make("li"), image, told: "" };
    this.#known.set(id, row);
    this.#rows.append(row.root);
    return row;
  }
}
