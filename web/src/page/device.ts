import { signal } from "@preact/signals";
import { LOCAL, Problem } from "../api/problem";
import type { LocalInfo, Result } from "../api/types";
import type { Local, LocalFailure } from "../local";

/** Cutting out in the browser alone. Its code and its network are loaded when they are first wanted. */
export interface Device {
  cut(file: Blob, stop: AbortSignal): Promise<Result>;
  close(): void;
}

/** How much of what is needed has been loaded, 0 to 1; null before it was wanted. */
export const loaded = signal<number | null>(null);

export function createDevice(info: LocalInfo): Device {
  let opening: Promise<Local> | null = null;

  async function open(): Promise<Local> {
    loaded.value = 0;
    const [{ openLocal }, { keepLocal }] = await Promise.all([import("../local"), import("../local/offline/offline")]);
    const local = openLocal(info);
    await local.ready((share) => (loaded.value = share));
    loaded.value = 1;
    if (local.engine) void keepLocal(info, local.engine.build);
    return local;
  }

  return {
    async cut(file, stop) {
      opening ??= open();
      try {
        const local = await opening;
        const { result, confidence } = await local.cut(file, { signal: stop });
        return { blob: result, model: "", confidence };
      } catch (error) {
        if (loaded.value !== 1) {
          loaded.value = null;
          opening = null;
        }
        throw problemOfLocal(error);
      }
    },
    close: () => void opening?.then((local) => local.close()),
  };
}

/** What failed on the device goes by its own code, so that it is told in the person's language. */
function problemOfLocal(error: unknown): unknown {
  if (!isLocalFailure(error)) return error;
  const { code, values, message } = error;
  return new Problem(`${LOCAL}${code}`, message, 0, null, values);
}

/** Told by its name: the class itself comes with code that is not loaded before it is wanted. */
function isLocalFailure(error: unknown): error is LocalFailure {
  return error instanceof Error && error.name === "LocalFailure";
}
