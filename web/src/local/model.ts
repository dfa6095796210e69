/** Fetching a model's weights, with progress, and proving them. */

import { LocalFailure } from "./failures";
import type { LoadProgress } from "./protocol";
import type { RuntimeInfo } from "./runtime";

/** Weights of a model for browsers at the most. */
const MOST_BYTES = 200e6;

/**
 * Fetches the weights.
 *
 * @throws LocalFailure - they cannot be had, or are others than the info states.
 */
export async function weights(info: RuntimeInfo, onProgress: (progress: LoadProgress) => void): Promise<Uint8Array> {
  const data = await fetched(info, onProgress);
  if (info.sha256 && "subtle" in crypto && (await sha256(data)) !== info.sha256) throw new LocalFailure("modelDiffers");
  return data;
}

async function fetched(
  info: RuntimeInfo,
  onProgress: (progress: LoadProgress) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const response = await fetch(info.model, { credentials: "same-origin" });
    if (!response.ok || !response.body) throw new Error(`answered ${response.status}`);
    const total = typeof info.bytes === "number" ? info.bytes : null;
    const parts: Uint8Array<ArrayBuffer>[] = [];
    let loaded = 0;
    const reader = response.body.getReader();
    for (let step = await reader.read(); !step.done; step = await reader.read()) {
      parts.push(step.value);
      loaded += step.value.length;
      if (loaded > MOST_BYTES) throw new Error("too many bytes");
      onProgress({ stage: "model", loaded, total });
    }
    return new Uint8Array(await new Blob(parts).arrayBuffer());
  } catch (error) {
    throw new LocalFailure("modelNotLoaded", {}, { cause: error });
  }
}

async function sha256(data: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
