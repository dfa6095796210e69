/** The page for any file host: the same components, on this device alone. */

import { openClient } from "../../api/client";
import type { LocalInfo, ServiceInfo } from "../../api/types";
import { mountPage } from "../../page/mount";
import { mostPixelsHere } from "../device";
import { buildHere } from "../gpu";
import { keepLocal, OFFLINE_TOLD, startOffline } from "../offline/offline";

/** Nothing is sent, so bytes and pictures are bounded by memory alone. */
const LIMITS = { max_bytes: 200e6, max_files: 1000, workers: 1, waiting: 1000 };

const READS = ["image/jpeg", "image/png", "image/webp", "image/avif", "image/gif", "image/bmp"];

const root = document.getElementById("page");
if (root) void start(root);

async function start(root: HTMLElement): Promise<void> {
  const response = await fetch("local.json");
  if (!response.ok) {
    root.textContent = "A file of this page is missing (local.json): upload the whole folder.";
    return;
  }
  const local = (await response.json()) as LocalInfo;
  const catalogues = { effects: new Map(), refine: new Map() };
  const app = mountPage(root, openClient(), { service: served(local), models: [], catalogues, server: false });
  app.notice.value = await keep(local);
}

/** What a server would tell of itself; there is none. */
function served(local: LocalInfo): ServiceInfo {
  return {
    version: "",
    limits: { ...LIMITS, max_pixels: mostPixelsHere() },
    reads: READS,
    writes: ["png"],
    model: "",
    urls: false,
    feedback: false,
    edits: { kept: 0, seconds: 0 },
    local,
  };
}

/** Keeps page, runtime and model, so that the first visit is enough; says so where that cannot be. */
async function keep(local: LocalInfo): Promise<string> {
  const begun = await startOffline();
  const state = begun === "kept" ? await keepLocal(local, await buildHere()) : begun;
  return state === "kept" ? "" : OFFLINE_TOLD[state];
}
