/// <reference types="node" />
/** What makes a build work offline, and installable: a service worker that knows every file, a manifest, an icon. */

import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";

const WORKER = fileURLToPath(new URL("../offline/sw.ts", import.meta.url));

const MANIFEST = {
  name: "cleancut",
  short_name: "cleancut",
  description: "Cut the subject out of a picture.",
  start_url: "./",
  scope: "./",
  display: "standalone",
  background_color: "#ffffff",
  theme_color: "#1d6f5f",
  icons: [
    { src: "icon.svg", sizes: "any", type: "image/svg+xml", purpose: "any" },
    { src: "icon.svg", sizes: "512x512", type: "image/svg+xml", purpose: "any" },
  ],
};

/** A disc cut out of its square, over a checkerboard. */
const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" width="512" height="512">
<rect width="64" height="64" rx="12" fill="#fff"/>
<path d="M0 12a12 12 0 0 1 12-12h20v32H0zM32 32h32v20a12 12 0 0 1-12 12H32z" fill="#cfd8d5"/>
<circle cx="32" cy="32" r="20" fill="#1d6f5f"/>
</svg>
`;

const LINKS = [
  { tag: "link", attrs: { rel: "manifest", href: "./manifest.webmanifest" }, injectTo: "head" as const },
  { tag: "link", attrs: { rel: "icon", href: "./icon.svg", type: "image/svg+xml" }, injectTo: "head" as const },
];

/** Adds `sw.js`, `manifest.webmanifest` and `icon.svg` beside the page. */
export function offline(): Plugin {
  return {
    name: "cleancut-offline",
    apply: "build",
    enforce: "post",
    transformIndexHtml: () => LINKS,
    buildStart() {
      this.emitFile({ type: "chunk", id: WORKER, fileName: "sw.js" });
      this.emitFile({ type: "asset", fileName: "manifest.webmanifest", source: JSON.stringify(MANIFEST) });
      this.emitFile({ type: "asset", fileName: "icon.svg", source: ICON });
    },
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const worker = bundle["sw.js"];
        if (worker?.type !== "chunk") this.error("The service worker was not built.");
        const named = Object.entries(bundle).filter(([file]) => file !== "sw.js" && !/^\.vite|\.map$/.test(file));
        const digest = createHash("sha256").update(worker.code);
        for (const [file, made] of named) digest.update(file).update(made.type === "chunk" ? made.code : made.source);
        // The page is kept under the folder's own address: not every server answers to index.html.
        // Runtime and model are kept once they are used; they are large, and not every device runs every part.
        const files = named.map(([file]) => file).filter((file) => file !== "index.html" && !file.startsWith("local/"));
        const kept = { version: digest.digest("hex").slice(0, 16), files: files.sort() };
        worker.code = `const KEPT=${JSON.stringify(kept)};${worker.code}`;
      },
    },
  };
}
