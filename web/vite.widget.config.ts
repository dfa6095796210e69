import { defineConfig } from "vite";

// The notebook's widget: one module and one style sheet, which its Python side reads and hands to the notebook.
export default defineConfig({
  publicDir: false,
  build: {
    lib: { entry: "src/widget/index.ts", formats: ["es"], fileName: () => "widget.js", cssFileName: "widget" },
    outDir: "../src/cleancut/apps/notebook/static",
    emptyOutDir: true,
    target: "es2022",
    minify: true,
    reportCompressedSize: true,
  },
});
