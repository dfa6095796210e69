/* eslint-disable @typescript-eslint/no-non-null-assertion -- every index lies within its plane by construction */
/** File → pixels: bounded by its header, upright and in sRGB as the browser decodes it, straight alpha. */

import { LocalFailure } from "./failures";
import { sizeOf } from "./header";
import { strips, type Image8 } from "./road/image";

/** What a bitmap shall be: EXIF's orientation applied, colours in sRGB, alpha not multiplied in. */
const AS_SEEN: ImageBitmapOptions = {
  imageOrientation: "from-image",
  premultiplyAlpha: "none",
  colorSpaceConversion: "default",
};

/**
 * Decodes a picture to RGBA.
 *
 * @param mostPixels - width times height at the most, checked before and after decoding.
 * @throws LocalFailure - it is no picture for browsers, damaged or too large.
 */
export async function decoded(file: Blob, mostPixels: number): Promise<Image8> {
  const stated = await sizeOf(file);
  if (stated) checkSize(stated[0] * stated[1], mostPixels);
  const bitmap = await bitmapOf(file);
  try {
    checkSize(bitmap.width * bitmap.height, mostPixels);
    return pixelsOf(bitmap);
  } finally {
    bitmap.close();
  }
}

async function bitmapOf(file: Blob): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(file, AS_SEEN);
  } catch (error) {
    throw new LocalFailure("damaged", {}, { cause: error });
  }
}

function checkSize(count: number, most: number): void {
  const megapixels = (pixels: number) => Math.round(pixels / 1e5) / 10;
  if (count > most) throw new LocalFailure("tooLarge", { megapixels: megapixels(count), limit: megapixels(most) });
}

function pixelsOf(bitmap: ImageBitmap): Image8 {
  const { width, height } = bitmap;
  const data = allocated(width * height * 4);
  const image = { width, height, channels: 4, data };
  copyByCanvas(bitmap, image);
  if (isTranslucent(data)) copyByTexture(bitmap, image);
  return image;
}

function allocated(bytes: number): Uint8ClampedArray {
  try {
    return new Uint8ClampedArray(bytes);
  } catch (error) {
    throw new LocalFailure("outOfMemory", {}, { cause: error });
  }
}

/** Exact where the picture is opaque; a canvas holds colours multiplied by alpha, which loses some where it is not. */
function copyByCanvas(bitmap: ImageBitmap, { width, height, data }: Image8): void {
  const parts = strips(height, width);
  const canvas = new OffscreenCanvas(width, parts[0]![1]);
  const context = canvas.getContext("2d", { willReadFrequently: true, colorSpace: "srgb" });
  if (!context) throw new LocalFailure("outOfMemory");
  for (const [top, bottom] of parts) {
    context.clearRect(0, 0, width, canvas.height);
    context.drawImage(bitmap, 0, -top);
    data.set(context.getImageData(0, 0, width, bottom - top).data, top * width * 4);
  }
}

function isTranslucent(data: ArrayLike<number>): boolean {
  for (let p = 3; p < data.length; p += 4) if (data[p] !== 255) return true;
  return false;
}

/** Reads straight colours through a texture; without WebGL, or for one too large, the canvas's colours stay. */
function copyByTexture(bitmap: ImageBitmap, { width, height, data }: Image8): void {
  const gl = new OffscreenCanvas(1, 1).getContext("webgl2");
  if (!gl || Math.max(width, height) > Number(gl.getParameter(gl.MAX_TEXTURE_SIZE))) return;
  const straight = new Uint8Array(data.buffer);
  const texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.bindFramebuffer(gl.FRAMEBUFFER, gl.createFramebuffer());
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, bitmap);
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
  if (gl.checkFramebufferStatus(gl.FRAMEBUFFER) === gl.FRAMEBUFFER_COMPLETE && gl.getError() === gl.NO_ERROR) {
    gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, straight);
  }
  gl.getExtension("WEBGL_lose_context")?.loseContext();
}
