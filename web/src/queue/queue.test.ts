import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { aborted, own, Problem } from "../api/problem";
import { Queue, waitFor, type Told } from "./queue";

const busy = (seconds: number) => new Problem("queue_full", "Ask again later.", 429, seconds);

/** Work that ends when it is told to. */
function held() {
  const calls: { told: Told; end: () => void; fail: (error: unknown) => void }[] = [];
  const work = (told: Told) =>
    new Promise<void>((resolve, reject) => {
      told.signal.addEventListener("abort", () => reject(aborted()));
      calls.push({ told, end: resolve, fail: reject });
    });
  return { calls, work };
}

const settle = () => vi.advanceTimersByTimeAsync(0);
const phases = (queue: Queue, ...ids: string[]) => ids.map((id) => queue.state(id).value.phase);

describe("the queue", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("works on as many at once as there are lanes, first come first served", async () => {
    const queue = new Queue(() => 2);
    const { calls, work } = held();
    for (const id of ["a", "b", "c"]) queue.add(id, work);
    expect(phases(queue, "a", "b", "c")).toEqual(["uploading", "uploading", "waiting"]);
    calls[0]?.end();
    await settle();
    expect(phases(queue, "a", "b", "c")).toEqual(["done", "uploading", "uploading"]);
    expect(queue.unfinished.value).toBe(2);
  });

  it("tells of the upload, then of the work", () => {
    const queue = new Queue(() => 1);
    const { calls, work } = held();
    queue.add("a", work);
    calls[0]?.told.onUpload(0.4);
    expect(queue.state("a").value).toEqual({ phase: "uploading", share: 0.4 });
    calls[0]?.told.onUpload(1);
    expect(phases(queue, "a")).toEqual(["working"]);
  });

  it("leaves the others alone when one fails", async () => {
    const queue = new Queue(() => 1);
    const { calls, work } = held();
    queue.add("a", work);
    queue.add("b", work);
    calls[0]?.fail(new Problem("too_big", "Too big.", 413));
    await settle();
    expect(phases(queue, "a", "b")).toEqual(["failed", "uploading"]);
  });

  it("waits as the server says, all of it, and then goes on", async () => {
    const queue = new Queue(() => 1);
    const { calls, work } = held();
    queue.add("a", work);
    queue.add("b", work);
    calls[0]?.fail(busy(7));
    await settle();
    expect(phases(queue, "a", "b")).toEqual(["paused", "waiting"]);
    await vi.advanceTimersByTimeAsync(6_900);
    expect(calls).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(200);
    expect(phases(queue, "a", "b")).toEqual(["uploading", "waiting"]);
    calls[1]?.end();
    await settle();
    expect(phases(queue, "a", "b")).toEqual(["done", "uploading"]);
  });

  it("goes on at once when it is woken", async () => {
    const queue = new Queue(() => 1);
    const { calls, work } = held();
    queue.add("a", work);
    calls[0]?.fail(own("offline"));
    await settle();
    queue.wake();
    expect(calls).toHaveLength(2);
  });

  it("gives up on a server that stays away, and begins anew when asked", async () => {
    const queue = new Queue(() => 1);
    const work = vi.fn(() => Promise.reject(own("offline")));
    queue.add("a", work);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(phases(queue, "a")).toEqual(["failed"]);
    const before = work.mock.calls.length;
    queue.retry("a");
    await settle();
    expect(work.mock.calls.length).toBe(before + 1);
    expect(phases(queue, "a")).toEqual(["paused"]);
  });

  it("cancels what runs and what waits, and frees the lane", async () => {
    const queue = new Queue(() => 1);
    const { calls, work } = held();
    queue.add("a", work);
    queue.add("b", work);
    queue.cancel("a");
    await settle();
    expect(calls[0]?.told.signal.aborted).toBe(true);
    expect(phases(queue, "a", "b")).toEqual(["cancelled", "uploading"]);
    queue.retry("a");
    queue.cancel("b");
    await settle();
    expect(phases(queue, "a", "b")).toEqual(["uploading", "cancelled"]);
  });

  it("puts newer work in the place of older, whose late words count no more", async () => {
    const queue = new Queue(() => 2);
    const { calls, work } = held();
    queue.add("a", work);
    queue.add("a", work);
    expect(calls[0]?.told.signal.aborted).toBe(true);
    calls[0]?.told.onUpload(1);
    await settle();
    expect(phases(queue, "a")).toEqual(["uploading"]);
    calls[1]?.end();
    await settle();
    expect(phases(queue, "a")).toEqual(["done"]);
  });
});

it("tries a server that is away again and again, but not for ever", () => {
  expect(waitFor(own("offline"), 0)).toBe(2);
  expect(waitFor(own("offline"), 99)).toBeNull();
  expect(waitFor(busy(3), 99)).toBe(3);
  expect(waitFor(new Problem("bad_recipe", "No.", 422), 0)).toBeNull();
});
