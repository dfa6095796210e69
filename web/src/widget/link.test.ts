import { beforeEach, describe, expect, it, vi } from "vitest";
import { packed, Refused, sent, taken } from "./files";
import type { Bytes, Model } from "./kernel";
import { KernelGone, Link } from "./link";

type Content = Record<string, unknown> & { kind: string; view: string; turn: number };
type Answer = (said: Content, bytes: ArrayBuffer | undefined) => void;

/** A model whose kernel is a function. */
class Kernel implements Model {
  readonly heard: Content[] = [];
  readonly #listeners = new Map<string, ((...told: never[]) => void)[]>();
  answer: Answer = () => undefined;
  traits: Record<string, unknown> = { _about: { chunk: 4 }, _pictures: [], _recipe: { recipe: {}, by: "" } };

  get(name: string): unknown {
    return this.traits[name];
  }

  send(content: unknown, _: undefined, buffers: readonly ArrayBuffer[] = []): void {
    const said = content as Content;
    this.heard.push(said);
    this.answer(said, buffers[0]);
  }

  on(name: string, listener: (...told: never[]) => void): void {
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), listener]);
  }

  off(name: string, listener: (...told: never[]) => void): void {
    this.#listeners.set(
      name,
      (this.#listeners.get(name) ?? []).filter((one) => one !== listener),
    );
  }

  trigger(name: string, ...told: unknown[]): void {
    for (const listener of this.#listeners.get(name) ?? []) listener(...(told as never[]));
  }

  say(kind: string, to: Content, content: object = {}, ...bytes: Bytes[]): void {
    const { view, turn } = to;
    queueMicrotask(() => this.trigger("msg:custom", { kind, view, turn, ...content }, bytes));
  }

  get listens(): number {
    return [...this.#listeners.values()].flat().length;
  }
}

let kernel: Kernel;
let link: Link;

beforeEach(() => {
  kernel = new Kernel();
  link = new Link(kernel);
});

/** A kernel that takes files in pieces. */
function taking(received: number[]): Answer {
  return (said, bytes) => {
    if (said.kind === "begin") kernel.say("go", said, { upload: "u" });
    if (said.kind !== "chunk" || !bytes) return;
    expect(said.offset).toBe(received.length);
    received.push(...new Uint8Array(bytes));
    kernel.say("got", said, { offset: received.length, ...(received.length === 10 ? { id: "x" } : {}) });
  };
}

describe("files", () => {
  it("go out in pieces, each after the one before", async () => {
    const received: number[] = [];
    kernel.answer = taking(received);
    const bytes = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    expect(await sent(link, new File([new Uint8Array(bytes)], "a.png"))).toBe("x");
    expect(received).toEqual(bytes);
    expect(kernel.heard.map(({ kind }) => kind)).toEqual(["begin", "chunk", "chunk", "chunk"]);
  });

  it("say why they were refused", async () => {
    kernel.answer = (said) => kernel.say("refused", said, { sentence: "It is empty.", full: false });
    await expect(sent(link, new File([], "a.png"))).rejects.toEqual(new Refused("It is empty.", false));
    kernel.answer = (said) => {
      const { view, turn, kind } = said;
      kernel.say("problem", said, { asked: { view, turn, kind }, sentence: "No." });
    };
    await expect(sent(link, new File(["x"], "a.png"))).rejects.toThrow("No.");
  });

  it("come in pieces, and as an archive", async () => {
    const data = new Uint8Array([1, 2, 3, 4, 5, 6]);
    kernel.answer = (said) => {
      const name = `${String(said.id)}.png`;
      if (said.kind === "fetch") kernel.say("made", said, { name, type: "image/png", size: 6 });
      const offset = Number(said.offset);
      if (said.kind === "pull") kernel.say("piece", said, { offset }, data.slice(offset, offset + 4).buffer);
    };
    const one = await taken(link, "a");
    expect([one.name, one.blob.type, [...new Uint8Array(await one.blob.arrayBuffer())]]).toEqual([
      "a.png",
      "image/png",
      [...data],
    ]);
    const told: number[] = [];
    const all = await packed(link, ["a", "b"], (done) => told.push(done));
    expect(told).toEqual([1, 2]);
    expect(new Uint8Array(await all.blob.arrayBuffer()).slice(0, 4)).toEqual(new Uint8Array([0x50, 0x4b, 3, 4]));
  });
});

describe("a kernel", () => {
  it("is heard by its own view only", async () => {
    const asked = link.ask(["got"], "chunk", {});
    const [said] = kernel.heard;
    if (!said) throw new Error("nothing was said");
    kernel.say("got", { ...said, view: "another" }, { offset: 1 });
    kernel.say("got", { ...said, turn: 99 }, { offset: 2 });
    kernel.say("got", said, { offset: 3 });
    expect((await asked).said.offset).toBe(3);
  });

  it("is busy where it does not answer, and here as soon as it does", () => {
    vi.useFakeTimers();
    const states: string[] = [];
    link.changes.on("state", (state) => states.push(state));
    link.say("want");
    vi.advanceTimersByTime(10_000);
    kernel.trigger("msg:custom", { kind: "heard", view: link.view, turn: 1 }, []);
    vi.advanceTimersByTime(10_000);
    vi.useRealTimers();
    expect(states).toEqual(["busy", "here"]);
  });

  it("is gone once the notebook says so, and whoever waits is told", async () => {
    const asked = link.ask(["made"], "fetch", {});
    kernel.trigger("comm_live_update");
    await expect(asked).rejects.toThrow(KernelGone);
    await expect(link.ask(["made"], "fetch", {})).rejects.toThrow(KernelGone);
    expect(link.state).toBe("gone");
  });

  it("is gone where nothing can be sent", async () => {
    kernel.answer = () => {
      throw new Error("Kernel is dead");
    };
    await expect(link.ask(["made"], "fetch", {})).rejects.toThrow(KernelGone);
  });

  it("is left without listeners", () => {
    link.close();
    expect([kernel.listens, kernel.heard.at(-1)?.kind]).toEqual([0, "bye"]);
  });
});
