/* eslint-disable @typescript-eslint/no-non-null-assertion -- every index lies within its plane by construction */
/** What runs the network: onnxruntime-web, on WebGPU where that gives the same alpha as WebAssembly, else on the latter. */

import type * as Ort from "onnxruntime-web";
import { LocalFailure } from "./failures";
import { whyNoGpu } from "./gpu";
import { weights } from "./model";
import type { EngineInfo, LoadProgress, Runs, Why } from "./protocol";
import type { Network } from "./road/cut";
import { judged } from "./road/judge";
import type { Table } from "./road/table";
import { RUNTIME_FILES, type RuntimeInfo } from "./runtime";

/** Threads at the most: more bring this network nothing, and take the device from its person. */
const MOST_THREADS = 4;

/** How far alpha may differ, and at how many pixels it must not. */
const SAME = { level: 2 / 255, share: 0.999 };

type OrtModule = typeof Ort;

export interface Engine {
  readonly info: EngineInfo;
  /** Asks the network about one picture, (1, 3, h, w). */
  readonly run: Network;
}

const TOLD: Readonly<Record<Why, string>> = {
  same: "WebGPU: it gives the same alpha as WebAssembly.",
  demanded: "Chosen by hand.",
  noGpu: "WebAssembly: this browser has no WebGPU here.",
  softwareGpu: "WebAssembly: WebGPU would be computed in software here.",
  gpuDiffers: "WebAssembly: WebGPU gives another alpha on this device.",
  gpuFailed: "WebAssembly: WebGPU failed on this device.",
};

/**
 * Loads runtime and model, and checks them.
 *
 * @param wanted - `auto` chooses WebGPU where there is one that is no software, and it agrees; `webgpu` tries any.
 * @param onChange - told where another runs from now on, as WebGPU failed later.
 * @throws LocalFailure - there is no WebAssembly, or something could not be loaded.
 */
export async function startEngine(
  info: RuntimeInfo,
  table: Table,
  wanted: Runs | "auto",
  onProgress: (progress: LoadProgress) => void,
  onChange: (info: EngineInfo) => void,
): Promise<Engine> {
  checkWebAssembly();
  const absent = wanted === "wasm" ? "demanded" : await whyNoGpu(wanted === "webgpu");
  const build: Runs = absent ? "wasm" : "webgpu";
  const [ort, data] = await Promise.all([runtimeOf(info, build), weights(info, onProgress)]);
  onProgress({ stage: "check", loaded: 0, total: null });
  const open = async (runs: Runs) => networkOf(ort, await sessionOf(ort, data, runs), table);
  const wasm = await open("wasm");
  if (absent) return { info: infoOf("wasm", absent), run: wasm.run };
  const { network, why } = await agreeing(wasm, () => open("webgpu"), table);
  if (network === wasm) return { info: infoOf("wasm", why), run: wasm.run };
  await wasm.release();
  return watched(network, infoOf("webgpu", why), async () => {
    const again = await open("wasm");
    onChange(infoOf("wasm", "gpuFailed"));
    return again;
  });
}

interface OpenNetwork {
  readonly run: Network;
  readonly release: () => Promise<void>;
}

function infoOf(runs: Runs, why: Why): EngineInfo {
  const threads = threadsHere();
  const alone = globalThis.crossOriginIsolated
    ? ""
    : " One thread: the host does not isolate the page (COOP and COEP).";
  const build = why === "same" || why === "gpuDiffers" || why === "gpuFailed" ? "webgpu" : "wasm";
  return { runs, build, threads, why, told: TOLD[why] + (runs === "wasm" ? alone : "") };
}

function threadsHere(): number {
  return globalThis.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency || 1, MOST_THREADS) : 1;
}

/** A program whose one function uses a vector of 128 bits: `i32.const 0; i8x16.splat; drop`. */
const SIMD = Uint8Array.of(
  0,
  97,
  115,
  109,
  1,
  0,
  0,
  0,
  1,
  4,
  1,
  96,
  0,
  0,
  3,
  2,
  1,
  0,
  10,
  9,
  1,
  7,
  0,
  65,
  0,
  253,
  15,
  26,
  11,
);

function checkWebAssembly(): void {
  const there = typeof WebAssembly === "object" && WebAssembly.validate(SIMD);
  if (!there || typeof CompressionStream === "undefined" || typeof OffscreenCanvas === "undefined") {
    throw new LocalFailure("noWebAssembly");
  }
}

async function runtimeOf(info: RuntimeInfo, build: Runs): Promise<OrtModule> {
  try {
    const ort = (await import(/* @vite-ignore */ info.runtime + RUNTIME_FILES[build][0])) as OrtModule;
    ort.env.wasm.wasmPaths = info.runtime;
    ort.env.wasm.numThreads = threadsHere();
    ort.env.logLevel = "error";
    return ort;
  } catch (error) {
    throw new LocalFailure("runtimeNotLoaded", {}, { cause: error });
  }
}

