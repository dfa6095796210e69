import { Events } from "../canvas/events";
import type { About, Bytes, Item, Kind, Model, Said, Standing } from "./kernel";

/** Milliseconds after which a kernel that does not answer is busy with something else. */
const PATIENCE = 4000;

interface Heard<K extends Kind> {
  readonly said: Said[K];
  readonly bytes: readonly Bytes[];
}

type Messages = { [K in Kind]: Heard<K> };

interface Changes {
  /** The pictures are others now, or otherwise. */
  pictures: readonly Item[];
  recipe: Standing;
  /** Whether the kernel answers, is busy, or is gone. */
  state: Presence;
}

export type Presence = "here" | "busy" | "gone";

export class KernelGone extends Error {
  constructor() {
    super("The kernel is gone.");
  }
}

/** Talks with the kernel, and notices when nobody is there any more. */
export class Link {
  /** Tells this view from others of the same studio. */
  readonly view = crypto.randomUUID();
  readonly messages = new Events<Messages>();
  readonly changes = new Events<Changes>();
  #turn = 0;
  #state: Presence = "here";
  #timer = 0;
  readonly #listeners: readonly (readonly [string, (...told: never[]) => void])[];

  constructor(private readonly model: Model) {
    this.#listeners = [
      ["msg:custom", (content: unknown, buffers: readonly Bytes[]) => this.#hear(content, buffers)],
      ["change:_pictures", () => this.changes.emit("pictures", this.pictures)],
      ["change:_recipe", () => this.changes.emit("recipe", this.standing)],
      // The notebook tells of a kernel that was restarted or shut down; nothing brings this one's pictures back.
      ["comm_live_update", () => this.#become("gone")],
    ];
    for (const [name, listener] of this.#listeners) model.on(name, listener);
  }

  get about(): About {
    return this.model.get("_about") as About;
  }

  get pictures(): readonly Item[] {
    return this.model.get("_pictures") as readonly Item[];
  }

  get standing(): Standing {
    return this.model.get("_recipe") as Standing;
  }

  get state(): Presence {
    return this.#state;
  }

  /** Say something; gives the turn by which the answer is known. */
  say(kind: string, content: Readonly<Record<string, unknown>> = {}, bytes?: ArrayBuffer): number {
    const turn = ++this.#turn;
    this.#await();
    try {
      const sent = this.model.send({ ...content, kind, view: this.view, turn }, undefined, bytes ? [bytes] : []);
      // Some notebooks give a promise that fails where the kernel is no more.
      Promise.resolve(sent).catch(() => this.#become("gone"));
    } catch {
      this.#become("gone");
    }
    return turn;
  }

  /** Ask, and wait for one of these answers. Rejects where the kernel is gone, or says that it cannot be done. */
  ask<K extends Kind>(
    kinds: readonly K[],
    kind: string,
    content: Readonly<Record<string, unknown>>,
    bytes?: ArrayBuffer,
  ) {
    return new Promise<{ [Each in K]: Heard<Each> & { readonly kind: Each } }[K]>((resolve, reject) => {
      const ends: (() => void)[] = [];
      const over = (act: () => void): void => {
        for (const end of ends) end();
        act();
      };
      const turn = this.say(kind, content, bytes);
      const mine = (said: { view?: string | null; turn?: number | null }): boolean =>
        said.view === this.view && said.turn === turn;
      for (const one of kinds) {
        const listen = (heard: Messages[K]): void => {
          if (mine(heard.said as { view: string; turn: number })) over(() => resolve({ ...heard, kind: one } as never));
        };
        ends.push(this.messages.on(one, listen));
      }
      ends.push(
        this.messages.on("problem", ({ said }) => {
          if (mine(said.asked)) over(() => reject(new Error(said.sentence)));
        }),
        this.changes.on("state", (state) => {
          if (state === "gone") over(() => reject(new KernelGone()));
        }),
      );
      if (this.#state === "gone") over(() => reject(new KernelGone()));
    });
  }

  close(): void {
    if (this.#state !== "gone") this.say("bye");
    clearTimeout(this.#timer);
    for (const [name, listener] of this.#listeners) this.model.off(name, listener);
    this.messages.clear();
    this.changes.clear();
  }

  #hear(content: unknown, bytes: readonly Bytes[]): void {
    const said = content as { readonly kind: Kind } & Said[Kind];
    clearTimeout(this.#timer);
    this.#become("here");
    this.messages.emit(said.kind, { said, bytes } as never);
  }

  /** Whatever is said is answered, at once; until then the kernel is busy with a cell. */
  #await(): void {
    clearTimeout(this.#timer);
    if (this.#state !== "gone") this.#timer = window.setTimeout(() => this.#become("busy"), PATIENCE);
  }

  #become(state: Presence): void {
    if (state === this.#state) return;
    this.#state = state;
    this.changes.emit("state", state);
  }
}
