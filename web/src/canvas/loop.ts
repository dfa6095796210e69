export type Sheet = "picture" | "marks" | "hand";

/** Draws what changed, once a frame at the most, and nothing while nothing changes. */
export class Loop {
  readonly #dirty = new Set<Sheet>();
  #frame = 0;

  constructor(private readonly draw: (dirty: ReadonlySet<Sheet>, now: number) => void) {}

  mark(...sheets: readonly Sheet[]): void {
    for (const sheet of sheets) this.#dirty.add(sheet);
    if (!this.#frame) this.#frame = requestAnimationFrame((now) => this.#run(now));
  }

  stop(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#dirty.clear();
  }

  #run(now: number): void {
    const dirty = new Set(this.#dirty);
    this.#frame = 0;
    this.#dirty.clear();
    this.draw(dirty, now);
  }
}
