import { aborted, own, problemOf } from "./problem";

/** One request. `fetch` tells nothing of an upload's progress, so it is made with XMLHttpRequest. */
export interface Request {
  readonly method: "GET" | "POST" | "DELETE";
  readonly url: string;
  readonly body?: Blob | FormData | string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Told the share of the body that has been sent, 0 to 1. */
  readonly onUpload?: ((share: number) => void) | undefined;
}

export interface Answer {
  readonly status: number;
  readonly body: Blob;
  header(name: string): string | null;
}

export type Send = (request: Request) => Promise<Answer>;

/**
 * Send a request.
 *
 * @throws Problem where the server refuses or does not answer.
 * @throws DOMException AbortError where the signal says so.
 */
export const send: Send = async (request) => {
  const answer = await exchanged(request);
  if (answer.status >= 400) throw await problemOf(answer.status, answer.body, answer.header("Retry-After"));
  return answer;
};

function exchanged(request: Request): Promise<Answer> {
  const { signal, onUpload } = request;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(aborted());
      return;
    }
    const call = new XMLHttpRequest();
    const stop = () => call.abort();
    const refuse = (reason: Error) => () => {
      signal?.removeEventListener("abort", stop);
      reject(reason);
    };
    call.open(request.method, request.url);
    call.responseType = "blob";
    for (const [name, value] of Object.entries(request.headers ?? {})) call.setRequestHeader(name, value);
    if (onUpload) {
      call.upload.onprogress = (event) => onUpload(event.lengthComputable ? event.loaded / event.total : 0);
      call.upload.onload = () => onUpload(1);
    }
    call.onload = () => {
      signal?.removeEventListener("abort", stop);
      const body = call.response instanceof Blob ? call.response : new Blob();
      resolve({ status: call.status, body, header: (name) => call.getResponseHeader(name) });
    };
    call.onerror = refuse(own("offline"));
    call.onabort = refuse(aborted());
    signal?.addEventListener("abort", stop);
    call.send(request.body ?? null);
  });
}
