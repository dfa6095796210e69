/** What a file says of itself, told by its content and read before anything is decoded. */

import { LocalFailure } from "./failures";

/** Width and height as stored, or null where the format states them too deep for a header's reader. */
export type Size = readonly [number, number] | null;

const START = 64 * 1024;
const MOST_SEGMENTS = 4096;

interface Kind {
  readonly is: (text: string) => boolean;
  readonly size: (head: DataView, file: Blob) => Size | Promise<Size>;
}

const HEIC = /^(heic|heix|hevc|hevx|heim|heis|mif1|msf1)/;

const KINDS: readonly Kind[] = [
  { is: (t) => t.startsWith("\x89PNG\r\n\x1a\n"), size: (v) => [v.getUint32(16), v.getUint32(20)] },
  { is: (t) => t.startsWith("\xff\xd8\xff"), size: (_, file) => jpegSize(file) },
  { is: (t) => /^GIF8[79]a/.test(t), size: (v) => [v.getUint16(6, true), v.getUint16(8, true)] },
  { is: (t) => t.startsWith("RIFF") && t.startsWith("WEBP", 8), size: webpSize },
  { is: (t) => t.startsWith("BM"), size: (v) => [Math.abs(v.getInt32(18, true)), Math.abs(v.getInt32(22, true))] },
  { is: isAvif, size: avifSize },
];

/** Refused kinds that deserve their own sentence. */
const REFUSED: readonly { is: (text: string) => boolean; code: "heic" | "tiff" }[] = [
  { is: (t) => t.startsWith("ftyp", 4) && HEIC.test(t.slice(8)) && !isAvif(t), code: "heic" },
  { is: (t) => t.startsWith("II*\0") || t.startsWith("MM\0*"), code: "tiff" },
];

/**
 * Tells a picture's size from its header.
 *
 * @throws LocalFailure - `empty`, `heic`, `tiff`, `notAPicture` or `damaged`.
 */
export async function sizeOf(file: Blob): Promise<Size> {
  if (file.size === 0) throw new LocalFailure("empty");
  const bytes = new Uint8Array(await file.slice(0, START).arrayBuffer());
  const text = String.fromCharCode(...bytes.subarray(0, 64));
  const refused = REFUSED.find(({ is }) => is(text));
  if (refused) throw new LocalFailure(refused.code);
  const kind = KINDS.find(({ is }) => is(text));
  if (!kind) throw new LocalFailure("notAPicture");
  try {
    return await kind.size(new DataView(bytes.buffer), file);
  } catch (error) {
    throw new LocalFailure("damaged", {}, { cause: error });
  }
}

/** Whether any brand says so, as the major one may be a general one. */
function isAvif(text: string): boolean {
  return text.startsWith("ftyp", 4) && /avi[fs]/.test(text.slice(8));
}

/** Walks a JPEG's segments to its frame (ITU T.81, B.2.2); long ones lie beyond the first bytes. */
async function jpegSize(file: Blob): Promise<Size> {
  let at = 2;
  for (let count = 0; count < MOST_SEGMENTS; count++) {
    const view = new DataView(await file.slice(at, at + 9).arrayBuffer());
    if (view.getUint8(0) !== 0xff) throw new RangeError("no segment");
    const marker = view.getUint8(1);
    if (marker === 0xff) {
      at += 1; // a byte of filling
      continue;
    }
    const frame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (frame) return [view.getUint16(7), view.getUint16(5)];
    at += 2 + view.getUint16(2);
  }
  throw new RangeError("no frame");
}

/** RFC 9649: lossy, lossless and extended files state their size in three ways. */
function webpSize(head: DataView): Size {
  const kind = String.fromCharCode(head.getUint8(12), head.getUint8(13), head.getUint8(14), head.getUint8(15));
  const u24 = (at: number) => head.getUint16(at, true) | (head.getUint8(at + 2) << 16);
  if (kind === "VP8X") return [u24(24) + 1, u24(27) + 1];
  if (kind === "VP8 ") return [head.getUint16(26, true) & 0x3fff, head.getUint16(28, true) & 0x3fff];
  if (kind !== "VP8L") throw new RangeError("no WebP");
  const bits = head.getUint32(21, true);
  return [(bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1];
}

/** The largest `ispe` property (ISO/IEC 23008-12); thumbnails and tiles state smaller ones. */
function avifSize(head: DataView): Size {
  let largest: Size = null;
  for (let at = 0; at + 16 <= head.byteLength; at++) {
    if (head.getUint32(at) !== 0x69737065) continue;
    const found = [head.getUint32(at + 8), head.getUint32(at + 12)] as const;
    if (!largest || found[0] * found[1] > largest[0] * largest[1]) largest = found;
  }
  return largest;
}
