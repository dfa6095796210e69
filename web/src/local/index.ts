/** Local mode: pictures are cut on this device, in a worker; nothing is sent. */

import { mostPixelsHere } from "./device";
import { LocalFailure } from "./failures";
import type { EngineInfo, FromWorker, LoadProgress, Runs, ToWorker } from "./protocol";
import type { CutOptions, Outcome, Stage } from "./road/cut";
import { absolute, type RuntimeInfo } from "./runtime";

export { LocalFailure, SENTENCES, sentence, type FailureCode } from "./failures";
export type { CutOptions, EngineInfo, LoadProgress, Outcome, RuntimeInfo, Runs, Stage };

/** A cut that can be followed, and ended. */
export interface Asked extends CutOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (stage: Stage, share: number) => void;
}

/** Alpha as it is written, 0 to 255, one byte a pixel. */
export interface AlphaPlane {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array<ArrayBuffer>;
}

export interface LocalResult extends Omit<Outcome, "alpha"> {
  readonly alpha: AlphaPlane;
}

/** Told how much of what is needed has been loaded, 0 to 1. */
export type OnLoad = (share: number, progress: LoadProgress) => void;

export interface Local {
  /** What runs the network, once it is ready. */
  readonly engine: EngineInfo | null;
  /** Loads runtime and model once; later calls wait for the same. After a failure the next call tries again. */
  ready(onProgress?: OnLoad): Promise<void>;
  /** Cuts one picture; several wait for each other. Rejects with `LocalFailure`, or with the signal's reason. */
  cut(file: Blob, options?: Asked): Promise<LocalResult>;
  close(): void;
}

export interface OpenOptions {
  /** `wasm` demands it; `webgpu` tries that even where it is computed in software; `auto` chooses. Alpha is the same. */
  readonly runs?: Runs | "auto";
  /** Width times height at the most; by default by the device's memory. */
  readonly mostPixels?: number;
  /** Makes the worker; tests hand over their own. */
  readonly worker?: () => Worker;
}

interface Waiting {
  readonly resolve: (result: LocalResult) => void;
  readonly reject: (reason: unknown) => void;
  readonly onProgress: Asked["onProgress"];
}

const MODEL_SHARE = 0.9;

/** Opens local mode; nothing is loaded before `ready` or `cut`. */
export function openLocal(info: RuntimeInfo, options: OpenOptions = {}): Local {
  return new WorkerLocal(absolute(info, document.baseURI), options);
}

const makeWorker = () => new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "cleancut" });

class WorkerLocal implements Local {
  engine: EngineInfo | null = null;
  readonly #info: RuntimeInfo;
  readonly #options: OpenOptions;
  readonly #waiting = new Map<number, Waiting>();
  readonly #watchers = new Set<OnLoad>();
  #worker: Worker | null = null;
  #ready: Promise<void> | null = null;
  #settle: { resolve: () => void; reject: (reason: unknown) => void } | null = null;
  #last = 0;

  constructor(info: RuntimeInfo, options: OpenOptions) {
    this.#info = info;
    this.#options = options;
  }

  ready(onProgress?: OnLoad): Promise<void> {
    if (onProgress) this.#watchers.add(onProgress);
    this.#ready ??= this.#start();
    return this.#ready.finally(() => onProgress && this.#watchers.delete(onProgress));
  }

  async cut(file: Blob, options: Asked = {}): Promise<LocalResult> {
    const { signal, onProgress, ...wanted } = options;
    signal?.throwIfAborted();
    await this.ready();
    signal?.throwIfAborted();
    const id = ++this.#last;
    const end = () => {
      this.#tell({ kind: "cancel", id });
      this.#take(id)?.reject(signal?.reason);
    };
    signal?.addEventListener("abort", end, { once: true });
    try {
      return await new Promise<LocalResult>((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject, onProgress });
        this.#tell({ kind: "cut", id, file, options: wanted });
      });
    } finally {
      signal?.removeEventListener("abort", end);
    }
  }

  close(): void {
    this.#stop(new LocalFailure("stopped"));
  }

  #start(): Promise<void> {
    const worker = this.#workerOrFailure();
    if (worker instanceof LocalFailure) return Promise.reject(worker);
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#hear(data);
    // The browser ended it or its script could not be loaded: what waits is told, and the next call starts another.
    worker.onerror = () => this.#stop(new LocalFailure(this.engine ? "stopped" : "noWorker"));
    const ready = new Promise<void>((resolve, reject) => (this.#settle = { resolve, reject }));
    const { runs = "auto", mostPixels = mostPixelsHere() } = this.#options;
    this.#tell({ kind: "start", info: this.#info, runs, mostPixels });
    return ready;
  }

  #workerOrFailure(): Worker | LocalFailure {
    if (typeof WebAssembly !== "object") return new LocalFailure("noWebAssembly");
    try {
      return (this.#options.worker ?? makeWorker)();
    } catch (error) {
      return new LocalFailure("noWorker", {}, { cause: error });
    }
  }

  #tell(message: ToWorker): void {
    this.#worker?.postMessage(message);
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #hear(message: FromWorker): void {
    switch (message.kind) {
      case "loading":
        for (const watcher of this.#watchers) watcher(shareOf(message.progress), message.progress);
        return;
      case "ready":
        this.engine = message.engine;
        this.#settle?.resolve();
        return;
      case "progress":
        this.#waiting.get(message.id)?.onProgress?.(message.stage, message.share);
        return;
      case "done":
        this.#take(message.id)?.resolve(resultOf(message.outcome));
        return;
      case "failed":
        this.#fail(message);
    }
  }

  #fail({ id, code, values }: Extract<FromWorker, { kind: "failed" }>): void {
    const failure =
      code === "cancelled" ? new DOMException("The cut was cancelled.", "AbortError") : new LocalFailure(code, values);
    if (id === null) this.#stop(failure);
    else this.#take(id)?.reject(failure);
  }

  #stop(failure: Error): void {
    this.#worker?.terminate();
    this.#settle?.reject(failure);
    for (const { reject } of this.#waiting.values()) reject(failure);
    this.#waiting.clear();
    [this.#worker, this.#ready, this.#settle, this.engine] = [null, null, null, null];
  }
}

/** The model is what can be counted; the rest is what comes after it. */
function shareOf({ stage, loaded, total }: LoadProgress): number {
  return stage === "check" ? MODEL_SHARE : MODEL_SHARE * Math.min(1, loaded / (total ?? Infinity));
}

function resultOf({ alpha, ...outcome }: Outcome): LocalResult {
  const [width, height] = outcome.size;
  return { ...outcome, alpha: { width, height, data: alpha } };
}
