/** Where the runtime and the model lie: `local` of `/v1/service`, or `local.json` of the static build. */

export interface RuntimeInfo {
  /** Folder of onnxruntime-web's files; relative to the page. */
  readonly runtime: string;
  /** The model's weights. */
  readonly model: string;
  /** Of the weights, in hex; proven where it is stated and the page is in a secure context. */
  readonly sha256?: unknown;
  /** Size of the weights, to tell how far they are. */
  readonly bytes?: unknown;
  /** Tables as models.toml states them; see road/table.ts. */
  readonly input?: unknown;
  readonly output?: unknown;
}

/** onnxruntime-web's files by what they run on: the module the worker imports, then what that fetches. */
export const RUNTIME_FILES = {
  wasm: ["ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"],
  webgpu: ["ort.webgpu.min.mjs", "ort-wasm-simd-threaded.asyncify.mjs", "ort-wasm-simd-threaded.asyncify.wasm"],
} as const;

/**
 * Gives an info whose addresses are absolute, as a worker lies elsewhere than its page. The model's names its content,
 * so that whoever keeps files by their address never gives an older one.
 */
export function absolute(info: RuntimeInfo, base: string): RuntimeInfo {
  const folder = info.runtime.endsWith("/") ? info.runtime : `${info.runtime}/`;
  const model = new URL(info.model, base);
  if (typeof info.sha256 === "string") model.search = info.sha256.slice(0, 16);
  return { ...info, runtime: new URL(folder, base).href, model: model.href };
}
