"""Wear the service down: python -m bench.soak [--requests 10000] [--minutes 120] [--out .bench/soak].

Good, bad and aborted requests in a mix, then four times as many as it can take. Prints a table, draws the server's
memory, and ends with 1 if a promise is broken:

* no 5xx but 503 and 504, and those only under overload; the server answers at the end;
* resident memory after the first tenth of the requests, but at most 1,000, grows by at most 5 %; fewer than 2,000
  requests are too few to tell;
* of the requests that were let in, 99 in 100 were answered within the deadline, and a second for the way;
* at four times its capacity the service finishes at least 90 % of what it finishes at its best.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import random
import struct
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

from bench.machine import machine
from bench.serving import Running, drawn, ours, percentile
from cleancut.apps.scene import scene
from cleancut.limits import ServiceLimits

CONCURRENT = 8
GROWTH, TELLING, THROUGHPUT, WAY = 0.05, 2000, 0.9, 1.0
ABORTED = 0


@dataclass
class Told:
    """What came of the requests."""

    statuses: dict[str, Counter[int]] = field(default_factory=dict)
    admitted: list[float] = field(default_factory=list)

    def add(self, kind: str, status: int, seconds: float) -> None:
        """Count an answer."""
        self.statuses.setdefault(kind, Counter())[status] += 1
        if status in {200, 504}:
            self.admitted.append(seconds)

    @property
    def all(self) -> Counter[int]:
        """All statuses."""
        return sum(self.statuses.values(), Counter())


@dataclass(frozen=True)
class Photos:
    """Photos at three sizes; `fresh` makes one that no cache has seen."""

    encoded: tuple[bytes, ...]

    @staticmethod
    def draw() -> Photos:
        """Draw them."""
        sizes = ((320, 240), (640, 480), (1280, 960))
        return Photos(tuple(_jpeg(scene(*size, seed=7, zoom=2).photo.rgb) for size in sizes))

    def fresh(self, chance: random.Random, size: int | None = None) -> bytes:
        """Give a photo that was never sent."""
        photo = self.encoded[chance.choices((0, 1, 2), (4, 3, 1))[0] if size is None else size]
        return photo[:2] + b"\xff\xfe\x00\x12" + chance.randbytes(16) + photo[2:]  # a comment, after the first marker


def _jpeg(rgb: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(rgb).save(stream, "JPEG", quality=90)
    return stream.getvalue()


def _bomb() -> bytes:
    """A PNG whose header states 900 megapixels."""
    head = b"IHDR" + struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    rows = b"IDAT" + zlib.compress(bytes(90_001))
    chunks = (
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in (head, rows)
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


class Caller:
    """Sends requests of every kind."""

    def __init__(self, url: str, photos: Photos, seed: int) -> None:
        self.url, self.photos, self.chance = httpx.URL(url), photos, random.Random(seed)
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=32)
        self.client = httpx.AsyncClient(base_url=url, timeout=120, trust_env=False, limits=limits)
        self.kinds: dict[str, tuple[int, Callable[[], Awaitable[int]]]] = {
            "good: body": (20, lambda: self.body("")),
            "good: alpha": (8, lambda: self.body("?show=alpha")),
            "good: white JPEG": (8, lambda: self.body("?format=jpeg&effects=color:white")),
            "good: form": (12, lambda: self.form("/v1/cut", "image")),
            "good: remove.bg": (8, lambda: self.form("/v1.0/removebg", "image_file", size="preview")),
            "good: rembg": (6, lambda: self.form("/api/remove", "file", model="cleancut-small")),
            "good: list": (4, lambda: self.get("/v1/models")),
            "bad: no picture": (5, lambda: self.body("", b"nothing of the kind" * 50)),
            "bad: cut short": (4, lambda: self.body("", self.photo()[:2000])),
            "bad: bomb": (4, lambda: self.body("", _bomb())),
            "bad: recipe": (4, lambda: self.body("?effects=sparkle:loud=yes")),
            "bad: model": (3, lambda: self.body("?model=none-of-ours")),
            "bad: fields": (2, lambda: self.form("/v1/cut", "image", **{f"f{n}": "x" for n in range(500)})),
            "bad: address": (2, lambda: self.get("/etc/passwd")),
            "bad: JSON": (2, lambda: self.send(b"[" * 5000, "application/json")),
            "aborted: head": (3, lambda: self.abort(b"POST /v1/cut HTTP/1.1\r\nHost: ", 0)),
            "aborted: body": (5, lambda: self.abort(None, 0.5)),
            "aborted: answer": (5, lambda: self.abort(None, 1)),
        }

    def photo(self, size: int | None = None) -> bytes:
        """Give a photo that was never sent."""
        return self.photos.fresh(self.chance, size)

    async def any(self) -> tuple[str, int]:
        """Send a request of a kind that chance chooses; give the kind and the status."""
        kind = self.chance.choices(list(self.kinds), [weight for weight, _ in self.kinds.values()])[0]
        return kind, await self.kinds[kind][1]()

    async def send(self, content: bytes, type: str) -> int:
        """Send bytes as they are."""
        answer = await self.client.post("/v1/cut", content=content, headers={"Content-Type": type})
        return answer.status_code

    async def body(self, query: str, data: bytes | None = None, size: int | None = None) -> int:
        """Send a photo, or `data`, as the body."""
        content = self.photo(size) if data is None else data
        answer = await self.client.post(f"/v1/cut{query}", content=content, headers={"Content-Type": "image/jpeg"})
        if data is None and query == "" and answer.status_code == 200:
            assert answer.content.startswith(b"\x89PNG") and answer.content.endswith(b"IEND\xaeB`\x82")
        return answer.status_code

    async def form(self, path: str, field: str, **fields: str) -> int:
        """Send a photo in a form."""
        answer = await self.client.post(path, files={field: ("photo.jpg", self.photo(), "image/jpeg")}, data=fields)
        return answer.status_code

    async def get(self, path: str) -> int:
        """Ask for an address."""
        return (await self.client.get(path)).status_code

    async def abort(self, head: bytes | None, share: float) -> int:
        """Leave in the middle: after a part of the head, of the body, or before the answer."""
        photo = self.photo()
        host, port = self.url.host, self.url.port or 80
        lines = f"POST /v1/cut HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: image/jpeg\r\n"
        whole = f"{lines}Content-Length: {len(photo)}\r\n\r\n".encode() + photo[: int(len(photo) * share)]
        _, writer = await asyncio.open_connection(host, port)
        writer.write(whole if head is None else head)
        await writer.drain()
        await asyncio.sleep(self.chance.uniform(0, 0.2))
        writer.transport.abort()
        return ABORTED


async def mixed(server: Running, caller: Caller, requests: int, until: float) -> Told:
    """Send so many requests, a few at once, and let nobody wait for ever."""
    told, left = Told(), iter(range(requests))

    async def work() -> None:
        for _ in left:
            if time.monotonic() > until:
                return
            begun = time.monotonic()
            kind, status = await caller.any()
            told.add(kind, status, time.monotonic() - begun)
            server.memory.done += 1

    await asyncio.gather(*(work() for _ in range(CONCURRENT)))
    return told


async def capacity(caller: Caller, seconds: float) -> float:
    """Cut-outs a second at the best number of requests at once."""
    best = 0.0
    for at_once in (1, 2, 4):
        done, until = 0, time.monotonic() + seconds

        async def work(until: float = until) -> None:
            nonlocal done
            while time.monotonic() < until:
                done += await caller.body("", size=1) == 200

        begun = time.monotonic()
        await asyncio.gather(*(work() for _ in range(at_once)))
        best = max(best, done / (time.monotonic() - begun))
    return best


async def overload(caller: Caller, rate: float, seconds: float) -> tuple[Told, float]:
    """Send `rate` requests a second whatever becomes of them; give what came of them and what was finished a second."""
    told, finished, tasks = Told(), [], set()
    begun = time.monotonic()

    async def one() -> None:
        start = time.monotonic()
        status = await caller.body("", size=1)
        told.add("overload", status, time.monotonic() - start)
        finished.extend([time.monotonic() - begun] if status == 200 else [])

    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
        tasks.add(asyncio.create_task(one()))
    await asyncio.gather(*tasks)
    settled = [
        when for when in finished if seconds / 4 <= when <= seconds
    ]  # the queue is full, and requests still come
    return told, len(settled) / (seconds * 3 / 4)


def report(mix: Told, crowd: Told, server: Running, requests: int, best: float, crowded: float) -> list[str]:
    """Print what happened; give the promises that were broken."""
    limits = ServiceLimits.from_env()
    settled = min(1000, max(1, requests // 10))
    base, end = server.memory.between(settled, 2 * settled), server.memory.between(requests - settled, requests)
    late = [percentile(told.admitted, 0.99) for told in (mix, crowd)]
    print(f"{machine()}\n\n| kind | requests | answers |\n|---|---|---|")
    for kind, statuses in sorted({**mix.statuses, **crowd.statuses}.items()):
        shown = ", ".join(f"{status or 'left'}: {count}" for status, count in sorted(statuses.items()))
        print(f"| {kind} | {sum(statuses.values())} | {shown} |")
    print(f"\nMemory: {base:.0f} MB after {settled} requests, {end:.0f} MB at the end: {end / base - 1:+.1%}.")
    print(f"99 of 100 admitted requests: within {late[0]:.2f} s in the mix, {late[1]:.2f} s under overload.")
    print(f"Best {best:.2f} a second; at four times that {crowded:.2f} a second, {crowded / best:.0%}.")
    broken = {
        "5xx in the mix": any(status >= 500 for status in mix.all),
        "5xx but 503 and 504 under overload": any(status >= 500 and status not in {503, 504} for status in crowd.all),
        "a good request was refused": any(
            set(s) != {200} for kind, s in mix.statuses.items() if kind.startswith("good")
        ),
        "a bad request was not": any(set(s) & {200} for kind, s in mix.statuses.items() if kind.startswith("bad")),
        "memory grew": requests >= TELLING and end / base - 1 > GROWTH,
        "answers came late": max(late) > limits.deadline + WAY,
        "overload cost throughput": crowded / best < THROUGHPUT,
    }
    return [promise for promise, is_broken in broken.items() if is_broken]


async def soak(server: Running, given: argparse.Namespace) -> list[str]:
    caller = Caller(server.url, Photos.draw(), given.seed)
    until = time.monotonic() + given.minutes * 60
    async with caller.client:
        mix = await mixed(server, caller, given.requests, until)
        requests = server.memory.done
        best = await capacity(caller, given.seconds)
        crowd, crowded = await overload(caller, 4 * best, given.seconds * 3)
        alive = await caller.body("", size=1)
    broken = report(mix, crowd, server, requests, best, crowded)
    return broken if alive == 200 else [*broken, "the server does not answer any more"]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--requests", type=int, default=10_000)
    arguments.add_argument("--minutes", type=float, default=120, help="the mix ends then, however many were sent")
    arguments.add_argument("--seconds", type=float, default=20, help="each measurement of throughput lasts this long")
    arguments.add_argument("--seed", type=int, default=7)
    arguments.add_argument("--cache", choices=("off", "memory"), default="off", help="off: memory is not the cache's")
    arguments.add_argument("--out", type=Path, default=Path(".bench/soak"))
    given = arguments.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, ours(Path(folder), {"CLEANCUT_CACHE": given.cache}) as server:
        broken = asyncio.run(soak(server, given))
        server.memory.stop()
        (given.out / "server.log").write_bytes(server.said.read_bytes())
    points = [(seconds, held) for seconds, _, held in server.memory.samples]
    (given.out / "memory.svg").write_text(drawn("Memory of the service", "seconds", {"resident": points}))
    (given.out / "memory.json").write_text(json.dumps(server.memory.samples))
    print(f"\n{given.out / 'memory.svg'} shows the memory.")
    raise SystemExit(f"Broken: {'; '.join(broken)}." if broken else 0)


if __name__ == "__main__":
    main()
