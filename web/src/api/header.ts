/** What a picture's first bytes say: its type and size, told before anything is decoded or sent. */

export interface Header {
  /** Media type, by content and never by the file's name. */
  readonly type: string;
  /** (width, height) as stored; null where the beginning of the file does not tell. */
  readonly size: readonly [number, number] | null;
}

const FAR_ENOUGH = 512 * 1024;

/** Read the header of a file; null where it is no picture that is known here. */
export async function headerOf(file: Blob): Promise<Header | null> {
  const bytes = new DataView(await file.slice(0, FAR_ENOUGH).arrayBuffer());
  return readHeader(bytes);
}

export function readHeader(bytes: DataView): Header | null {
  const found = KINDS.find(({ begins }) => begins(bytes));
  return found ? { type: found.type, size: guarded(found.size, bytes) } : null;
}

type Size = readonly [number, number];

interface Kind {
  readonly type: string;
  readonly begins: (bytes: DataView) => boolean;
  readonly size: (bytes: DataView) => Size | null;
}

const starts =
  (text: string, at = 0) =>
  (bytes: DataView) =>
    ascii(bytes, at, text.length) === text;
const HEIF = /^ftyp(hei[cxms]|hev[cxms]|mif1|msf1)/;
/** AVIF by its main brand, or by a compatible one behind a general main brand. */
const AVIF = /^ftyp(avi[fs]|(mif1|msf1).{4,56}?avi[fs])/s;
const brands = (bytes: DataView) => ascii(bytes, 4, Math.min(64, bytes.byteLength - 4));

const KINDS: readonly Kind[] = [
  { begins: starts("\x89PNG"), type: "image/png", size: (b) => [b.getUint32(16), b.getUint32(20)] },
  { begins: starts("\xff\xd8\xff"), type: "image/jpeg", size: jpegSize },
  {
    begins: (b) => starts("RIFF")(b) && starts("WEBP", 8)(b),
    type: "image/webp",
    size: webpSize,
  },
  { begins: starts("GIF8"), type: "image/gif", size: (b) => [b.getUint16(6, true), b.getUint16(8, true)] },
  {
    begins: starts("BM"),
    type: "image/bmp",
    size: (b) => [b.getInt32(18, true), Math.abs(b.getInt32(22, true))],
  },
  { begins: (b) => AVIF.test(brands(b)), type: "image/avif", size: boxSize },
  { begins: (b) => HEIF.test(brands(b)), type: "image/heic", size: boxSize },
  { begins: (b) => /^(II[*+]\0|MM\0[*+])/.test(ascii(b, 0, 4)), type: "image/tiff", size: () => null },
];

/** A file that ends too early is left to whoever decodes it: the server's sentence is better than ours. */
function guarded(size: (bytes: DataView) => Size | null, bytes: DataView): Size | null {
  try {
    return size(bytes);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function ascii(bytes: DataView, at: number, length: number): string {
  if (length < 0 || at + length > bytes.byteLength) return "";
  return String.fromCharCode(...new Uint8Array(bytes.buffer, bytes.byteOffset + at, length));
}

/** Walk the segments to a start of frame (ITU-T T.81, B.2.2). */
function jpegSize(bytes: DataView): Size | null {
  for (let at = 2; at + 9 <= bytes.byteLength;) {
    if (bytes.getUint8(at) !== 0xff) return null;
    const marker = bytes.getUint8(at + 1);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return [bytes.getUint16(at + 7), bytes.getUint16(at + 5)];
    at += marker === 0xff ? 1 : 2 + bytes.getUint16(at + 2);
  }
  return null;
}

/** Lossy, lossless and extended WebP (RFC 9649) say their size in places of their own. */
function webpSize(bytes: DataView): Size | null {
  const chunk = ascii(bytes, 12, 4);
  if (chunk === "VP8 ") return [bytes.getUint16(26, true) & 0x3fff, bytes.getUint16(28, true) & 0x3fff];
  if (chunk === "VP8L") {
    const bits = bytes.getUint32(21, true);
    return [(bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1];
  }
  if (chunk !== "VP8X") return null;
  const three = (at: number) => bytes.getUint16(at, true) + (bytes.getUint8(at + 2) << 16) + 1;
  return [three(24), three(27)];
}

/** The largest `ispe` property (ISO/IEC 23008-12, 6.5.3): tiles and thumbnails have smaller ones. */
function boxSize(bytes: DataView): Size | null {
  let largest: Size | null = null;
  const end = Math.min(bytes.byteLength, 65_536) - 16;
  for (let at = 0; at < end; at++) {
    if (bytes.getUint32(at) !== 0x69737065) continue;
    const size: Size = [bytes.getUint32(at + 8), bytes.getUint32(at + 12)];
    if (!largest || size[0] * size[1] > largest[0] * largest[1]) largest = size;
  }
  return largest;
}
