"""Kill workers and Redis while jobs run: python -m bench.chaos [--jobs 500] [--kills 20] [--workers 2] [--seed 1].

A service in two tiers runs on loopback. Pictures drawn by formula are handed in as jobs, each under a key of its own
and again until it is taken. Meanwhile a worker or Redis is killed (-9) and started again, Redis now and then without
its data. Ends with 1 unless every job ended once, as done, with the very bytes that one process makes of its picture.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from PIL import Image

from bench.machine import machine
from cleancut.apps.scene import scene
from cleancut.matting import recipe as recipes
from cleancut.matting.pipeline import cut
from cleancut.matting.write import encoded
from tests import redis

SECONDS = 120
FEW_RETRIES = {"CLEANCUT_JOB_ATTEMPTS": "50"}
"""An innocent picture may be in a killed worker's hands as often as workers are killed."""


@dataclass
class Process:
    """A command of ours in a process of its own; its address is what it says first."""

    command: list[str]
    environ: dict[str, str]
    said: Path
    running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it says where it listens."""
        self.begin()
        self.wait()

    def begin(self) -> None:
        """Start it."""
        self.said.write_bytes(b"")
        with self.said.open("ab") as output:
            self.running = subprocess.Popen(
                [sys.executable, "-m", "cleancut", *self.command], env=self.environ, stdout=output, stderr=output
            )

    def wait(self) -> None:
        """Wait until it says where it listens."""
        until = time.monotonic() + SECONDS
        while not self.address:
            if self.running is None or self.running.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"{self.command[0]} does not start:\n{self.said.read_text()[-3000:]}")
            time.sleep(0.02)

    @property
    def address(self) -> str:
        """Where it listens."""
        found = re.search(r"http://[\d.]+:\d+", self.said.read_text())
        return found[0] if found else ""

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.running is not None:
            self.running.kill()
            self.running.wait()

    def end(self) -> None:
        """Ask it to end."""
        if self.running is not None:
            self.running.terminate()

    def stop(self) -> int:
        """End it in good order; give its exit status."""
        if self.running is None:
            return 0
        self.running.terminate()
        return self.running.wait(SECONDS)


@dataclass
class Tiers:
    """A service in two tiers, and its Redis."""

    folder: Path
    redis: redis.Redis
    environ: dict[str, str] = field(default_factory=dict)
    workers: list[Process] = field(default_factory=list)

    def process(self, name: str, *command: str) -> Process:
        """Make a process of this service."""
        shared = {"CLEANCUT_QUEUE": self.redis.url, "CLEANCUT_QUEUE_STORAGE": str(self.folder / "depot")}
        own = {"CLEANCUT_HOME": str(self.folder / "home"), "PYTHONUNBUFFERED": "1"}
        environ = {**os.environ, **own, **shared, **self.environ}
        return Process(list(command), environ, self.folder / f"{name}.log")

    def work(self, count: int, *flags: str) -> None:
        """Start workers."""
        for _ in range(count):
            name = f"worker-{len(self.workers)}"
            self.workers.append(self.process(name, "worker", "--port", "0", "--threads", "1", *flags))
            self.workers[-1].begin()

    @contextmanager
    def serving(self, *flags: str) -> Iterator[httpx.Client]:
        """Serve; give a client."""
        service = self.process("service", "serve", "--port", "0", *flags)
        service.start()
        try:
            with httpx.Client(base_url=service.address, timeout=SECONDS, trust_env=False) as client:
                until(lambda: client.get("/health/ready").status_code == 200)
                yield client
        finally:
            service.stop()

    def stop(self) -> None:
        """End the workers."""
        for worker in self.workers:
            worker.end()
        for worker in self.workers:
            worker.stop()


@contextmanager
def tiers(*flags: str, **environ: str) -> Iterator[Tiers]:
    """Start Redis with flags of its own; give what the tiers are started with."""
    with tempfile.TemporaryDirectory(prefix="cleancut-tiers-") as folder, redis.server(*flags) as server:
        house = Tiers(Path(folder), server, environ)
        try:
            yield house
        finally:
            for worker in house.workers:
                worker.kill()


def until(true, seconds: float = SECONDS) -> None:
    """Wait for something that will come to be."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise SystemExit("it did not come to be")
        time.sleep(0.02)


