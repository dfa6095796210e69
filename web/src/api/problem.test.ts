import { describe, expect, it } from "vitest";
import { isGone, needsKey, Problem, problemFrom, problemOf, waitOf } from "./problem";

const told = (body: unknown) => new Blob([JSON.stringify(body)]);

describe("a refusal", () => {
  it("keeps the server's own sentence and code", async () => {
    const problem = await problemOf(413, told({ code: "too_big", detail: "It has 60 megapixels." }), null);
    expect(problem).toMatchObject({
      code: "too_big",
      sentence: "It has 60 megapixels.",
      status: 413,
      retryAfter: null,
    });
  });

  it("is told even where a proxy answers in words of its own", async () => {
    const problem = await problemOf(502, new Blob(["<html>Bad Gateway</html>"]), null);
    expect(problem).toMatchObject({ code: "http_502", sentence: "The server answers 502." });
  });

  it("knows that an edit is gone and that a key is wanted", async () => {
    expect(isGone(await problemOf(410, told({ code: "gone", detail: "x" }), null))).toBe(true);
    expect(needsKey(await problemOf(403, told({ code: "no_key", detail: "x" }), null))).toBe(true);
    expect(isGone(new Error("410"))).toBe(false);
  });

  it("is told as it is where nobody foresaw it", () => {
    expect(problemFrom(new TypeError("x is undefined"))).toMatchObject({
      code: "unforeseen",
      message: "x is undefined",
    });
    const problem = new Problem("a");
    expect(problemFrom(problem)).toBe(problem);
  });
});

describe("Retry-After", () => {
  it.each([
    [429, "7", 7],
    [429, null, 5],
    [503, "3", 3],
    [503, null, null],
    [400, "3", null],
    [429, "100000", 600],
    [429, "soon", 5],
  ])("of %i and %s is %s", (status, header, seconds) => expect(waitOf(status, header)).toBe(seconds));

  it("may be a date", () => {
    const now = Date.UTC(2026, 10, 20, 12, 0, 0);
    expect(waitOf(429, "Fri, 20 Nov 2026 12:00:30 GMT", now)).toBe(30);
  });
});
