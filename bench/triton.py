"""What a Triton server costs and brings beside the engine here: python -m bench.triton triton://HOST:PORT [MODEL].

First, in another shell: `cleancut models export-triton MODEL DIR --backend python --kind cpu --threads 1` and
`scripts/triton DIR 8000 8001`. Prints one picture's milliseconds, in turn with the engine's on one thread, the network
alone and from JPEG to PNG at 1080p; then, for callers at once, pictures a second and how many runs they became.
"""

from __future__ import annotations

import io
import statistics
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from bench.machine import machine
from cleancut import Engine
from cleancut.apps.scene import scene
from cleancut.matting.pipeline import cut
from cleancut.matting.recipe import make
from cleancut.matting.write import encoded
from cleancut.models.triton import address, connection

RUNS = 15
SECONDS = 6.0


def main() -> None:
    where, *names = sys.argv[1:]
    name = names[0] if names else "cleancut-small"
    engines = {"engine here, one thread": Engine("cpu", threads=1), "Triton": Engine(where)}
    print(f"{machine()}; {engines['Triton'].load(name).provider}\n")
    print("| | | median ms | least | most |\n|---|---|---|---|---|")
    picture = photo()
    tensor = shown(engines["Triton"], name)
    networks = {way: engine.load(name).network for way, engine in engines.items()}
    alone: dict[str, Callable[[], Any]] = {w: lambda n=n: n({"image": tensor}) for w, n in networks.items()}
    whole: dict[str, Callable[[], Any]] = {
        way: lambda engine=engine: encoded(cut(picture, make(model=name), load=engine.load))
        for way, engine in engines.items()
    }
    in_turn("network", alone)
    in_turn("1080p, JPEG to PNG", whole)
    print("\n| callers | | pictures a second | pictures | runs | pictures a run |\n|---|---|---|---|---|---|")
    for callers in (1, 4, 16):
        for way, ask in alone.items():
            before = counted(where, name)
            pictures, seconds = together(ask, callers)
            asked, runs = (now - then for now, then in zip(counted(where, name), before, strict=True))
            told = f"{asked} | {runs} | {asked / runs:.1f}" if way == "Triton" else " | | "
            print(f"| {callers} | {way} | {pictures / seconds:.1f} | {told} |", flush=True)


def photo() -> bytes:
    stream = io.BytesIO()
    Image.fromarray(scene(1920, 1080).photo.rgb).save(stream, "JPEG", quality=90)
    return stream.getvalue()


def shown(engine: Engine, name: str) -> Any:
    width, height = engine.model(name).input.size
    return np.random.default_rng(0).standard_normal((1, 3, height, width), np.float32)


def in_turn(title: str, ways: dict[str, Callable[[], Any]]) -> None:
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(-1, RUNS):
        names = list(ways)
        for way in names if turn % 2 else names[::-1]:
            start = time.perf_counter()
            ways[way]()
            if turn >= 0:
                taken[way].append((time.perf_counter() - start) * 1000)
    for way, ms in taken.items():
        print(f"| {title} | {way} | {statistics.median(ms):.1f} | {min(ms):.1f} | {max(ms):.1f} |", flush=True)


def together(ask: Callable[[], Any], callers: int) -> tuple[int, float]:
    """Let several callers ask for some seconds; give how many answers came in how many."""
    done = [0] * callers
    start = time.perf_counter()

    def work(number: int) -> None:
        while time.perf_counter() - start < SECONDS:
            ask()
            done[number] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done), time.perf_counter() - start


def counted(where: str, name: str) -> tuple[int, int]:
    """Ask the server how many pictures it has seen so far, and in how many runs."""
    server = connection.connection(address.parsed(where))
    found = server.asked("get_inference_statistics", name, model_name=name, as_json=True)["model_stats"]
    return sum(int(o.get("inference_count", 0)) for o in found), sum(int(o.get("execution_count", 0)) for o in found)


if __name__ == "__main__":
    main()
