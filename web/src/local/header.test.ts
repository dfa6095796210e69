// @vitest-environment node
import { expect, test } from "vitest";
import { sizeOf } from "./header";

const text = (value: string) => Array.from(value, (sign) => sign.charCodeAt(0));
const u16 = (value: number) => [value >> 8, value & 255];
const u32 = (value: number) => [...u16(value >>> 16), ...u16(value & 0xffff)];
const little = (bytes: number[]) => bytes.toReversed();
const file = (...parts: (number[] | string)[]) =>
  new Blob([Uint8Array.from(parts.flatMap((part) => (typeof part === "string" ? text(part) : part)))]);
const frame = [0xff, 0xc2, ...u16(17), 8, ...u16(300), ...u16(400), 3];
const segment = (length: number) => [0xff, 0xe1, ...u16(length + 2), ...new Array<number>(length).fill(0xff)];

const FILES = {
  PNG: file("\x89PNG\r\n\x1a\n", u32(13), "IHDR", u32(400), u32(300)),
  JPEG: file([0xff, 0xd8], segment(20), frame),
  "JPEG with long metadata and filling": file(
    [0xff, 0xd8],
    segment(65_000),
    segment(65_000),
    [0xff, 0xff],
    frame.slice(1),
  ),
  GIF: file("GIF89a", little(u16(400)), little(u16(300))),
  "BMP from the top": file("BM", new Array<number>(16).fill(0), little(u32(400)), little(u32(-300 >>> 0))),
  "lossy WebP": file("RIFF", u32(9), "WEBPVP8 ", u32(9), [0, 0, 0, 0x9d, 1, 0x2a], little(u16(400)), little(u16(300))),
  "lossless WebP": file("RIFF", u32(9), "WEBPVP8L", u32(9), [0x2f], little(u32((299 << 14) | 399))),
  "extended WebP": file("RIFF", u32(9), "WEBPVP8X", u32(9), u32(0), [0x8f, 1, 0], [0x2b, 1, 0]),
  AVIF: file(
    u32(24),
    "ftypmif1",
    u32(0),
    "mif1avif",
    u32(20),
    "ispe",
    u32(0),
    u32(64),
    u32(64),
    u32(20),
    "ispe",
    u32(0),
    u32(400),
    u32(300),
  ),
};

test.each(Object.entries(FILES))("%s states 400 × 300", async (_, given) => {
  expect(await sizeOf(given)).toEqual([400, 300]);
});

test.each([
  ["empty", file("")],
  ["notAPicture", file("hello")],
  ["notAPicture", file(u32(24), "ftypisom", u32(0), "isommp42")],
  ["heic", file(u32(24), "ftypheic", u32(0), "mif1heic")],
  ["heic", file(u32(24), "ftypmif1", u32(0), "mif1heic")],
  ["tiff", file("II*\0", u32(8))],
  ["damaged", file("\x89PNG\r\n\x1a\n")],
  ["damaged", file([0xff, 0xd8, 0xff])],
  ["damaged", file([0xff, 0xd8, 0xff, 0xe1, 0, 2], "no segment")],
])("%s", async (code, given) => {
  await expect(sizeOf(given)).rejects.toMatchObject({ name: "LocalFailure", code });
});
