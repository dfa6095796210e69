import { batch, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import { isAbort, problemFrom, type Problem } from "../api/problem";

/** Where the work on one picture stands. */
export type State =
  | { readonly phase: "waiting" }
  | { readonly phase: "uploading"; readonly share: number }
  | { readonly phase: "working" }
  /** It will be asked again at `until`, in milliseconds of the clock. */
  | { readonly phase: "paused"; readonly until: number; readonly problem: Problem }
  | { readonly phase: "done" }
  | { readonly phase: "failed"; readonly problem: Problem }
  | { readonly phase: "cancelled" };

export interface Told {
  readonly signal: AbortSignal;
  /** To be told the share of the upload that is through, 0 to 1; at 1 the work begins. */
  readonly onUpload: (share: number) => void;
}

/** Does the work once; may be called again after a wait. */
export type Work = (told: Told) => Promise<void>;

interface Job {
  readonly work: Work;
  readonly state: Signal<State>;
  readonly stop: AbortController;
  attempts: number;
}

/** Seconds between attempts to reach a server that does not answer; after the last one the picture has failed. */
const OFFLINE_WAITS = [2, 4, 8, 15, 30, 60];

const ENDED: ReadonlySet<State["phase"]> = new Set(["done", "failed", "cancelled"]);
const WAITING: State = { phase: "waiting" };

/**
 * A queue: several at a time, first come first served, one that fails leaves the others alone.
 *
 * A wait that the server asks for (429, 503 with Retry-After) holds up the whole queue, as the next picture would be
 * refused likewise; what has begun goes on.
 */
export class Queue {
  /** How many are neither done, failed nor cancelled. */
  readonly unfinished: ReadonlySignal<number>;
  readonly #unfinished = signal(0);
  readonly #jobs = new Map<string, Job>();
  readonly #unknown = signal<State>(WAITING);
  readonly #lanes: () => number;
  #heldUntil = 0;
  #running = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param lanes how many are worked on at once; asked each time, as the server may tell it later. */
  constructor(lanes: () => number) {
    this.#lanes = lanes;
    this.unfinished = this.#unfinished;
  }

  state(id: string): ReadonlySignal<State> {
    return this.#jobs.get(id)?.state ?? this.#unknown;
  }

  /** Put work into the queue under a name; work that was there under it is cancelled first. */
  add(id: string, work: Work): void {
    const state = this.#jobs.get(id)?.state ?? signal(WAITING);
    this.#drop(id);
    const job = { work, state, stop: new AbortController(), attempts: 0 };
    this.#jobs.set(id, job);
    this.#set(job, WAITING);
    this.#pump();
  }

  cancel(id: string): void {
    const job = this.#jobs.get(id);
    if (!job || hasEnded(job)) return;
    job.stop.abort();
    this.#set(job, { phase: "cancelled" });
  }

  /** Begin again with what failed or was cancelled. */
  retry(id: string): void {
    const job = this.#jobs.get(id);
    if (job && hasEnded(job)) this.add(id, job.work);
  }

  /** Cancel and forget. */
  remove(id: string): void {
    this.#drop(id);
    this.#count();
  }

  /** Let what waits for a while go on at once, as when the network is back. */
  wake(): void {
    this.#heldUntil = 0;
    this.#pump();
  }

  #pump(): void {
    if (Date.now() < this.#heldUntil) return;
    for (const [id, job] of this.#jobs) {
      if (this.#running >= Math.max(1, this.#lanes())) return;
      const { phase } = job.state.peek();
      if (phase === "waiting" || phase === "paused") void this.#run(id, job);
    }
  }

  async #run(id: string, job: Job): Promise<void> {
    const { signal: stopped } = job.stop;
    const current = () => this.#jobs.get(id) === job && !stopped.aborted;
    this.#running++;
    this.#set(job, { phase: "uploading", share: 0 });
    const onUpload = (share: number) => {
      if (current()) this.#set(job, share < 1 ? { phase: "uploading", share } : { phase: "working" });
    };
    try {
      await job.work({ signal: stopped, onUpload });
      if (current()) this.#set(job, { phase: "done" });
    } catch (error) {
      if (current()) this.#failed(job, error);
    } finally {
      this.#running--;
      this.#pump();
    }
  }

  #failed(job: Job, error: unknown): void {
    if (isAbort(error)) {
      this.#set(job, { phase: "cancelled" });
      return;
    }
    const problem = problemFrom(error);
    const seconds = waitFor(problem, job.attempts);
    if (seconds === null) {
      this.#set(job, { phase: "failed", problem });
      return;
    }
    job.attempts++;
    const until = Date.now() + seconds * 1000;
    this.#set(job, { phase: "paused", until, problem });
    this.#hold(until);
  }

  #hold(until: number): void {
    this.#heldUntil = Math.max(this.#heldUntil, until);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#pump(), this.#heldUntil - Date.now());
  }

  #drop(id: string): void {
    this.#jobs.get(id)?.stop.abort();
    this.#jobs.delete(id);
  }

  #set(job: Job, state: State): void {
    batch(() => {
      job.state.value = state;
      this.#count();
    });
  }

  #count(): void {
    this.#unfinished.value = [...this.#jobs.values()].filter((job) => !hasEnded(job)).length;
  }
}

function hasEnded(job: Job): boolean {
  return ENDED.has(job.state.peek().phase);
}

/** Seconds to wait before the next attempt; null where there shall be none. */
export function waitFor(problem: Problem, attempts: number): number | null {
  if (problem.code === "offline") return OFFLINE_WAITS[attempts] ?? null;
  return problem.retryAfter;
}
