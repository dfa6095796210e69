"""A server in a process of its own, its memory sampled as it works, and a drawing of that."""

from __future__ import annotations

import os
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

START_SECONDS = 120


@dataclass
class Memory:
    """Resident memory of a process, its children included, in MB by seconds and by requests that were answered."""

    process: psutil.Process
    done: int = 0
    samples: list[tuple[float, int, float]] = field(default_factory=list)
    _end: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        start = time.monotonic()
        while not self._end.wait(0.2):
            try:
                family = [self.process, *self.process.children(recursive=True)]
                held = sum(one.memory_info().rss for one in family) / 1e6
            except psutil.NoSuchProcess:
                return
            self.samples.append((time.monotonic() - start, self.done, held))

    def stop(self) -> None:
        """Sample no more."""
        self._end.set()
        self._thread.join()

    def between(self, first: int, last: int) -> float:
        """The median in MB while requests `first` to `last` were answered."""
        return statistics.median(held for _, done, held in self.samples if first <= done <= last)


@dataclass
class Running:
    """A server that answers."""

    url: str
    process: subprocess.Popen[bytes]
    memory: Memory
    said: Path


@contextmanager
def ours(folder: Path, environ: Mapping[str, str]) -> Iterator[Running]:
    """Run `cleancut serve` on a free port, with its home in a folder."""
    environ = {**os.environ, "CLEANCUT_HOME": str(folder), "CLEANCUT_PORT": "0", **environ}
    command = [sys.executable, "-m", "cleancut", "serve"]
    with _started(command, environ, folder / "ours.log") as (process, said):
        _until(lambda: "http://" in said.read_text(), process, said)
        url = re.findall(r"http://[\d.]+:\d+", said.read_text())[0]
        yield from _ready(url, "/health/ready", process, said)


@contextmanager
def rembg(environment: Path, folder: Path, environ: Mapping[str, str]) -> Iterator[Running]:
    """Run `rembg s` of an environment, as it is but for the page it would open."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [str(environment / "bin" / "rembg"), "s", "--host", "127.0.0.1", "--port", str(port), "--no-ui"]
    environ = {**os.environ, **environ, "BROWSER": "true"}
    with _started(command, environ, folder / "rembg.log") as (process, said):
        yield from _ready(f"http://127.0.0.1:{port}", "/openapi.json", process, said)


@contextmanager
def _started(
    command: Sequence[str], environ: Mapping[str, str], said: Path
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    said.parent.mkdir(parents=True, exist_ok=True)
    with said.open("wb") as output:
        process = subprocess.Popen(command, env=environ, stdout=output, stderr=output)
        try:
            yield process, said
        finally:
            process.terminate()
            process.wait(60)


def _ready(url: str, path: str, process: subprocess.Popen[bytes], said: Path) -> Iterator[Running]:
    _until(lambda: _answers(url + path), process, said)
    memory = Memory(psutil.Process(process.pid))
    try:
        yield Running(url, process, memory, said)
    finally:
        memory.stop()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def _until(true, process: subprocess.Popen[bytes], said: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while not true():
        if process.poll() is not None or time.monotonic() > until:
            raise SystemExit(f"The server does not start:\n{said.read_text()[-3000:]}")
        time.sleep(0.05)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that a share of all does not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def ticks(top: float) -> range:
    """Round numbers from 0 to `top`, about five of them."""
    step = next(step for power in range(9) for step in (10**power, 2 * 10**power, 5 * 10**power) if top / step <= 7)
    return range(0, int(top) + 1, step)


COLORS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd")
WIDTH, HEIGHT, LEFT, BELOW = 800, 360, 70, 50


def drawn(title: str, across: str, curves: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Draw curves of MB as SVG, from zero up."""
    right = max(x for points in curves.values() for x, _ in points) or 1
    top = max(y for points in curves.values() for _, y in points) * (1.05 + 0.06 * len(curves))  # room for the names

    def place(x: float, y: float) -> str:
        return f"{LEFT + x / right * (WIDTH - LEFT - 20):.1f},{(HEIGHT - BELOW) - y / top * (HEIGHT - BELOW - 40):.1f}"

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/><text x="{LEFT}" y="24" font-size="16">{title}</text>',
    ]
    for value in ticks(top):
        height = place(0, value).split(",")[1]
        parts.append(f'<polyline points="{LEFT},{height} {WIDTH - 20},{height}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{height}" dy="4" text-anchor="end">{value}</text>')
    for value in ticks(right):
        along = place(value, 0).split(",")[0]
        parts.append(f'<text x="{along}" y="{HEIGHT - 30}" text-anchor="middle">{value}</text>')
    parts.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 8}" text-anchor="middle">{across}</text>')
    parts.append(
        f'<text x="16" y="{HEIGHT / 2}" transform="rotate(-90 16 {HEIGHT / 2})" text-anchor="middle">MB</text>'
    )
    for number, (name, points) in enumerate(curves.items()):
        color = COLORS[number % len(COLORS)]
        line = " ".join(place(x, y) for x, y in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts.append(f'<text x="{WIDTH - 24}" y="{40 + 18 * number}" text-anchor="end" fill="{color}">{name}</text>')
    return "\n".join([*parts, "</svg>\n"])
