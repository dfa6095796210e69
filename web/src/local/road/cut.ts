/* eslint-disable @typescript-eslint/no-non-null-assertion -- every index lies within its plane by construction */
/** One road, as `matting/pipeline.py` walks it for the default recipe: pixels → alpha, colours, a PNG. */

import { enlarged, fitOf } from "./fit";
import { strips, type Image8 } from "./image";
import { judged, normalised, seen, type Answers } from "./judge";
import { painted, written, type Rgb } from "./paint";
import { pngOf } from "./png";
import { colors } from "./pyramid";
import type { Table } from "./table";
import { tidied } from "./tidy";

/** What may be asked for; the defaults are those of a recipe. */
export interface CutOptions {
  /** `alpha` gives the alpha alone, as a grey picture. */
  readonly show?: "cutout" | "alpha";
  /** `pyramid` takes the old background's colour out of soft edges, `source` keeps the picture's. */
  readonly foreground?: "pyramid" | "source";
  /** Where no subject is found, `empty` leaves nothing and `keep` shows what the model made of it. */
  readonly noSubject?: "empty" | "keep";
  /** Colour laid beneath; without one the rest is clear. */
  readonly background?: Rgb;
}

export type Stage = "decode" | "network" | "alpha" | "write";

/** Told how far a stage is, from 0 to 1; it may throw to end the work. */
export type Watch = (stage: Stage, share: number) => Promise<void>;

export type Network = (tensor: Float32Array) => Promise<Answers>;

export interface Outcome {
  /** The PNG. */
  readonly result: Blob;
  /** The alpha that is written, 0 to 255, one byte a pixel. */
  readonly alpha: Uint8Array<ArrayBuffer>;
  readonly size: readonly [number, number];
  readonly confidence: number;
  readonly subject: boolean;
}

/** Cuts the subject out of an RGBA picture. */
export async function cut(
  picture: Image8,
  network: Network,
  table: Table,
  options: CutOptions,
  watch: Watch,
): Promise<Outcome> {
  const size = [picture.width, picture.height] as const;
  const fit = fitOf(size, table.input);
  await watch("network", 0);
  const verdict = judged(await network(normalised(seen(picture, fit), table.input)), table.output);
  await watch("alpha", 0);
  const opacity: Opacity = { width: size[0], height: size[1], channels: 1, data: new Uint8Array(size[0] * size[1]) };
  if (verdict.subject || options.noSubject === "keep") {
    const rows = enlarged(tidied(verdict.alpha), fit);
    for (const [top, bottom] of strips(size[1], size[0])) {
      await watch("alpha", top / size[1]);
      writeAlpha(opacity, picture, rows(top, bottom), top);
    }
  }
  const result = await encoded(picture, opacity, options, watch);
  const { confidence, subject } = verdict;
  return { result, alpha: opacity.data, size, confidence, subject };
}

type Opacity = Image8 & { readonly data: Uint8Array<ArrayBuffer> };

/** Quantises a strip of alpha, times the alpha that the source has of its own. */
function writeAlpha(opacity: Opacity, picture: Image8, rows: Float32Array, top: number): void {
  const from = top * opacity.width;
  for (let i = 0; i < rows.length; i++) {
    const own = picture.data[(from + i) * 4 + 3]!;
    opacity.data[from + i] = written(own === 255 ? rows[i]! : rows[i]! * Math.fround(own / 255));
  }
}

async function encoded(picture: Image8, opacity: Opacity, options: CutOptions, watch: Watch): Promise<Blob> {
  const between = (done: number) => watch("write", done);
  const size = [picture.width, picture.height] as const;
  if (options.show === "alpha") {
    return pngOf(size, 1, (top, bottom) => opacity.data.subarray(top * size[0], bottom * size[0]), between);
  }
  const estimated = options.foreground === "source" ? null : colors(picture, opacity);
  const subject = { picture, opacity, colors: estimated, background: options.background ?? null };
  return pngOf(size, 4, (top, bottom) => painted(subject, top, bottom), between);
}
