/** The worker: one engine, pictures one after another, ended when told. */

import { decoded } from "./decode";
import { startEngine, type Engine } from "./engine";
import { LocalFailure } from "./failures";
import type { FromWorker, ToWorker } from "./protocol";
import { cut, type CutOptions } from "./road/cut";
import { tableOf, type Table } from "./road/table";

interface Scope {
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker, transfer?: Transferable[]): void;
}

interface Started {
  readonly engine: Engine;
  readonly table: Table;
  readonly mostPixels: number;
}

const scope = globalThis as unknown as Scope;
const cancelled = new Set<number>();
let starting: Promise<Started> | null = null;
let last: Promise<void> = Promise.resolve();

class Cancelled extends Error {}

scope.onmessage = ({ data }) => {
  if (data.kind === "cancel") cancelled.add(data.id);
  else if (data.kind === "cut") last = last.then(() => answer(data.id, data.file, data.options));
  else void begin(data);
};

async function begin(message: Extract<ToWorker, { kind: "start" }>): Promise<void> {
  starting = started(message);
  try {
    scope.postMessage({ kind: "ready", engine: (await starting).engine.info });
  } catch (error) {
    tellFailure(null, error);
  }
}

async function started({ info, runs, mostPixels }: Extract<ToWorker, { kind: "start" }>): Promise<Started> {
  const table = tableOf(info.input, info.output);
  const engine = await startEngine(
    info,
    table,
    runs,
    (progress) => scope.postMessage({ kind: "loading", progress }),
    (engine) => scope.postMessage({ kind: "ready", engine }),
  );
  return { engine, table, mostPixels };
}

async function answer(id: number, file: Blob, options: CutOptions): Promise<void> {
  try {
    if (!starting) throw new LocalFailure("failed");
    const { engine, table, mostPixels } = await starting;
    const watch = async (stage: "decode" | "network" | "alpha" | "write", share: number) => {
      scope.postMessage({ kind: "progress", id, stage, share });
      await breath();
      if (cancelled.has(id)) throw new Cancelled();
    };
    await watch("decode", 0);
    const outcome = await cut(await decoded(file, mostPixels), engine.run, table, options, watch);
    scope.postMessage({ kind: "done", id, outcome }, [outcome.alpha.buffer]);
  } catch (error) {
    tellFailure(id, error);
  } finally {
    cancelled.delete(id);
  }
}

function tellFailure(id: number | null, error: unknown): void {
  if (error instanceof Cancelled) {
    scope.postMessage({ kind: "failed", id, code: "cancelled", values: {} });
    return;
  }
  const failure = error instanceof LocalFailure ? error : new LocalFailure(codeOf(error), {}, { cause: error });
  scope.postMessage({ kind: "failed", id, code: failure.code, values: failure.values });
}

/** Memory that is not there shows itself as a RangeError of JavaScript or of WebAssembly. */
function codeOf(error: unknown): "outOfMemory" | "failed" {
  return error instanceof RangeError ? "outOfMemory" : "failed";
}

/** Lets messages in, such as a cancel: a promise alone would not. */
function breath(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
