/* eslint-disable @typescript-eslint/no-non-null-assertion -- every index lies within its plane by construction */
/** The refinement `auto`, on the network's own plane: haze and specks go; `matting/refine.py`, `raster/regions.py`. */

import type { Plane } from "./image";

/** α below this is nothing, and above 1 − this everything. */
const HAZE = Math.fround(0.02);

/** α from which pixels make an island, so that haze does not join what is apart. */
const FAINT = Math.fround(0.05);

/** Less than this is written as 0. */
const UNSEEN = Math.fround(1 / 510);

/** Pieces of a mask, corners touching: the number of each pixel's, −1 outside, and each piece's pixels. */
interface Pieces {
  readonly label: Int32Array;
  readonly areas: readonly number[];
}

/** Spreads α from 0.02 to 0.98 over 0 to 1, and removes islands that are small, with their soft rims. */
export function tidied(plane: Plane): Plane {
  const factor = 1 / (1 - 2 * HAZE);
  const data = plane.data.map((a) =>
    Math.min(1, Math.max(0, Math.fround(Math.fround(a - HAZE) * Math.fround(factor)))),
  );
  const clear = { ...plane, data };
  const goes = specks(clear);
  return { ...clear, data: data.map((a, place) => (goes[place] ? 0 : a)) };
}

/**
 * Marks islands below 0.05 % of the plane and below 5 % of the largest, with their rims.
 *
 * A rim goes if it surrounds islands that go and none that stays; one without any island, if it is itself too small.
 */
function specks(plane: Plane): Uint8Array {
  const core = pieces(plane, (a) => a >= FAINT);
  const rim = pieces(plane, (a) => a >= UNSEEN);
  const largest = core.areas.reduce((a, b) => Math.max(a, b), 0);
  const limit = Math.min(0.0005 * plane.width * plane.height, 0.05 * largest);
  const holds = rim.areas.map(() => ({ any: false, staying: false }));
  core.label.forEach((island, place) => {
    if (island < 0) return;
    const around = holds[rim.label[place]!]!;
    around.any = true;
    around.staying ||= core.areas[island]! >= limit;
  });
  const rimGoes = holds.map(({ any, staying }, number) => !staying && (any || rim.areas[number]! < limit));
  return Uint8Array.from(core.label, (island, place) => {
    const around = rim.label[place]!;
    return Number((island >= 0 && core.areas[island]! < limit) || (around >= 0 && rimGoes[around]!));
  });
}

function pieces({ width, height, data }: Plane, inside: (value: number) => boolean): Pieces {
  const label = Int32Array.from(data, (value) => (inside(value) ? -2 : -1)); // −2: inside, of no piece yet
  const areas: number[] = [];
  const waiting: number[] = [];
  const take = (place: number) => {
    label[place] = areas.length;
    waiting.push(place);
  };
  for (let start = 0; start < label.length; start++) {
    if (label[start] !== -2) continue;
    let area = 0;
    take(start);
    for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
      area++;
      const [x, y] = [place % width, Math.floor(place / width)];
      for (let ny = Math.max(0, y - 1); ny <= Math.min(height - 1, y + 1); ny++) {
        for (let nx = Math.max(0, x - 1); nx <= Math.min(width - 1, x + 1); nx++) {
          if (label[ny * width + nx] === -2) take(ny * width + nx);
        }
      }
    }
    areas.push(area);
  }
  return { label, areas };
}
