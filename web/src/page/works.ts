import { batch, signal, type Signal } from "@preact/signals";
import type { Catalogues, Client } from "../api/client";
import { own } from "../api/problem";
import type { Assets, ModelInfo, Recipe, Result, ServiceInfo } from "../api/types";
import { current, fileOf, type Entry, type Made } from "../queue/entry";
import { createMaker, type Maker } from "../queue/make";
import { Queue, type Told } from "../queue/queue";
import { assetNames } from "../queue/recipes";
import { createDevice, type Device } from "./device";

/** What the page knows of where it works; told by the server, or by the static build. */
export interface Place {
  readonly service: ServiceInfo;
  readonly models: readonly ModelInfo[];
  readonly catalogues: Catalogues;
  /** Whether there is a server behind the page at all. */
  readonly server: boolean;
}

const QUIET_MS = 900;
const MOST_LANES = 4;

/** Makes results: on the server or on the device, in a queue. */
export class Works {
  readonly place = signal<Place | null>(null);
  readonly queue: Queue;
  readonly maker: Maker;
  /** Pictures that recipes name. */
  readonly assets = new Map<string, Blob>();
  /** Whether nothing may leave the device. */
  readonly deviceOnly = signal(false);
  /** Whether a first look is made on the device while the server works. */
  readonly quickLook = signal(false);
  /** First looks, by entry. */
  readonly quick: Signal<ReadonlyMap<string, Blob>> = signal(new Map<string, Blob>());
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  #device: Device | null = null;

  constructor(client: Client) {
    this.queue = new Queue(() => this.#lanes());
    this.maker = createMaker(
      client,
      (recipe) => this.assetsOf(recipe),
      () => !this.deviceOnly.peek(),
    );
  }

  /** Make the result, where it is made when its turn comes. */
  make(entry: Entry): void {
    clearTimeout(this.#timers.get(entry.id));
    this.queue.add(entry.id, (told) => this.#worked(entry, told));
  }

  /** From now on nothing leaves the device; what is on its way to the server is stopped and made here. */
  stayHere(entries: readonly Entry[]): void {
    this.deviceOnly.value = true;
    for (const entry of entries) {
      const { phase } = this.queue.state(entry.id).peek();
      if (phase === "uploading" || phase === "working" || phase === "paused") this.make(entry);
    }
  }

  /** Make it again once the person pauses. */
  makeSoon(entry: Entry): void {
    clearTimeout(this.#timers.get(entry.id));
    if (this.deviceOnly.peek()) return;
    const later = setTimeout(() => {
      if (!current(entry)) this.make(entry);
    }, QUIET_MS);
    this.#timers.set(entry.id, later);
  }

  /** Give the bytes to save; made now where they are not yet. */
  async ready(entry: Entry, stop?: AbortSignal): Promise<Result> {
    const made = current(entry);
    if (made) return made.result;
    const recipe = entry.history.peek().now;
    const result = await this.maker.result(entry, sent(recipe), { signal: stop });
    this.#finished(entry, { recipe, result, where: "server" });
    return result;
  }

  /** Stop all work on an entry and let everyone forget it. */
  drop(entry: Entry): void {
    clearTimeout(this.#timers.get(entry.id));
    this.queue.remove(entry.id);
    this.maker.forget(entry);
    this.#forgetQuick(entry);
  }

  /** Keep a picture for recipes to name; the server names it by what it shows, so any name will do. */
  keepAsset(picture: Blob): string {
    const name = `picture-${[...crypto.getRandomValues(new Uint32Array(2))].map((n) => n.toString(36)).join("")}`;
    this.assets.set(name, picture);
    return name;
  }

  /**
   * Give the pictures that a recipe names.
   *
   * @throws Problem where one is not here, as an edit list does not carry them.
   */
  assetsOf(recipe: Recipe): Assets {
    const known = this.place.peek()?.catalogues.effects ?? new Map<string, never>();
    const named = assetNames(recipe, known).map((name): [string, Blob] => {
      const picture = this.assets.get(name);
      if (!picture) throw own("missingPicture", { name });
      return [name, picture];
    });
    return new Map(named);
  }

  /** One more than the server works on at once, so that one is sent while others are worked on. */
  #lanes(): number {
    if (this.deviceOnly.peek()) return 1;
    return Math.min(this.place.peek()?.service.limits.workers ?? 1, MOST_LANES) + 1;
  }

  async #worked(entry: Entry, told: Told): Promise<void> {
    const recipe = entry.history.peek().now;
    if (this.deviceOnly.peek()) {
      told.onUpload(1);
      const made = await this.#onDevice(entry, told.signal);
      if (!told.signal.aborted) this.#finished(entry, { recipe, result: made, where: "device" });
      return;
    }
    // A first look that fails is not missed: the server's result is on its way.
    if (this.quickLook.peek() && !entry.made.peek()) this.#glance(entry, told.signal).catch(() => undefined);
    const result = await this.maker.result(entry, sent(recipe), { signal: told.signal, onUpload: told.onUpload });
    if (!told.signal.aborted) this.#finished(entry, { recipe, result, where: "server" });
  }

  async #onDevice(entry: Entry, stop: AbortSignal): Promise<Result> {
    const file = fileOf(entry);
    const info = this.place.peek()?.service.local;
    if (!file || !info) throw own("serverOnly");
    this.#device ??= createDevice(info);
    return await this.#device.cut(file, stop);
  }

  async #glance(entry: Entry, stop: AbortSignal): Promise<void> {
    const { blob } = await this.#onDevice(entry, stop);
    if (!entry.made.peek()) this.quick.value = new Map([...this.quick.peek(), [entry.id, blob]]);
  }

  #finished(entry: Entry, made: Made): void {
    batch(() => {
      entry.made.value = made;
      entry.saved.value = false;
      this.#forgetQuick(entry);
    });
  }

  #forgetQuick(entry: Entry): void {
    const quick = this.quick.peek();
    if (quick.has(entry.id)) this.quick.value = new Map([...quick].filter(([id]) => id !== entry.id));
  }
}

/** The format is stated, so that what comes back is what was asked for, whatever the server's habit. */
export function sent(recipe: Recipe): Recipe {
  return { ...recipe, format: recipe.format ?? "png" };
}
