"""What Ray costs beside the local engine, and from how many pictures it pays: python -m bench.ray [PICTURES] [MP].

Starts a cluster of this machine, and cuts the same drawn pictures by `cleancut batch` here and there, each in a process
of its own; then by workers that are warm. Where a cluster has N times this machine's processors, a job pays from the
size at which start-up and overhead are made up for; the last lines say from which.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from PIL import Image

from bench.machine import machine
from cleancut import Engine, Limits, Recipe
from cleancut.apps.plan.measure import size_of
from cleancut.apps.scene import scene
from cleancut.jobs.batch.work import Way, work
from cleancut.jobs.cluster.connect import connected, silent_ray
from cleancut.jobs.cluster.pool import Pool
from cleancut.jobs.cluster.worker import Share
from cleancut.limits import processors


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    size = size_of(float(sys.argv[2]) if len(sys.argv) > 2 else 2.0)
    print(f"{machine()}, Ray {silent_ray().__version__}; {count} pictures of {size}\n")
    with tempfile.TemporaryDirectory() as folder:
        width, height = map(int, size.split("x"))
        (Path(folder) / "in").mkdir()
        for number in range(count):
            Image.fromarray(scene(width, height, number % 8).photo.rgb).save(f"{folder}/in/{number}.jpg", quality=90)
        print("| | whole command s | batch alone s | pictures a second |\n|---|---|---|---|")
        local, _ = command(folder, "local", count)
        remote, _ = command(folder, "ray", count)
        data = Path(folder, "in", "0.jpg").read_bytes()
    start, each = warm(data, count)
    here = alone(data, count)
    print("\n| | ms |\n|---|---|")
    print(f"| joining a cluster of this machine, workers ready | {start * 1000:.0f} |")
    print(f"| a picture by one warm worker | {each * 1000:.1f} |")
    print(f"| the same picture by `work` here, one thread | {here * 1000:.1f} |")
    print(f"| overhead a picture | {(each - here) * 1000:.1f} |\n")
    fixed, rate = max(remote - local, 0.0), here / processors()
    for times in (2, 4, 16):
        saved = rate - (each / processors()) / times
        worth = f"{fixed / saved:,.0f} pictures" if saved > 0 else "no number of pictures"
        print(f"A cluster of {times} times these processors pays from {worth}.")


def command(folder: str, engine: str, count: int) -> tuple[float, float]:
    """Run the command; give its seconds, and those of the batch in it."""
    told = [sys.executable, "-m", "cleancut", "batch", f"{folder}/in", "-o", f"{folder}/{engine}", "--json"]
    start = time.perf_counter()
    done = subprocess.run([*told, "--engine", engine], capture_output=True, check=True, env=dict(os.environ))
    whole = time.perf_counter() - start
    end: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(f"| {engine} | {whole:.1f} | {end['seconds']:.1f} | {count / end['seconds']:.1f} |", flush=True)
    return whole, end["seconds"]


def warm(data: bytes, count: int) -> tuple[float, float]:
    """Give the seconds until a worker is ready, and those it takes for a picture."""
    begun = time.perf_counter()
    with connected() as ray:
        pool = Pool(ray, Share("cpu"), 1, ["cleancut-small"])
        given: dict[str, Any] = {"load": Engine("cpu").load, "assets": {}, "limits": Limits()}
        list(pool.cut(data, [Way(Recipe(), "png")], **given))
        ready = time.perf_counter() - begun
        begun = time.perf_counter()
        for _ in range(count):
            list(pool.cut(data, [Way(Recipe(), "png")], **given))
        each = (time.perf_counter() - begun) / count
        pool.close()
    return ready, each


def alone(data: bytes, count: int) -> float:
    from cleancut.limits import share_processors

    share_processors(1)
    load = Engine("cpu", threads=1).load
    for turn in range(count + 1):
        if turn == 1:
            begun = time.perf_counter()
        list(work(data, [Way(Recipe(), "png")], load=load, assets={}, limits=Limits()))
    return (time.perf_counter() - begun) / count


if __name__ == "__main__":
    main()
