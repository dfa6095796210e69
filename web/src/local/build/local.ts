/// <reference types="node" />
/** What local mode needs beside a static page: runtime and model, and `local.json`, which tells of them. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";
import { RUNTIME_FILES } from "../runtime";
import { tableNamed, type TomlValue } from "./toml";

const MODELS = new URL("../../../../src/cleancut/models/", import.meta.url);
const RUNTIME = new URL("../../../node_modules/onnxruntime-web/dist/", import.meta.url);
const LICENSES = new URL("../../../../browser/src/cleancut_browser/LICENSES.txt", import.meta.url);
const NAME = "cleancut-small";

type Weights = Readonly<Record<string, TomlValue>> & { readonly file: string };

/** Reads the model's table into what the page is told: `local` of /v1/service, with addresses beside the page. */
export function localInfo(): { readonly [key: string]: TomlValue; readonly model: string; readonly runtime: string } {
  const table = tableNamed(readFileSync(new URL("models.toml", MODELS), "utf8"), NAME);
  const { file, sha256 = "", bytes = 0 } = table.weights as Weights;
  const { input = {}, output = {} } = table;
  return { runtime: "local/", model: `local/${file}`, sha256, bytes, input, output };
}

/** Adds `local.json` and the folder `local/`. */
export function localFiles(): Plugin {
  return {
    name: "cleancut-local-files",
    apply: "build",
    buildStart() {
      const info = localInfo();
      const weights = new URL(`embedded/${info.model.replace("local/", "")}`, MODELS);
      const files = [
        ...Object.values(RUNTIME_FILES)
          .flat()
          .map((file) => new URL(file, RUNTIME)),
        weights,
        LICENSES,
      ];
      for (const file of files) {
        const name = fileURLToPath(file).replace(/^.*[\\/]/, "");
        this.emitFile({ type: "asset", fileName: `local/${name}`, source: readFileSync(file) });
      }
      this.emitFile({ type: "asset", fileName: "local.json", source: JSON.stringify(info) });
    },
  };
}
