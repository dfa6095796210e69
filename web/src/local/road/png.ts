/* eslint-disable @typescript-eslint/no-non-null-assertion -- every index lies within its plane by construction */
/** PNG (W3C, third edition), filtered and deflated a strip at a time; nothing of the picture is held whole. */

import { strips } from "./image";

/** Computes rows `top` to `bottom` − 1: RGBA, or grey of one channel. */
export type ReadBytes = (top: number, bottom: number) => Uint8Array | Uint8ClampedArray;

const SIGNATURE = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);
const COLOR_TYPES: Readonly<Record<number, number>> = { 1: 0, 4: 6 };
const PERCEPTUAL = Uint8Array.of(0);
const [SUB, UP] = [1, 2];

/** Bytes of an IDAT chunk at least, so that a large picture has dozens and not thousands. */
const CHUNK = 1 << 20;

const CRCS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/**
 * Writes a PNG in sRGB of 8 bits a channel.
 *
 * @param between - awaited before each strip; it may throw to end the work.
 */
export async function pngOf(
  size: readonly [number, number],
  channels: 1 | 4,
  read: ReadBytes,
  between: (done: number) => Promise<void>,
): Promise<Blob> {
  const [width, height] = size;
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, COLOR_TYPES[channels]!, 0, 0, 0], 8);
  const parts: BlobPart[] = [SIGNATURE, ...chunk("IHDR", [header]), ...chunk("sRGB", [PERCEPTUAL])];
  const deflate = new CompressionStream("deflate");
  const feeding = fed(deflate.writable.getWriter(), size, channels, read, between);
  try {
    for await (const data of gathered(deflate.readable.getReader())) parts.push(new Blob(chunk("IDAT", data)));
  } finally {
    await feeding;
  }
  parts.push(...chunk("IEND", []));
  return new Blob(parts, { type: "image/png" });
}

/** Feeds the filtered rows in; a failure reaches the reader too, so that neither end waits for ever. */
async function fed(
  writer: WritableStreamDefaultWriter<BufferSource>,
  [width, height]: readonly [number, number],
  channels: number,
  read: ReadBytes,
  between: (done: number) => Promise<void>,
): Promise<void> {
  let above: Uint8Array | Uint8ClampedArray | null = null;
  try {
    for (const [top, bottom] of strips(height, width)) {
      await between(top / height);
      const strip = read(top, bottom);
      await writer.ready;
      // Awaited through `ready` and `close`; a rejection is seen there.
      writer.write(filteredRows(strip, width * channels, channels, above)).catch(() => undefined);
      above = strip.subarray(strip.length - width * channels);
    }
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => undefined);
    throw error;
  }
}

/** Puts each row's difference to the row above in its place; the first row takes that to the pixel at its left. */
function filteredRows(
  strip: Uint8Array | Uint8ClampedArray,
  line: number,
  pixel: number,
  above: Uint8Array | Uint8ClampedArray | null,
): Uint8Array<ArrayBuffer> {
  const rows = strip.length / line;
  const result = new Uint8Array(rows * (line + 1));
  for (let y = 0; y < rows; y++) {
    const [from, to] = [y * line, y * (line + 1) + 1];
    const first = y === 0 && !above;
    result[to - 1] = first ? SUB : UP;
    const [source, shift] = y === 0 && above ? [above, 0] : [strip, from - line];
    if (first) for (let x = 0; x < line; x++) result[to + x] = strip[x]! - (x < pixel ? 0 : strip[x - pixel]!);
    else for (let x = 0; x < line; x++) result[to + x] = strip[from + x]! - source[shift + x]!;
  }
  return result;
}

async function* gathered(reader: ReadableStreamDefaultReader<Uint8Array>): AsyncGenerator<Uint8Array[]> {
  let [held, size]: [Uint8Array[], number] = [[], 0];
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    held.push(step.value);
    size += step.value.length;
    if (size < CHUNK) continue;
    yield held;
    [held, size] = [[], 0];
  }
  if (size > 0) yield held;
}

function chunk(kind: string, data: readonly Uint8Array[]): BlobPart[] {
  const name = new TextEncoder().encode(kind);
  const length = data.reduce((sum, part) => sum + part.length, 0);
  let crc = 0xffffffff;
  for (const part of [name, ...data]) for (const byte of part) crc = CRCS[(crc ^ byte) & 255]! ^ (crc >>> 8);
  const [head, tail] = [new DataView(new ArrayBuffer(4)), new DataView(new ArrayBuffer(4))];
  head.setUint32(0, length);
  tail.setUint32(0, ~crc >>> 0);
  return [head, name, ...data, tail] as BlobPart[];
}