def drawn(number: int) -> bytes:
    """Draw a picture that is no other's."""
    stream = io.BytesIO()
    Image.fromarray(scene(480 + number % 7, 400 + number % 11, seed=number).photo.rgb).save(stream, "PNG")
    return stream.getvalue()


def expected(picture: bytes) -> bytes:
    """Give what one process makes of a picture."""
    return encoded(cut(picture, recipes.make(format="png", provenance=True)))


@dataclass
class Chaos:
    """Kills what it may, as often as it should."""

    house: Tiers
    seed: int
    kills: int
    killed: Counter[str] = field(default_factory=Counter)

    def among(self, jobs: int) -> Iterator[int]:
        """Give the numbers of jobs, and kill between them, at moments that are random and while there is work."""
        random_ = random.Random(self.seed)
        plan = ["redis", "forgetful", *random_.choices(("worker", "redis"), (4, 1), k=max(0, self.kills - 2))]
        random_.shuffle(plan)
        moments = sorted(random_.sample(range(1, jobs), k=min(len(plan), jobs - 1)))
        for number in range(jobs):
            yield number
            if number in moments:
                what = plan.pop()
                time.sleep(random_.uniform(0, 0.2))
                self._kill(what, random_)
                self.killed[what] += 1

    def _kill(self, what: str, random_: random.Random) -> None:
        if what == "worker":
            worker = random_.choice(self.house.workers)
            worker.kill()
            worker.begin()
            return
        self.house.redis.kill()
        if what == "forgetful":
            self.house.redis.forget()
        time.sleep(random_.uniform(0.1, 1.0))
        self.house.redis.start()


def handed_in(client: httpx.Client, number: int, picture: bytes) -> str:
    """Hand a job in, again until it is taken; give its id."""
    key = {"Idempotency-Key": f"chaos-{number}"}
    while True:
        answer = client.post("/v1/jobs", files={"image": (f"{number}.png", picture)}, headers=key)
        if answer.status_code == 202:
            return answer.json()["id"]
        if answer.status_code != 503:
            raise SystemExit(f"A job was answered with {answer.status_code}: {answer.text[:300]}")
        time.sleep(0.2)


def asked(client: httpx.Client, path: str) -> httpx.Response:
    """Ask until the service can tell."""
    while (answer := client.get(path)).status_code == 503:
        time.sleep(0.2)
    return answer


def outcome(client: httpx.Client, id: str, wanted: bytes) -> str:
    """Wait for a job's end; say how it ended."""
    end = time.monotonic() + SECONDS
    while (job := asked(client, f"/v1/jobs/{id}").json())["state"] in {"queued", "running"}:
        if time.monotonic() > end:
            return "not ended"
        time.sleep(0.1)
    if job["state"] != "done":
        return f"{job['state']}: {job['pictures'][0].get('error')}"
    return "right" if asked(client, f"/v1/jobs/{id}/result").content == wanted else "wrong bytes"


def run(jobs: int, kills: int, workers: int, seed: int) -> tuple[Counter[str], Counter[str], int]:
    """Do it; give the outcomes, what was killed, and how many jobs there were at the end."""
    pictures = [drawn(number) for number in range(jobs)]
    results = [expected(picture) for picture in pictures]
    with tiers(**FEW_RETRIES) as house:
        house.work(workers, "--concurrency", "2")
        with house.serving() as client:
            chaos = Chaos(house, seed, kills)
            ids = [handed_in(client, number, pictures[number]) for number in chaos.among(jobs)]
            outcomes = Counter(outcome(client, id, wanted) for id, wanted in zip(ids, results, strict=True))
            with house.redis.client() as redis_:
                count = len(redis_.keys("cleancut:job:*"))
        house.stop()
    return outcomes, chaos.killed, count


def main() -> None:
    """Run it and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in (("jobs", 500), ("kills", 20), ("workers", 2), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=value)
    given = parser.parse_args()
    print(machine())
    begun = time.monotonic()
    outcomes, killed, count = run(given.jobs, given.kills, given.workers, given.seed)
    print(f"{given.jobs} jobs, {count} written down, {time.monotonic() - begun:.0f} s; killed: {dict(killed)}")
    print(f"outcomes: {dict(outcomes)}")
    raise SystemExit(0 if outcomes == {"right": given.jobs} and count == given.jobs else 1)


if __name__ == "__main__":
    main()
