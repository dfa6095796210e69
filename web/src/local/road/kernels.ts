/** Resampling filters on Pillow's sampling grid: pixel centres at half-integers, the filter widened when reducing. */

export type Filter = "bilinear" | "bicubic" | "lanczos";

/** The values that make each result: `counts[i]` of them from `firsts[i]` on, their weights from `i * most` on. */
export interface Taps {
  readonly firsts: Int32Array;
  readonly counts: Int32Array;
  readonly weights: Float64Array;
  readonly most: number;
}

interface Kernel {
  readonly support: number;
  readonly at: (x: number) => number;
}

const sinc = (x: number) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/** Keys 1981, a = −0.5. */
function cubic(x: number): number {
  const near = Math.abs(x);
  if (near < 1) return (1.5 * near - 2.5) * near * near + 1;
  return near < 2 ? ((-0.5 * near + 2.5) * near - 4) * near + 2 : 0;
}

const KERNELS: Readonly<Record<Filter, Kernel>> = {
  bilinear: { support: 1, at: (x) => Math.max(1 - Math.abs(x), 0) },
  bicubic: { support: 2, at: cubic },
  lanczos: { support: 3, at: (x) => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

/**
 * Says how `size` values become `wanted`.
 *
 * @param start - where the part that is mapped begins, in values; with `end`, all of them by default.
 */
export function taps(size: number, wanted: number, filter: Filter, start = 0, end = size): Taps {
  const kernel = KERNELS[filter];
  const scale = (end - start) / wanted;
  const widen = Math.max(scale, 1);
  const reach = kernel.support * widen;
  const most = Math.ceil(2 * reach) + 2;
  const [firsts, counts] = [new Int32Array(wanted), new Int32Array(wanted)];
  const weights = new Float64Array(wanted * most);
  for (let i = 0; i < wanted; i++) {
    const center = start + (i + 0.5) * scale;
    const first = Math.max(0, Math.floor(center - reach + 0.5));
    const last = Math.min(size, Math.floor(center + reach + 0.5));
    const found = Array.from({ length: last - first }, (_, k) => kernel.at((first + k + 0.5 - center) / widen));
    const sum = found.reduce((total, weight) => total + weight, 0);
    firsts[i] = first;
    counts[i] = found.length;
    weights.set(
      found.map((weight) => weight / sum),
      i * most,
    );
  }
  return { firsts, counts, weights, most };
}
