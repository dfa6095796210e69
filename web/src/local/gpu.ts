/** Whether there is a WebGPU to try, asked before anything large is loaded. */

import type { Runs, Why } from "./protocol";

/** Tells why WebGPU is not tried; null where it is. `software` tries one that is computed in software, too. */
export async function whyNoGpu(software: boolean): Promise<Extract<Why, "noGpu" | "softwareGpu"> | null> {
  if (!("gpu" in navigator)) return "noGpu";
  const adapter = await navigator.gpu.requestAdapter().catch(() => null);
  if (!adapter) return "noGpu";
  return adapter.info.isFallbackAdapter && !software ? "softwareGpu" : null;
}

/** Tells which build of the runtime this device will load. */
export async function buildHere(): Promise<Runs> {
  return (await whyNoGpu(false)) ? "wasm" : "webgpu";
}
