import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { catalogueOf } from "../api/schema";
import type { Client } from "../api/client";
import type { ServiceInfo } from "../api/types";
import { Bench } from "./bench";
import { Keeper } from "./keeping";
import { PRESETS, presetIn, presetOf } from "./presets";
import { readEditList, type KeptEdits, type KeptEntry, type KeptPicture, type Shelf } from "./storage";

const PNG = new Uint8Array([
  0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 8, 0, 0, 0, 8,
]);
const picture = (name: string) => new File([PNG], name, { type: "image/png" });

const SERVICE: ServiceInfo = {
  version: "1", limits: { max_bytes: 1000, max_pixels: 1000, max_files: 9, workers: 1, waiting: 4 },
  reads: ["image/png"], writes: ["png"], model: "m", urls: false, feedback: false, edits: { kept: 1, seconds: 9 }, local: null,
}; // prettier-ignore

function bench(cut: Client["cut"]): Bench {
  const made = new Bench({ cut, close: () => Promise.resolve() } as unknown as Client);
  const catalogues = { effects: catalogueOf({}), refine: catalogueOf({}) };
  made.works.place.value = { service: SERVICE, models: [], catalogues, server: true };
  return made;
}

const cut = () => vi.fn<Client["cut"]>(() => Promise.resolve({ blob: new Blob(["r"]), model: "m", confidence: 0.9 }));
const phases = (of: Bench) => of.entries.value.map(({ id }) => of.works.queue.state(id).value.phase);

describe("the bench", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("takes what is good, and shows what is not with the reason", async () => {
    const one = bench(cut());
    await one.add([picture("a.png"), new File([], "b.png"), new File(["text"], "c.txt")]);
    await vi.advanceTimersByTimeAsync(10);
    expect(phases(one)).toEqual(["done", "failed", "failed"]);
    expect(one.chosen.value?.name).toBe("a.png");
  });

  it("makes the result again after a pause, not at every touch", async () => {
    const asked = cut();
    const one = bench(asked);
    await one.add([picture("a.png")]);
    await vi.advanceTimersByTimeAsync(10);
    const [entry] = one.entries.value;
    if (!entry) throw new Error("There is no entry.");
    for (const quality of [1, 2, 3]) one.change(entry, { quality }, "quality");
    await vi.advanceTimersByTimeAsync(5000);
    expect(asked).toHaveBeenCalledTimes(2);
    expect(asked.mock.lastCall?.[1]).toEqual({ quality: 3, format: "png" });
    one.undo(entry);
    expect(entry.history.value.now).toEqual({});
  });

  it("spreads settings to the others and to those to come, but no marks", async () => {
    const one = bench(cut());
    await one.add([picture("a.png"), picture("b.png")]);
    const [a, b] = one.entries.value;
    if (!a || !b) throw new Error("There are no entries.");
    one.change(a, { model: "x", strokes: [{ points: [[0, 0]], radius: 0.1, keep: true }] });
    one.spread(a);
    await one.add([picture("c.png")]);
    expect(b.history.value.now).toEqual({ model: "x" });
    expect(one.entries.value[2]?.history.value.now).toEqual({ model: "x" });
  });

  it("chooses a neighbour when one is removed, and walks round", async () => {
    const one = bench(cut());
    await one.add([picture("a.png"), picture("b.png"), picture("c.png")]);
    one.step(-1);
    expect(one.chosen.value?.name).toBe("c.png");
    if (one.chosen.value) one.remove(one.chosen.value);
    expect(one.chosen.value?.name).toBe("b.png");
    one.clear();
    expect(one.chosen.value).toBeNull();
  });
});

describe("the keeper", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function memory() {
    const pictures = new Map<string, KeptPicture>();
    const edits = new Map<string, KeptEdits>();
    const shelf: Shelf = {
      putPicture: (one) => Promise.resolve(void pictures.set(one.id, one)),
      putEdits: (one) => Promise.resolve(void edits.set(one.id, one)),
      delete: (id) => Promise.resolve(void (pictures.delete(id), edits.delete(id))),
      all: () => Promise.resolve([...pictures.values()].map((one) => ({ ...one, ...edits.get(one.id) }) as KeptEntry)),
    };
    return { shelf, pictures, edits };
  }

  it("keeps a picture once and its edits as they come, until it is removed", async () => {
    const { shelf, pictures, edits } = memory();
    const one = bench(cut());
    await new Keeper(one).start(() => Promise.resolve(shelf));
    await one.add([picture("a.png")]);
    const [entry] = one.entries.value;
    if (!entry) throw new Error("There is no entry.");
    one.change(entry, { model: "x" });
    await vi.advanceTimersByTimeAsync(1000);
    expect(pictures.get(entry.id)?.name).toBe("a.png");
    expect(edits.get(entry.id)?.history.now).toEqual({ model: "x" });
    const later = new Keeper(bench(cut()));
    await later.start(() => Promise.resolve(shelf));
    expect(later.found.value.map(({ name }) => name)).toEqual(["a.png"]);
    one.remove(entry);
    expect(pictures.size + edits.size).toBe(0);
  });

  it("says so where the browser refuses", async () => {
    const keeper = new Keeper(bench(cut()));
    await keeper.start(() => Promise.reject(new DOMException("No.", "SecurityError")));
    expect(keeper.keeping.value).toBe("refused");
  });
});

describe("presets", () => {
  const effects = catalogueOf({
    oneOf: [
      { properties: { name: { const: "trim" }, margin: { "x-length": true, default: "0px" } } },
      { properties: { name: { const: "fit" }, width: { type: "integer" }, height: { type: "integer" } } },
    ],
  });

  it.each(Object.keys(PRESETS))("%s is known again in a recipe that has it", (name) => {
    const preset = presetOf(name, effects);
    expect(preset && presetIn({ ...preset, model: "m" }, effects)).toBe(name);
  });

  it("are none where there is none", () => expect(presetIn({}, effects)).toBe(""));
});

it("reads an edit list, and nothing else", () => {
  expect(readEditList('{"model": "m"}')).toEqual({ model: "m" });
  for (const text of ["", "[1]", "null", "4", "{"]) expect(readEditList(text)).toBeNull();
});
