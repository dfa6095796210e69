import { send as overHttp, type Answer, type Request, type Send } from "./http";
import { catalogueOf, type Catalogue } from "./schema";
import type { Assets, Edit, Feedback, ModelInfo, Recipe, Result, ServiceInfo } from "./types";

export interface Call {
  readonly signal?: AbortSignal | undefined;
  readonly onUpload?: ((share: number) => void) | undefined;
}

/** What is cut: a file, or the address of one that the server fetches. */
export type Source = { readonly file: Blob; readonly name: string } | { readonly url: string };

export interface Catalogues {
  readonly effects: Catalogue;
  readonly refine: Catalogue;
}

/** Everything that the page asks of the server; all of it is the public API. */
export interface Client {
  setKey(key: string): void;
  service(): Promise<ServiceInfo>;
  models(): Promise<readonly ModelInfo[]>;
  catalogues(): Promise<Catalogues>;
  cut(source: Source, recipe: Recipe, assets: Assets, call?: Call): Promise<Result>;
  open(source: Source, recipe: Recipe, assets: Assets, call?: Call): Promise<Edit>;
  preview(id: string, recipe: Recipe, assets: Assets, call?: Call): Promise<Blob>;
  result(id: string, recipe: Recipe, assets: Assets, call?: Call): Promise<Result>;
  close(id: string): Promise<void>;
  feedback(said: Feedback, picture: Blob | null, call?: Call): Promise<void>;
}

const PREVIEW = "image/webp, image/png;q=0.9";

/**
 * Make a client.
 *
 * @param base where the API is, ending in `/`; by default beside the page.
 * @param send makes a request; in life XMLHttpRequest, in tests any function.
 */
export function openClient(base = "v1/", send: Send = overHttp): Client {
  let key = "";
  const ask = (request: Request): Promise<Answer> => {
    const shown: Record<string, string> = key ? { "X-API-Key": key } : {};
    return send({ ...request, url: base + request.url, headers: { ...shown, ...request.headers } });
  };
  const listed = async (url: string): Promise<Record<string, unknown>> => {
    const { body } = await ask({ method: "GET", url, headers: { Accept: "application/json" } });
    return JSON.parse(await body.text()) as Record<string, unknown>;
  };
  const posted = (url: string, body: FormData | string, accept: string, call: Call = {}): Promise<Answer> => {
    const typed: Record<string, string> = typeof body === "string" ? { "Content-Type": "application/json" } : {};
    return ask({ method: "POST", url, body, headers: { Accept: accept, ...typed }, ...call });
  };

  return {
    setKey: (text) => (key = text.trim()),
    service: async () => (await listed("service")) as unknown as ServiceInfo,
    models: async () => (await listed("models")).models as readonly ModelInfo[],
    catalogues: async () => {
      const told = await listed("effects");
      return { effects: catalogueOf(told.effects), refine: catalogueOf(told.refine) };
    },
    cut: async (source, recipe, assets, call) => {
      const body = formOf(source, recipe, assets);
      return resultOf(await posted("cut", body, acceptOf(recipe), call));
    },
    open: async (source, recipe, assets, call) => {
      const answer = await posted("edits", formOf(source, recipe, assets), "application/json", call);
      return JSON.parse(await answer.body.text()) as Edit;
    },
    preview: async (id, recipe, assets, call) => {
      const body = recipeBody(recipe, assets);
      return (await posted(`edits/${encodeURIComponent(id)}/preview`, body, PREVIEW, call)).body;
    },
    result: async (id, recipe, assets, call) => {
      const body = recipeBody(recipe, assets);
      return resultOf(await posted(`edits/${encodeURIComponent(id)}/result`, body, acceptOf(recipe), call));
    },
    close: async (id) => {
      await ask({ method: "DELETE", url: `edits/${encodeURIComponent(id)}` });
    },
    feedback: async (said, picture, call) => {
      await posted("feedback", saidBody(said, picture), "*/*", call);
    },
  };
}

/** The recipe states its format, so that no picture comes back in another than was asked for. */
function acceptOf(recipe: Recipe): string {
  return `image/${recipe.format ?? "png"}`;
}

function formOf(source: Source, recipe: Recipe, assets: Assets): FormData {
  const form = new FormData();
  if ("url" in source) form.append("url", source.url);
  else form.append("image", source.file, source.name);
  form.append("recipe", JSON.stringify(recipe));
  for (const [name, blob] of assets) form.append(name, blob, "asset");
  return form;
}

/** A recipe alone is JSON; pictures that it names make it a form. */
function recipeBody(recipe: Recipe, assets: Assets): FormData | string {
  if (assets.size === 0) return JSON.stringify(recipe);
  const form = new FormData();
  form.append("recipe", JSON.stringify(recipe));
  for (const [name, blob] of assets) form.append(name, blob, "asset");
  return form;
}

function saidBody(said: Feedback, picture: Blob | null): FormData | string {
  if (!picture) return JSON.stringify(said);
  const form = new FormData();
  form.append("rating", said.rating);
  form.append("model", said.model);
  if (said.text) form.append("text", said.text);
  for (const reason of said.reasons) form.append("reasons", reason);
  form.append("image", picture, "picture");
  return form;
}

function resultOf(answer: Answer): Result {
  const confidence = answer.header("X-Cleancut-Confidence");
  return {
    blob: answer.body,
    model: answer.header("X-Cleancut-Model") ?? "",
    confidence: confidence === null ? null : Number(confidence),
  };
}
