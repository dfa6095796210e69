/** How much this device takes. */

/** Pixels at the most by memory in GB, which only some browsers tell; about 15 bytes a pixel are needed. */
const MOST_PIXELS = [
  { from: 8, pixels: 50e6 },
  { from: 4, pixels: 36e6 },
  { from: 0, pixels: 16e6 },
] as const;

const USUAL_MEMORY = 4;

/** Tells how many pixels a picture may have here. */
export function mostPixelsHere(): number {
  const memory = "deviceMemory" in navigator ? Number(navigator.deviceMemory) : USUAL_MEMORY;
  return MOST_PIXELS.find(({ from }) => memory >= from)?.pixels ?? MOST_PIXELS[2].pixels;
}
