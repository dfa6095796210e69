/**
 * A ZIP written as it goes (PKWARE's APPNOTE 6.3). Pictures are compressed already, so they are only stored; each stays
 * a Blob, which the browser may keep on the disk, and passes through memory a chunk at a time.
 */

export interface Packed {
  readonly name: string;
  readonly blob: Blob;
}

type Part = Blob | Uint8Array<ArrayBuffer>;

const LARGE = 0xffff_ffff;
const UTF8 = 0x0800;
/** 1 January 1980: a result carries no time of its own. */
const NO_DATE = 0x0021;

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb8_8320 : value >>> 1;
  return value;
});

/** CRC-32 of a Blob, read a chunk at a time. */
export async function crcOf(blob: Blob): Promise<number> {
  let crc = 0xffff_ffff;
  const reader = blob.stream().getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    for (const byte of next.value) crc = (CRC[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  }
  return (crc ^ 0xffff_ffff) >>> 0;
}

/** Give the parts of an archive one after the other; the files may come as slowly as they are made. */
export async function* zipped(files: AsyncIterable<Packed> | Iterable<Packed>): AsyncGenerator<Part> {
  const directory: Uint8Array<ArrayBuffer>[] = [];
  let offset = 0;
  for await (const { name, blob } of files) {
    const entry = { name: new TextEncoder().encode(name), crc: await crcOf(blob), size: blob.size };
    const head = localHead(entry);
    yield head;
    yield blob;
    directory.push(directoryEntry(entry, offset));
    offset += head.length + blob.size;
  }
  yield* directory;
  const length = directory.reduce((sum, entry) => sum + entry.length, 0);
  yield end(directory.length, length, offset);
}

interface Entry {
  readonly name: Uint8Array;
  readonly crc: number;
  readonly size: number;
}

/** Bytes of little-endian numbers, each with its width. */
function fields(...numbers: readonly (readonly [width: 2 | 4 | 8, value: number])[]): Uint8Array<ArrayBuffer> {
  const bytes = new DataView(new ArrayBuffer(numbers.reduce((sum, [width]) => sum + width, 0)));
  let at = 0;
  for (const [width, value] of numbers) {
    if (width === 2) bytes.setUint16(at, value, true);
    if (width === 4) bytes.setUint32(at, value, true);
    if (width === 8) bytes.setBigUint64(at, BigInt(value), true);
    at += width;
  }
  return new Uint8Array(bytes.buffer);
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Version needed, flags, method, time and date; 45 is what ZIP64 needs. */
const ABOUT = [[2, 45], [2, UTF8], [2, 0], [2, 0], [2, NO_DATE]] as const; // prettier-ignore

/** A single file is never large: the server bounds what it answers. */
function localHead({ name, crc, size }: Entry): Uint8Array<ArrayBuffer> {
  const head = fields([4, 0x0403_4b50], ...ABOUT, [4, crc], [4, size], [4, size], [2, name.length], [2, 0]);
  return joined(head, name);
}

function directoryEntry({ name, crc, size }: Entry, offset: number): Uint8Array<ArrayBuffer> {
  const far = offset >= LARGE ? fields([2, 1], [2, 8], [8, offset]) : fields();
  const head = fields([4, 0x0201_4b50], [2, 45], ...ABOUT, [4, crc], [4, size], [4, size], [2, name.length],
    [2, far.length], [2, 0], [2, 0], [2, 0], [4, 0], [4, Math.min(offset, LARGE)]); // prettier-ignore
  return joined(head, name, far);
}

function end(count: number, length: number, offset: number): Uint8Array<ArrayBuffer> {
  const short = Math.min(count, 0xffff);
  const last = fields([4, 0x0605_4b50], [2, 0], [2, 0], [2, short], [2, short], [4, Math.min(length, LARGE)],
    [4, Math.min(offset, LARGE)], [2, 0]); // prettier-ignore
  if (offset < LARGE && count < 0xffff) return last;
  const large = fields([4, 0x0606_4b50], [8, 44], [2, 45], [2, 45], [4, 0], [4, 0], [8, count], [8, count],
    [8, length], [8, offset]); // prettier-ignore
  return joined(large, fields([4, 0x0706_4b50], [4, 0], [8, offset + length], [4, 1]), last);
}
