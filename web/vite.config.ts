import { defineConfig } from "vitest/config";
import { offline } from "./src/local/build/offline.ts";

// The page goes into the package, where the server finds it. Nothing is inlined: the page's CSP allows no inline script,
// no inline style and no data: address but for pictures. `.vite/manifest.json` names the hashed files.
export default defineConfig({
  base: "./",
  plugins: [offline()],
  build: {
    outDir: "../src/cleancut/apps/web",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    manifest: true,
    modulePreload: { polyfill: false },
    target: "es2022",
    reportCompressedSize: true,
  },
  worker: { format: "es" },
  server: { proxy: { "/v1": "http://127.0.0.1:7000", "/local": "http://127.0.0.1:7000" } },
  test: { environment: "happy-dom", include: ["src/**/*.test.{ts,tsx}"], restoreMocks: true, unstubGlobals: true },
});
