// Builds web/src/canvas with the page of test_canvas.py into $CANVAS_PAGE.
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export default {
  root: here("../../web/"),
  publicDir: false,
  logLevel: "warn",
  resolve: { alias: { "@canvas": here("../../web/src/canvas/index.ts") } },
  build: {
    outDir: process.env.CANVAS_PAGE,
    emptyOutDir: false,
    target: "es2022",
    lib: { entry: { page: here("canvas_page.ts") }, formats: ["es"] },
  },
};
