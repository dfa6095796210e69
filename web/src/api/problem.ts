/** A failure that a person is told of: the server's own sentence, or ours by its name in the strings. */

export type Own =
  "offline" | "unreadable" | "empty" | "tooManyBytes" | "tooManyPixels" | "notRead" | "missingPicture" | "serverOnly";

/** How codes of failures on the device begin. */
export const LOCAL = "local.";

export class Problem extends Error {
  override readonly name = "Problem";

  /**
   * @param code the failure's name, the server's (`queue_full`) or ours.
   * @param sentence what the server says to do, or "" where the page has words of its own for the code.
   * @param status of HTTP; 0 where no answer came.
   * @param retryAfter seconds to wait before asking again; null where asking again is of no use.
   * @param facts numbers and names that our words speak of.
   */
  constructor(
    readonly code: string,
    readonly sentence = "",
    readonly status = 0,
    readonly retryAfter: number | null = null,
    readonly facts: Readonly<Record<string, string | number>> = {},
  ) {
    super(sentence || code);
  }
}

export function own(code: Own, facts: Readonly<Record<string, string | number>> = {}): Problem {
  return new Problem(code, "", 0, null, facts);
}

/** No key, or a wrong one: the page asks for one. */
export function needsKey(problem: Problem): boolean {
  return problem.code === "no_key" || problem.code === "wrong_key";
}

/** The server no longer knows the edit; the picture must be sent again. */
export function isGone(error: unknown): boolean {
  return error instanceof Problem && error.status === 410;
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

export function aborted(): DOMException {
  return new DOMException("Cancelled.", "AbortError");
}

/** A failure that nobody foresaw is told as it is: hiding it would help no one. */
export function problemFrom(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem("unforeseen", error instanceof Error ? error.message : String(error));
}

/** Read a refusal as RFC 9457 writes it; whatever else stands in front of the server may answer in other words. */
export async function problemOf(status: number, body: Blob, retryAfter: string | null): Promise<Problem> {
  const told = await readObject(body);
  const code = typeof told.code === "string" ? told.code : `http_${status}`;
  const detail = typeof told.detail === "string" ? told.detail : `The server answers ${status}.`;
  return new Problem(code, detail, status, waitOf(status, retryAfter));
}

async function readObject(body: Blob): Promise<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(await body.text());
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

const LONGEST_WAIT = 600;
const USUAL_WAIT = 5;

/** Seconds that Retry-After states, as a number or a date (RFC 9110, 10.2.3). */
export function waitOf(status: number, header: string | null, now = Date.now()): number | null {
  if (status !== 429 && status !== 503) return null;
  if (header === null) return status === 429 ? USUAL_WAIT : null;
  const seconds = /^\d+$/.test(header.trim()) ? Number(header) : (Date.parse(header) - now) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 1), LONGEST_WAIT) : USUAL_WAIT;
}
