/** Numbers that look like chance and are the same every time, for the tests (Mulberry32 by Tommy Ettinger). */
export interface Dice {
  /** From low to high. */
  between(low: number, high: number): number;
  /** Whole, from low to high, high too. */
  whole(low: number, high: number): number;
}

export function diceOf(seed: number): Dice {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (low: number, high: number): number => low + next() * (high - low);
  return { between, whole: (low, high) => Math.floor(between(low, high + 1)) };
}
