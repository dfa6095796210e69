"""What the queue costs and how workers scale: python -m bench.queue [--quick] [--seconds 20].

* Cost: the same 1080p pictures asked for one after another, and two at a time, of a service by itself and of one in two
  tiers with one worker of as many threads; no cache. Promises: at most 10 ms more, at most 3 % fewer a second.
* Scaling with a network that is a wait of 50 ms: turns a second of 1, 8 and 32 workers of one thread. Promises: 85 % of
  8 times one, 80 % of 32 times. A worker is a thread pool of its own in a few processes, with a broker and a holder of
  its own each; the pictures are 64 × 64.
* Two real workers on two cores against one. Promise: 1.7 times.
"""

from __future__ import annotations

import argparse
import io
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
from PIL import Image

from bench.chaos import Tiers, tiers, until
from bench.machine import machine
from bench.serving import ours
from cleancut.apps.scene import scene

WAIT = 0.05
JPEG = {"Content-Type": "image/jpeg"}
LIMITS = {"CLEANCUT_CACHE": "off", "CLEANCUT_WORKERS": "2", "CLEANCUT_JOBS_PER_KEY": "1000000"}


def pictures(count: int, width: int = 1920, height: int = 1080) -> list[bytes]:
    """Draw a picture and encode it so that each is another file."""
    photo = Image.fromarray(scene(height, width).photo.rgb)
    drawn = []
    for number in range(count):
        stream = io.BytesIO()
        photo.putpixel((number % width, 0), (number % 256, 0, 0))
        photo.save(stream, "JPEG", quality=92)
        drawn.append(stream.getvalue())
    return drawn


def asked(url: str, sent: list[bytes], at_once: int) -> tuple[float, float]:
    """Ask for every picture; give the median of milliseconds and pictures a second."""
    with httpx.Client(base_url=url, timeout=120, trust_env=False) as client, ThreadPoolExecutor(at_once) as pool:

        def one(data: bytes) -> float:
            begun = time.perf_counter()
            answer = client.post("/v1/cut", content=data, headers=JPEG)
            answer.raise_for_status()
            return time.perf_counter() - begun

        list(pool.map(one, sent[: 2 * at_once]))
        begun = time.perf_counter()
        spent = list(pool.map(one, sent))
        return statistics.median(spent) * 1000, len(sent) / (time.perf_counter() - begun)


@contextmanager
def alone() -> Iterator[str]:
    """Serve by itself; give its address."""
    with tempfile.TemporaryDirectory(prefix="cleancut-alone-") as folder, ours(Path(folder), LIMITS) as running:
        yield running.url


@contextmanager
def in_two(workers: int, threads: int) -> Iterator[tuple[str, Tiers]]:
    """Serve in two tiers; give its address."""
    with tiers("--appendonly", "no", **LIMITS) as house:
        house.work(workers, "--concurrency", str(threads))
        with house.serving() as client:
            for worker in house.workers:
                worker.wait()
                until(lambda worker=worker: _ready(worker.address))
            yield str(client.base_url).rstrip("/"), house
        house.stop()


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def cost(count: int, rounds: int) -> None:
    """Compare one tier with two: both run, and they take turns."""
    sent = pictures(count)
    told: dict[tuple[str, int], list[tuple[float, float]]] = {}
    with alone() as one, in_two(1, 2) as (two, _):
        for _ in range(rounds):
            for name, url in (("one process", one), ("two tiers", two)):
                for at_once in (1, 2):
                    told.setdefault((name, at_once), []).append(asked(url, sent, at_once))
    print("\n| | at once | ms (median) | pictures/s |\n|---|---|---|---|")
    for (name, at_once), found in told.items():
        ms, rate = (statistics.median(each) for each in zip(*found, strict=True))
        print(f"| {name} | {at_once} | {ms:.1f} | {rate:.2f} |")


def scaling(counts: list[int], seconds: float) -> None:
    """Count what workers whose network is a wait get done."""
    print("\n| workers | pictures/s | of as many times one |\n|---|---|---|")
    first = 0.0
    for count in counts:
        rate = _rate(count, seconds)
        first = first or rate
        print(f"| {count} | {rate:.1f} | {rate / (count * first):.0%} |")


