// A page around one stage, for test_canvas.py: pictures by formula, so that each pixel is known.
import {
  createStage,
  type AlphaPlane,
  type Stage,
  type StageEvents,
} from "@canvas";

type Kind = keyof StageEvents;

/** Red and green tell the place, blue the picture; alpha as told. */
function pixelsOf(
  width: number,
  height: number,
  blue: number,
  alpha: (x: number, y: number) => number,
): ImageData {
  const image = new ImageData(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++)
      image.data.set(
        [x % 256, y % 256, blue, alpha(x, y)],
        (y * width + x) * 4,
      );
  }
  return image;
}

const tests = {
  stage: null as Stage | null,
  events: [] as { kind: Kind; event: unknown }[],
  violations: [] as string[],
  bitmap: (width: number, height: number, blue: number, cut = 0) =>
    createImageBitmap(
      pixelsOf(width, height, blue, (x) => (x < cut ? 0 : 255)),
    ),
  plane: (width: number, height: number, cut: number): AlphaPlane => ({
    width,
    height,
    data: Uint8Array.from({ length: width * height }, (_, index) =>
      index % width < cut ? 0 : 255,
    ),
  }),
  fetched: async (path: string) => (await fetch(path)).blob(),
  open(options: Parameters<typeof createStage>[1] = {}): Stage {
    const host = document.getElementById("host");
    if (!host) throw new Error("no host");
    const stage = createStage(host, options);
    const kinds: Kind[] = [
      "stroke",
      "view",
      "tool",
      "mode",
      "split",
      "refused",
      "history",
      "failed",
    ];
    for (const kind of kinds)
      stage.on(kind, (event) => tests.events.push({ kind, event }));
    tests.stage = stage;
    return stage;
  },
};

document.addEventListener("securitypolicyviolation", (event) =>
  tests.violations.push(event.violatedDirective),
);
Object.assign(window, { tests });
