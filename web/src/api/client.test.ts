import { describe, expect, it } from "vitest";
import { openClient } from "./client";
import type { Answer, Request } from "./http";

function server(answer: Partial<Record<string, string>> = {}, body = "{}") {
  const asked: Request[] = [];
  const send = (request: Request): Promise<Answer> => {
    asked.push(request);
    return Promise.resolve({ status: 200, body: new Blob([body]), header: (name) => answer[name] ?? null });
  };
  return { asked, client: openClient("v1/", send) };
}

const file = new Blob(["x"], { type: "image/png" });

describe("the client", () => {
  it("cuts a file by a recipe that travels as one field", async () => {
    const { asked, client } = server({ "X-Cleancut-Model": "m", "X-Cleancut-Confidence": "0.9" });
    const assets = new Map([["sky", new Blob(["y"])]]);
    const result = await client.cut({ file, name: "a.png" }, { format: "webp" }, assets);
    const form = asked[0]?.body as FormData;
    expect(asked[0]?.url).toBe("v1/cut");
    expect(asked[0]?.headers?.Accept).toBe("image/webp");
    expect(form.get("recipe")).toBe('{"format":"webp"}');
    expect(form.get("image")).toBeInstanceOf(Blob);
    expect(form.has("sky")).toBe(true);
    expect(result).toMatchObject({ model: "m", confidence: 0.9 });
  });

  it("names an address instead of a file", async () => {
    const { asked, client } = server();
    await client.cut({ url: "https://example.com/a.png" }, {}, new Map());
    const form = asked[0]?.body as FormData;
    expect(form.get("url")).toBe("https://example.com/a.png");
    expect(form.has("image")).toBe(false);
  });

  it("sends an edit's recipe as JSON, and as a form where it names pictures", async () => {
    const { asked, client } = server();
    await client.preview("a/b", { model: "m" }, new Map());
    expect(asked[0]).toMatchObject({ url: "v1/edits/a%2Fb/preview", body: '{"model":"m"}' });
    await client.result("e", {}, new Map([["sky", file]]));
    expect(asked[1]?.body).toBeInstanceOf(FormData);
  });

  it("shows its key with every request, and none where there is none", async () => {
    const { asked, client } = server();
    await client.service();
    client.setKey(" k ");
    await client.models();
    expect(asked[0]?.headers).not.toHaveProperty("X-API-Key");
    expect(asked[1]?.headers).toHaveProperty("X-API-Key", "k");
  });

  it("rates with the picture only where the person sends it", async () => {
    const { asked, client } = server();
    await client.feedback({ rating: "up", reasons: [], model: "m" }, null);
    await client.feedback({ rating: "down", reasons: ["hair", "edges"], model: "m", text: "t" }, file);
    expect(asked[0]?.body).toBe('{"rating":"up","reasons":[],"model":"m"}');
    const form = asked[1]?.body as FormData;
    expect(form.getAll("reasons")).toEqual(["hair", "edges"]);
    expect(form.has("image")).toBe(true);
  });
});
