import { defineConfig } from "vite";
import { localFiles } from "./src/local/build/local";
import { offline } from "./src/local/build/offline";

// The page that cuts on the device alone, for any file host: see static/README.md.
export default defineConfig({
  root: "static",
  base: "./",
  plugins: [localFiles(), offline()],
  build: {
    outDir: "../dist/static",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
  },
  worker: { format: "es" },
});
