import { describe, expect, it } from "vitest";
import { admission } from "./admission";
import { readHeader } from "./header";

const of = (...parts: readonly (string | readonly number[])[]) => {
  const bytes = parts.flatMap((part) => (typeof part === "string" ? Array.from(part, (c) => c.charCodeAt(0)) : part));
  return new Uint8Array(bytes);
};
const view = (bytes: Uint8Array) => new DataView(bytes.buffer);
const zeros = (count: number) => Array<number>(count).fill(0);

const PNG = of("\x89PNG\r\n\x1a\n", zeros(4), "IHDR", [0, 0, 3, 32, 0, 0, 2, 88], zeros(8));
const JPEG = of([0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2], [0xff, 0xc4, 0, 3, 0], [0xff, 0xc2, 0, 11, 8, 2, 88, 3, 32, 3], zeros(8)); // prettier-ignore
const WEBP = of("RIFF", zeros(4), "WEBPVP8X", zeros(8), [0x1f, 3, 0, 0x57, 2, 0]);
const LOSSLESS = of("RIFF", zeros(4), "WEBPVP8L", zeros(4), [0x2f, 0x1f, 0xc3, 0x95, 0]);
const GIF = of("GIF89a", [0x20, 3, 0x58, 2], zeros(4));
const BMP = of("BM", zeros(16), [0x20, 3, 0, 0, 0xa8, 0xfd, 0xff, 0xff], zeros(4));
const HEIC = of(zeros(4), "ftypheic", zeros(12), "ispe", zeros(4), [0, 0, 3, 32, 0, 0, 2, 88], zeros(32));
const AVIF = of(zeros(4), "ftypmif1", zeros(4), "mif1avif", "ispe", zeros(4), [0, 0, 3, 32, 0, 0, 2, 88], zeros(32));

describe("a header", () => {
  it.each([
    ["image/png", PNG],
    ["image/jpeg", JPEG],
    ["image/webp", WEBP],
    ["image/webp", LOSSLESS],
    ["image/gif", GIF],
    ["image/bmp", BMP],
    ["image/heic", HEIC],
    ["image/avif", AVIF],
  ])("of %s tells type and size", (type, bytes) => {
    expect(readHeader(view(bytes))).toEqual({ type, size: [800, 600] });
  });

  it("tells a TIFF without its size", () => {
    expect(readHeader(view(of("II*\0", zeros(8))))).toEqual({ type: "image/tiff", size: null });
  });

  it("of a picture that ends at once has no size", () => {
    expect(readHeader(view(PNG.slice(0, 10)))).toEqual({ type: "image/png", size: null });
    expect(readHeader(view(JPEG.slice(0, 12)))).toEqual({ type: "image/jpeg", size: null });
  });

  it.each([of("hello, world, this is text"), of(""), of("RIFF", zeros(4), "WAVE")])(
    "of no picture is none",
    (bytes) => {
      expect(readHeader(view(bytes))).toBeNull();
    },
  );
});

describe("admission", () => {
  const limits = { max_bytes: 1000, max_pixels: 480_000, max_files: 20, workers: 2, waiting: 4 };
  const service = { limits, reads: ["image/png", "image/jpeg"] };
  const code = async (bytes: Uint8Array<ArrayBuffer>, most = limits) => {
    const told = await admission(new Blob([bytes]), { ...service, limits: most });
    return "problem" in told ? told.problem.code : told.header.type;
  };

  it("takes what fits exactly", async () => expect(await code(PNG)).toBe("image/png"));
  it("refuses one pixel too many", async () => expect(await code(PNG, { ...limits, max_pixels: 479_999 })).toBe("tooManyPixels")); // prettier-ignore
  it("refuses an empty file", async () => expect(await code(of(""))).toBe("empty"));
  it("refuses text", async () => expect(await code(of("some text"))).toBe("unreadable"));
  it("refuses a byte too many", async () => expect(await code(of(zeros(1001)))).toBe("tooManyBytes"));
  it("refuses what this server does not read", async () => expect(await code(GIF)).toBe("notRead"));
});
