// Writes page.js.br and page.js.gz beside page.js and the like, so that the server need not compress what it sends.

import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const BUILT = fileURLToPath(new URL("../src/cleancut/apps/web/", import.meta.url));
const WORTH_IT = /\.(css|html|js|json|mjs|svg|webmanifest)$/;
const LEAST_BYTES = 1024;

const quality = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
let before = 0;
let after = 0;

for (const name of readdirSync(BUILT, { recursive: true, encoding: "utf8" })) {
  const path = join(BUILT, name);
  if (!WORTH_IT.test(name) || name.startsWith(".") || statSync(path).size < LEAST_BYTES) continue;
  const data = readFileSync(path);
  const packed = gzipSync(data, { level: 9 });
  writeFileSync(`${path}.gz`, packed);
  writeFileSync(`${path}.br`, brotliCompressSync(data, { params: quality }));
  before += data.length;
  after += packed.length;
}

process.stdout.write(`${(before / 1000).toFixed(0)} kB, ${(after / 1000).toFixed(0)} kB in gzip\n`);