def _rate(count: int, seconds: float) -> float:
    """Fill the queue, start workers, and count what they get done in a while."""
    import redis

    from cleancut.apps.queue.place import Place
    from cleancut.jobs.queue.orders import Handed
    from cleancut.jobs.store import Stored
    from cleancut.limits import ServiceLimits

    with tiers("--appendonly", "no", "--appendfsync", "no") as house, ExitStack() as stack:
        limits = ServiceLimits(jobs_per_key=10**6, job_pictures=1000)
        place = Place(house.redis.url, str(house.folder / "depot"), limits)
        stack.callback(place.close)
        place.store.check()
        total = int(count * seconds / WAIT * 1.1) + 2 * count
        sources = [Stored("a", place.depot.write(b"x" * 1000, durable=False), 1000) for _ in range(total)]
        for source in sources:  # each is waited for, as those of /v1/cut are
            place.store.put(Handed(owner="a", recipe={}, pictures=[source], urgent=True, seconds=3600, kept=3600))
        place.turns.send(total)
        command = [sys.executable, "-m", "bench.queue", "--wait-workers", house.redis.url, str(house.folder / "depot")]
        started = [subprocess.Popen([*command, str(part)]) for part in _parts(count)]
        stack.callback(lambda: [(process.kill(), process.wait()) for process in started])
        client = stack.enter_context(redis.Redis.from_url(house.redis.url))
        until(lambda: client.get("bench:ready") == str(len(started)).encode())
        until(lambda: place.store.gauges().running >= count)
        begun, before = time.monotonic(), place.store.gauges().waiting
        time.sleep(seconds)
        return (before - place.store.gauges().waiting) / (time.monotonic() - begun)


def _parts(count: int) -> list[int]:
    """Spread workers over four processes at the most: thirty-two Pythons would measure two cores."""
    processes = min(4, count)
    return [count // processes] * processes


def waiting_workers(url: str, storage: str, count: int) -> None:
    """Run workers of one thread each, whose network is a wait."""
    import redis

    from cleancut.apps.queue.place import Place
    from cleancut.jobs.queue.turns import Takers
    from cleancut.jobs.queue.worker import Crew
    from cleancut.jobs.runner import Made
    from cleancut.limits import ServiceLimits

    limits = ServiceLimits(jobs_per_key=10**6)
    place = Place(url, storage, limits)

    def work(picked: object) -> Made:
        time.sleep(WAIT)
        return Made(b"y" * 1000, "image/png", {})

    crews = [Crew(place.store, place.depot, place.ledger, work, lambda claim: "", limits) for _ in range(count)]
    takers = [Takers(url, place.prefix, crew.turn, 1) for crew in crews]
    for each in (*crews, *takers):
        each.start()
    with redis.Redis.from_url(url) as client:
        client.incr("bench:ready")
    threading.Event().wait()


def two_workers(count: int, rounds: int) -> None:
    """Compare two real workers with one, each of one thread."""
    sent = pictures(count)
    rates = {}
    for workers in (1, 2):
        with in_two(workers, 1) as (url, _):
            rates[workers] = statistics.median(asked(url, sent, 4)[1] for _ in range(rounds))
    print(f"\nreal workers: {rates[1]:.2f} and {rates[2]:.2f} pictures/s, {rates[2] / rates[1]:.2f} times")


def main() -> None:
    """Print the tables."""
    if sys.argv[1:2] == ["--wait-workers"]:
        return waiting_workers(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seconds", type=float, default=20)
    given = parser.parse_args()
    count, rounds = (12, 1) if given.quick else (60, 5)
    print(machine())
    steps: list[Callable[[], None]] = [
        lambda: cost(count, rounds),
        lambda: scaling([1, 8, 32], 4 if given.quick else given.seconds),
        lambda: two_workers(count, rounds),
    ]
    for step in steps:
        step()
    return None


if __name__ == "__main__":
    main()
