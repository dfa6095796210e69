/** What can go wrong on this device, each with one sentence that says what to do. */

export type FailureCode = keyof typeof SENTENCES;

type Values = Readonly<Record<string, string | number>>;

/** English, by code; the page may say them in another language. `{name}` stands for a value. */
export const SENTENCES = {
  noWebAssembly: "This browser cannot compute pictures by itself (WebAssembly with SIMD is missing); use the server.",
  noWorker: "This browser does not let the page start a worker; use the server.",
  runtimeNotLoaded: "The runtime could not be loaded; check the connection and try again.",
  modelNotLoaded: "The model could not be loaded; check the connection and try again.",
  modelDiffers: "The model that was loaded is not the one this page expects; reload the page.",
  badModel: "The model does not fit this page; reload the page, or use the server.",
  empty: "The file is empty.",
  notAPicture: "The file is no picture that browsers can read; try JPEG, PNG, WebP, AVIF or GIF.",
  heic: "Browsers cannot read HEIC; the server can, or save it as JPEG first.",
  tiff: "Browsers cannot read TIFF; the server can, or save it as PNG first.",
  damaged: "The picture is damaged or ends too early; save it again.",
  tooLarge: "The picture has {megapixels} megapixels; this device takes {limit}. Reduce it, or use the server.",
  outOfMemory: "This device has not enough memory for the picture; close other tabs, reduce it, or use the server.",
  stopped: "The browser stopped the work, maybe to save memory; try again.",
  failed: "The picture could not be cut on this device; try again, or use the server.",
} as const;

/** A failure of local mode; `code` and `values` let the page choose its own words. */
export class LocalFailure extends Error {
  override readonly name = "LocalFailure";
  readonly code: FailureCode;
  readonly values: Values;

  constructor(code: FailureCode, values: Values = {}, options?: ErrorOptions) {
    super(sentence(code, values), options);
    this.code = code;
    this.values = values;
  }
}

/** Fills a failure's values into its sentence. */
export function sentence(
  code: FailureCode,
  values: Values,
  sentences: Readonly<Record<FailureCode, string>> = SENTENCES,
) {
  return sentences[code].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