async function sessionOf(ort: OrtModule, data: Uint8Array, runs: Runs): Promise<Ort.InferenceSession> {
  try {
    return await ort.InferenceSession.create(data, { executionProviders: [runs], graphOptimizationLevel: "all" });
  } catch (error) {
    throw new LocalFailure("runtimeNotLoaded", {}, { cause: error });
  }
}

function networkOf(ort: OrtModule, session: Ort.InferenceSession, { input, output }: Table): OpenNetwork {
  const given = input.name ?? session.inputNames[0]!;
  const names = { alpha: output.name ?? session.outputNames[0]!, error: output.error, subject: output.subject };
  const wanted = Object.entries(names).filter((pair): pair is [string, string] => pair[1] !== null);
  const [width, height] = input.size;
  return {
    run: async (data) => {
      const tensor = new ort.Tensor("float32", data, [1, 3, height, width]);
      const answers = await session.run(
        { [given]: tensor },
        wanted.map(([, name]) => name),
      );
      return Object.fromEntries(
        wanted.map(([role, name]) => [role, { data: answers[name]!.data as Float32Array, dims: answers[name]!.dims }]),
      );
    },
    release: () => session.release(),
  };
}

/** Chooses WebGPU where its alpha of fixed vectors is that of WebAssembly. */
async function agreeing(
  wasm: OpenNetwork,
  open: () => Promise<OpenNetwork>,
  table: Table,
): Promise<{ network: OpenNetwork; why: Why }> {
  try {
    const gpu = await open();
    if (await agrees(gpu, wasm, table)) return { network: gpu, why: "same" };
    await gpu.release();
    return { network: wasm, why: "gpuDiffers" };
  } catch {
    return { network: wasm, why: "gpuFailed" };
  }
}

async function agrees(gpu: OpenNetwork, wasm: OpenNetwork, { input, output }: Table): Promise<boolean> {
  for (const vector of fixedVectors(...input.size)) {
    const [theirs, ours] = [await gpu.run(vector), await wasm.run(vector)];
    const truth = judged(ours, output);
    // Where nothing is found nothing is compared, and two that say nothing would agree.
    if (!truth.subject || !isSame(judged(theirs, output).alpha.data, truth.alpha.data)) return false;
  }
  return true;
}

/** Balls whose alpha is asked of both: (x, y), radius, and how hard the rim is. The second is soft. */
const BALLS = [
  { x: 0, y: 0, radius: 0.3, hard: 150 },
  { x: -0.05, y: 0.1, radius: 0.33, hard: 30 },
] as const;

/** Shaded balls before a wall, by formula, from −1 to 1: what a network takes for a subject, or nothing is compared. */
export function fixedVectors(width: number, height: number): Float32Array[] {
  return BALLS.map((ball) =>
    new Float32Array(3 * width * height).map((_, place) => {
      const channel = Math.floor(place / (width * height));
      const x = (place % width) / width - 0.5;
      const y = (Math.floor(place / width) % height) / height - 0.5;
      return Math.min(1, Math.max(-1, ballAt(ball, x, y, channel)));
    }),
  );
}

function ballAt(ball: (typeof BALLS)[number], x: number, y: number, channel: number): number {
  const [dx, dy] = [x - ball.x, y - ball.y];
  const inside = 1 / (1 + Math.exp(ball.hard * (Math.hypot(dx, dy) - ball.radius)));
  const shade = Math.max(0, 1 - (0.6 * ((dx + 0.1) ** 2 + (dy + 0.1) ** 2)) / ball.radius ** 2);
  const color = 2 * (0.9 - 0.6 * channel) * shade - 1 + 0.075 * Math.sin(40 * Math.atan2(dy, dx) + channel);
  return inside * color + (1 - inside) * (0.55 - 0.35 * y - 0.1 * channel);
}

/** Whether two alphas are within 2 levels of 255 at 99.9 % of the pixels. */
export function isSame(one: Float32Array, other: Float32Array): boolean {
  const near = one.reduce((count, value, place) => count + Number(Math.abs(value - other[place]!) <= SAME.level), 0);
  return one.length === other.length && near >= SAME.share * one.length;
}

/** Goes on with another network where one fails later, as a GPU may be lost while a tab sleeps. */
function watched(first: OpenNetwork, info: EngineInfo, instead: () => Promise<OpenNetwork>): Engine {
  let network = first;
  return {
    info,
    run: async (tensor) => {
      try {
        return await network.run(tensor);
      } catch (error) {
        if (network !== first) throw error;
        network = await instead();
        return network.run(tensor);
      }
    },
  };
}
