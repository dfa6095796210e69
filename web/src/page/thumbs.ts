/** Small pictures, made a few at a time: two hundred files at once must not be decoded at once. */

const SIDE = 112;
const AT_ONCE = 2;

const waiting: (() => Promise<void>)[] = [];
let running = 0;

/**
 * Decode a picture at thumbnail size; null where this browser cannot, as of HEIC.
 *
 * @param tall whether its height is the longer side.
 */
export function thumbOf(file: Blob, tall: boolean): Promise<ImageBitmap | null> {
  return new Promise((resolve) => {
    waiting.push(async () => resolve(await decoded(file, tall)));
    next();
  });
}

function next(): void {
  if (running >= AT_ONCE) return;
  const job = waiting.shift();
  if (!job) return;
  running++;
  void job().finally(() => {
    running--;
    next();
  });
}

async function decoded(file: Blob, tall: boolean): Promise<ImageBitmap | null> {
  const side = Math.round(SIDE * Math.min(devicePixelRatio, 2));
  const size: ImageBitmapOptions = tall ? { resizeHeight: side } : { resizeWidth: side };
  try {
    return await createImageBitmap(file, { ...size, resizeQuality: "medium" });
  } catch (error) {
    if (error instanceof DOMException || error instanceof TypeError) return null;
    throw error;
  }
}
