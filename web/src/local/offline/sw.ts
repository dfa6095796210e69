/** The service worker: keeps the page, the runtime and the model of one build; whatever is of /v1 passes by it. */

/** What a service worker's scope is, as far as we need it; the library of types has it only instead of the page's. */
interface Extendable extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetched extends Extendable {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}
interface Told extends Extendable {
  readonly data: unknown;
  readonly ports: readonly MessagePort[];
}
interface Scope {
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  addEventListener(type: "install" | "activate", listener: (event: Extendable) => void): void;
  addEventListener(type: "fetch", listener: (event: Fetched) => void): void;
  addEventListener(type: "message", listener: (event: Told) => void): void;
}

/** Written by the build: the version is a digest of all files. */
declare const KEPT: { readonly version: string; readonly files: readonly string[] };

const scope = globalThis as unknown as Scope;
const base = scope.registration.scope;
const family = `cleancut ${base} `;
const name = family + KEPT.version;
const kept = new Set(KEPT.files.map((file) => new URL(file, base).href));
const local = new URL("local/", base).href;

/** What makes threads possible, on hosts that cannot send it themselves. */
const ISOLATING = [
  ["Cross-Origin-Opener-Policy", "same-origin"],
  ["Cross-Origin-Embedder-Policy", "require-corp"],
] as const;

scope.addEventListener("install", (event) => event.waitUntil(install()));
scope.addEventListener("activate", (event) => event.waitUntil(activate()));
scope.addEventListener("message", (event) => event.waitUntil(answer(event)));
scope.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = request.url.split("#")[0] ?? "";
  if (request.method !== "GET") return;
  if (url.split("?")[0] === base) event.respondWith(page(request));
  else if (kept.has(url) || url.startsWith(local)) event.respondWith(stored(request));
});

async function install(): Promise<void> {
  const cache = await caches.open(name);
  await cache.addAll([base, ...kept].map((url) => new Request(url, { cache: "reload" })));
}

async function activate(): Promise<void> {
  const others = (await caches.keys()).filter((other) => other.startsWith(family) && other !== name);
  await Promise.all(others.map((other) => caches.delete(other)));
  await scope.clients.claim();
}

/** The page itself is the host's where it can be reached, so that a new version is seen at once. */
async function page(request: Request): Promise<Response> {
  try {
    const response = await fetch(request);
    if (response.status < 500) return isolated(response);
  } catch {
    // no connection: what was kept is shown
  }
  const found = await (await caches.open(name)).match(base);
  return found ? isolated(found) : Response.error();
}

async function stored(request: Request): Promise<Response> {
  const cache = await caches.open(name);
  const found = await cache.match(request.url);
  if (found) return isolated(found);
  const response = await fetch(request);
  // A full disk must not break the page: it then works, only not without a connection; `keep` tells.
  if (response.status === 200) await cache.put(request.url, response.clone()).catch(() => undefined);
  return isolated(response);
}

function isolated(response: Response): Response {
  if (response.type === "opaqueredirect" || ISOLATING.every(([header]) => response.headers.has(header)))
    return response;
  const headers = new Headers(response.headers);
  for (const [header, value] of ISOLATING) headers.set(header, value);
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}

/** Keeps what the page names of /local, and says whether all of it is there. */
async function answer(event: Told): Promise<void> {
  const urls = (event.data as { readonly keep?: unknown }).keep;
  if (!Array.isArray(urls)) return;
  const wanted = urls.filter((url): url is string => typeof url === "string" && url.startsWith(local));
  try {
    const cache = await caches.open(name);
    for (const url of wanted) if (!(await cache.match(url))) await cache.add(url);
    event.ports[0]?.postMessage(wanted.length === urls.length);
  } catch {
    event.ports[0]?.postMessage(false);
  }
}

export {};
