// Builds web/src/local as a module that a page of the tests imports: node_modules lies in web/, so paths are told.
import { fileURLToPath } from "node:url";

const web = fileURLToPath(new URL("../../web/", import.meta.url));

export default {
  root: web,
  base: "./",
  publicDir: false,
  build: {
    outDir: process.env.HARNESS,
    emptyOutDir: false,
    target: "es2022",
    lib: { entry: { harness: `${web}src/local/index.ts` }, formats: ["es"] },
  },
  worker: { format: "es" },
};
