// @vitest-environment node
/* eslint-disable @typescript-eslint/no-non-null-assertion -- every index lies within its plane by construction */
import { crc32, inflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { strips } from "./image";
import { pngOf } from "./png";

const calm = () => Promise.resolve();

interface Chunk {
  readonly kind: string;
  readonly data: Buffer;
}

async function chunksOf(png: Blob): Promise<Chunk[]> {
  const bytes = Buffer.from(await png.arrayBuffer());
  expect(bytes.subarray(0, 8).toString("latin1")).toBe("\x89PNG\r\n\x1a\n");
  const chunks: Chunk[] = [];
  for (let at = 8; at < bytes.length;) {
    const end = at + 8 + bytes.readUInt32BE(at);
    expect(bytes.readUInt32BE(end)).toBe(crc32(bytes.subarray(at + 4, end)));
    chunks.push({ kind: bytes.toString("latin1", at + 4, at + 8), data: bytes.subarray(at + 8, end) });
    at = end + 4;
  }
  return chunks;
}

/** Undoes the filters Sub and Up (section 9.2). */
function unfiltered(data: Buffer, width: number, channels: number): Uint8Array {
  const line = width * channels;
  const rows = data.length / (line + 1);
  const result = new Uint8Array(rows * line);
  for (let y = 0; y < rows; y++) {
    const filter = data[y * (line + 1)];
    for (let x = 0; x < line; x++) {
      const left = x < channels ? 0 : result[y * line + x - channels]!;
      const up = y === 0 ? 0 : result[(y - 1) * line + x]!;
      result[y * line + x] = data[y * (line + 1) + 1 + x]! + (filter === 1 ? left : filter === 2 ? up : NaN);
    }
  }
  return result;
}

test.each([
  [4, 7, 5],
  [1, 9, 1],
  [4, 70_000, 9], // several strips
] as const)("%i channels, %i × %i, come back as they were", async (channels, width, height) => {
  const pixels = Uint8Array.from(
    { length: width * height * channels },
    (_, place) => (place * 31 + (place >> 7)) & 255,
  );
  const line = width * channels;
  const chunks = await chunksOf(
    await pngOf([width, height], channels, (top, bottom) => pixels.subarray(top * line, bottom * line), calm),
  );
  expect(chunks.map(({ kind }) => kind).filter((kind, place, all) => kind !== all[place - 1])).toEqual([
    "IHDR",
    "sRGB",
    "IDAT",
    "IEND",
  ]);
  const header = chunks[0]!.data;
  expect([header.readUInt32BE(0), header.readUInt32BE(4), header[8]]).toEqual([width, height, 8]);
  const data = Buffer.concat(chunks.filter(({ kind }) => kind === "IDAT").map((chunk) => chunk.data));
  expect(Buffer.compare(unfiltered(inflateSync(data), width, channels), pixels)).toBe(0);
});

test("work that is ended between strips ends, and says why", async () => {
  const stop = new Error("enough");
  const read = () => new Uint8Array(4 * 70_000 * 3);
  const between = (done: number) => (done > 0 ? Promise.reject(stop) : Promise.resolve());
  await expect(pngOf([70_000, 9], 4, read, between)).rejects.toBe(stop);
});

test("strips cover every row once", () => {
  expect(strips(5, 1 << 17)).toEqual([
    [0, 2],
    [2, 4],
    [4, 5],
  ]);
});
