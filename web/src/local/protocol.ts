/** What the page and its worker tell each other. */

import type { FailureCode } from "./failures";
import type { CutOptions, Outcome, Stage } from "./road/cut";
import type { RuntimeInfo } from "./runtime";

/** What computes, as `auto` chose it or the page demanded. */
export type Runs = "wasm" | "webgpu";

/** Why it is this one. */
export type Why = "same" | "demanded" | "noGpu" | "softwareGpu" | "gpuDiffers" | "gpuFailed";

/** What runs the network. */
export interface EngineInfo {
  readonly runs: Runs;
  /** Which build of the runtime was loaded for it: that for WebGPU has WebAssembly too. */
  readonly build: Runs;
  readonly threads: number;
  readonly why: Why;
  /** One sentence for people. */
  readonly told: string;
}

/** How the engine's start goes: bytes of the model so far, and of how many, where that is known. */
export interface LoadProgress {
  readonly stage: "model" | "check";
  readonly loaded: number;
  readonly total: number | null;
}

export type CutStage = Stage;

export type ToWorker =
  | { readonly kind: "start"; readonly info: RuntimeInfo; readonly runs: Runs | "auto"; readonly mostPixels: number }
  | { readonly kind: "cut"; readonly id: number; readonly file: Blob; readonly options: CutOptions }
  | { readonly kind: "cancel"; readonly id: number };

export type FromWorker =
  | { readonly kind: "loading"; readonly progress: LoadProgress }
  | { readonly kind: "ready"; readonly engine: EngineInfo }
  | { readonly kind: "progress"; readonly id: number; readonly stage: CutStage; readonly share: number }
  | { readonly kind: "done"; readonly id: number; readonly outcome: Outcome }
  | {
      readonly kind: "failed";
      /** null where the engine could not be started. */
      readonly id: number | null;
      readonly code: FailureCode | "cancelled";
      readonly values: Readonly<Record<string, string | number>>;
    };
