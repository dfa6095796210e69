/** Working without a connection: the service worker is installed, and told what local mode needs. */

import { absolute, RUNTIME_FILES, type RuntimeInfo } from "../runtime";
import type { Runs } from "../protocol";

/** `kept`: it works offline; `refused`: the browser gives no storage; `unsupported`: it has no service workers here. */
export type Offline = "kept" | "refused" | "unsupported";

/** Sentences for people, by state. */
export const OFFLINE_TOLD: Readonly<Record<Offline, string>> = {
  kept: "The page and the model are kept: it works without a connection.",
  refused:
    "The browser keeps no files for this page (no storage, or a private window): a connection is needed each time.",
  unsupported: "This browser keeps pages only over https: a connection is needed each time.",
};

/** Installs the service worker, which keeps the page itself. Never throws. */
export async function startOffline(): Promise<Offline> {
  if (!("serviceWorker" in navigator)) return "unsupported";
  try {
    const registration = await navigator.serviceWorker.register(new URL("sw.js", document.baseURI), { scope: "./" });
    return registration.active ? "kept" : await installed(registration.installing ?? registration.waiting);
  } catch {
    return "refused";
  }
}

/** Waits for a first installation, which fails where there is no room for its files. */
function installed(worker: ServiceWorker | null): Promise<Offline> {
  return new Promise((resolve) => {
    const look = () => {
      if (!worker || worker.state === "redundant") resolve("refused");
      if (worker?.state === "activated") resolve("kept");
    };
    worker?.addEventListener("statechange", look);
    look();
  });
}

/** Keeps runtime and model too; to be called once they are loaded, so that they come from the browser's cache. */
export async function keepLocal(info: RuntimeInfo, build: Runs): Promise<Offline> {
  if (!("serviceWorker" in navigator)) return "unsupported";
  const active = (await navigator.serviceWorker.getRegistration())?.active;
  if (!active) return "refused";
  const { model, runtime } = absolute(info, document.baseURI);
  const keep = [model, ...RUNTIME_FILES[build].map((file) => runtime + file)];
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => resolve(data === true ? "kept" : "refused");
    active.postMessage({ keep }, [port2]);
  });
}
