import { describe, expect, it, vi } from "vitest";
import type { Client } from "../api/client";
import { Problem } from "../api/problem";
import type { Edit } from "../api/types";
import { entryOf } from "./entry";
import { createMaker } from "./make";

const gone = new Problem("gone", "Send it again.", 410);
const entry = () => entryOf("1", "a.png", { file: new Blob(["x"]), name: "a.png" }, null, {});
const edit = (id: string): Edit => ({
  id, size: [8, 8], preview: [8, 8], box: null, confidence: 1, notes: [], expires_in: 9,
}); // prettier-ignore

function fake(overrides: Partial<Client>): Client {
  const refuse = () => Promise.reject(new Error("Not asked for."));
  const names = ["service", "models", "catalogues", "cut", "open", "preview", "result", "close", "feedback"] as const;
  return {
    setKey: () => undefined,
    ...Object.fromEntries(names.map((name) => [name, refuse])),
    ...overrides,
  } as Client;
}

describe("a maker", () => {
  it("cuts at once what was never edited", async () => {
    const cut = vi.fn(() => Promise.resolve({ blob: new Blob(), model: "m", confidence: 1 }));
    await createMaker(fake({ cut }), () => new Map()).result(entry(), {});
    expect(cut).toHaveBeenCalledOnce();
  });

  it("sends a picture once for many previews", async () => {
    const open = vi.fn(() => Promise.resolve(edit("e")));
    const preview = vi.fn(() => Promise.resolve(new Blob()));
    const maker = createMaker(fake({ open, preview }), () => new Map());
    const one = entry();
    await Promise.all([maker.preview(one, {}), maker.preview(one, { quality: 2 })]);
    await maker.preview(one, { quality: 3 });
    expect(open).toHaveBeenCalledOnce();
    expect(preview).toHaveBeenCalledTimes(3);
  });

  it("sends it again when the server has dropped it, once", async () => {
    const open = vi.fn(() => Promise.resolve(edit(`e${open.mock.calls.length}`)));
    const preview = vi.fn((id: string) => (id === "e1" ? Promise.reject(gone) : Promise.resolve(new Blob([id]))));
    const maker = createMaker(fake({ open, preview }), () => new Map());
    const one = entry();
    expect(await (await maker.preview(one, {})).text()).toBe("e2");
    expect(one.edit.value?.id).toBe("e2");
  });

  it("tells when that does not help", async () => {
    const open = vi.fn(() => Promise.resolve(edit("e")));
    const maker = createMaker(fake({ open, preview: () => Promise.reject(gone) }), () => new Map());
    await expect(maker.preview(entry(), {})).rejects.toBe(gone);
    expect(open).toHaveBeenCalledTimes(2);
  });

  it("sends nothing where nothing may be sent", async () => {
    const maker = createMaker(fake({}), () => new Map(), () => false); // prettier-ignore
    const open = entry();
    open.edit.value = edit("e");
    for (const one of [entry(), open]) {
      await expect(maker.result(one, {})).rejects.toMatchObject({ code: "serverOnly" });
      await expect(maker.preview(one, {})).rejects.toMatchObject({ code: "serverOnly" });
    }
  });

  it("lets the server forget, and does not mind if that fails", async () => {
    const close = vi.fn(() => Promise.reject(gone));
    const maker = createMaker(fake({ open: () => Promise.resolve(edit("e")), preview: () => Promise.resolve(new Blob()), close }), () => new Map()); // prettier-ignore
    const one = entry();
    await maker.preview(one, {});
    maker.forget(one);
    await Promise.resolve();
    expect(close).toHaveBeenCalledWith("e");
    expect(one.edit.value).toBeNull();
  });
});
