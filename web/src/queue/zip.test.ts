import { unzipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { crcOf, zipped, type Packed } from "./zip";

async function whole(files: readonly Packed[]): Promise<Uint8Array> {
  const parts: BlobPart[] = [];
  for await (const part of zipped(files)) parts.push(part);
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

describe("an archive", () => {
  it("is read by another's reader, names and bytes", async () => {
    const files = [
      { name: "cat_no_bg.png", blob: new Blob([new Uint8Array([1, 2, 3])]) },
      { name: "été/قطة.webp", blob: new Blob(["hello"]) },
      { name: "empty.png", blob: new Blob([]) },
    ];
    const read = unzipSync(await whole(files));
    expect(Object.keys(read)).toEqual(files.map(({ name }) => name));
    for (const { name, blob } of files) expect(read[name]).toEqual(new Uint8Array(await blob.arrayBuffer()));
  });

  it("of nothing is one all the same", async () => expect(unzipSync(await whole([]))).toEqual({}));

  it("passes the files on as they are, without a copy", async () => {
    const blob = new Blob(["x".repeat(1000)]);
    const parts = [];
    for await (const part of zipped([{ name: "a", blob }])) parts.push(part);
    expect(parts[1]).toBe(blob);
  });

  it("takes more entries than the old format counts", async () => {
    const blob = new Blob(["x"]);
    const bytes = await whole(Array.from({ length: 65_536 }, (_, n) => ({ name: `${n}`, blob })));
    const view = new DataView(bytes.buffer);
    const end = bytes.length - 22;
    expect(view.getUint32(end, true)).toBe(0x06054b50);
    expect(view.getUint16(end + 10, true)).toBe(0xffff);
    expect(view.getUint32(end - 20, true)).toBe(0x07064b50);
    const large = Number(view.getBigUint64(end - 20 + 8, true));
    expect(view.getUint32(large, true)).toBe(0x06064b50);
    expect(Number(view.getBigUint64(large + 32, true))).toBe(65_536);
  }, 60_000);
});

it("checks by the CRC that everyone uses", async () => {
  expect(await crcOf(new Blob(["123456789"]))).toBe(0xcbf43926);
});
