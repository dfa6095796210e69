import { signal } from "@preact/signals";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Client } from "../api/client";
import { isAbort, needsKey, Problem, problemFrom } from "../api/problem";
import type { Recipe } from "../api/types";
import type { Stage } from "../canvas/stage.ts";
import { Bench } from "./bench";
import { Keeper } from "./keeping";
import { Looks } from "./looks";
import { problemText } from "./parts/telling";
import { keepKey, keyOfTab, remember, remembered } from "./storage";
import type { Place } from "./works";

export type Dialog = "none" | "help" | "clear" | "wrongKey" | "key";

export interface Rival {
  readonly entryId: string;
  readonly recipe: Recipe;
  /** How it is chosen in the list: a model's name with `model:` before it, or one of a few words. */
  readonly choice: string;
}

/** Everything that the components of the page share. */
export class App {
  readonly bench: Bench;
  readonly looks: Looks;
  readonly keeper: Keeper;
  readonly dialog = signal<Dialog>("none");
  /** What is said aloud and shown for a while. */
  readonly notice = signal("");
  /** What shows the picture, as long as there is one. */
  readonly stage = signal<Stage | null>(null);
  /** What is compared with side by side: the recipe of B, and the picture it is one of. */
  readonly rival = signal<Rival | null>(null);
  /** Why the page cannot begin. */
  readonly trouble = signal<Problem | null>(null);

  constructor(readonly client: Client) {
    this.bench = new Bench(client);
    this.looks = new Looks(this.bench);
    this.keeper = new Keeper(this.bench);
  }

  /** Ask the server what it is; where it wants a key, ask the person for one. */
  async begin(): Promise<void> {
    this.trouble.value = null;
    this.client.setKey(keyOfTab());
    try {
      const [service, models, catalogues] = await Promise.all([
        this.client.service(),
        this.client.models(),
        this.client.catalogues(),
      ]);
      this.settle({ service, models, catalogues, server: true });
    } catch (error) {
      this.#refused(error);
    }
  }

  /** Begin at a place that is known. */
  settle(place: Place): void {
    const { works } = this.bench;
    const local = place.service.local !== null;
    works.deviceOnly.value = local && (!place.server || remembered("deviceOnly") === "yes");
    works.quickLook.value = local && remembered("quickLook") === "yes";
    works.place.value = place;
    // Only where the page can do something without a server is it worth keeping for when there is none.
    if (local) void import("../local/offline/offline").then(({ startOffline }) => startOffline());
    this.dialog.value = "none";
  }

  /** Do something that may fail, and tell the person if it does. */
  async told(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.say(error);
    }
  }

  /** Tell what went wrong; that the person stopped it needs no word. */
  say(error: unknown): void {
    if (!isAbort(error)) this.notice.value = problemText(problemFrom(error));
  }

  useKey(key: string): void {
    keepKey(key);
    void this.begin();
  }

  setDeviceOnly(on: boolean): void {
    if (on) this.bench.works.stayHere(this.bench.entries.peek());
    else this.bench.works.deviceOnly.value = false;
    remember("deviceOnly", on ? "yes" : "no");
  }

  setQuickLook(on: boolean): void {
    this.bench.works.quickLook.value = on;
    remember("quickLook", on ? "yes" : "no");
  }

  #refused(error: unknown): void {
    if (!(error instanceof Problem)) throw error;
    if (needsKey(error)) this.dialog.value = error.code === "wrong_key" ? "wrongKey" : "key";
    else this.trouble.value = error;
  }
}

const Shared = createContext<App | null>(null);

export const Provide = Shared.Provider;

/** The app that a component is part of. */
export function useApp(): App {
  const app = useContext(Shared);
  if (!app) throw new Error("A component stands outside of the page.");
  return app;
}
