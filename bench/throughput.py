"""Requests a second beside `rembg s`, at 1080p: python -m bench.throughput U2NETP.onnx --rembg ENVIRONMENT.

Both servers run at once and are asked in turn, so that a busy moment hits both; a ratio is the median of the rounds'
ratios. Every request has a photo of its own, as no cache is to be measured. Prints a table and draws both memories.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import io
import shutil
import statistics
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from bench.machine import machine
from bench.serving import Running, drawn, ours, rembg
from bench.speed import HOME, photo, rembg_environment, surroundings

MODEL = "same-weights"
TABLE = """[{name}]
like = "u2netp"
title = "The weights that both run"
license = "Apache-2.0"
weights = {{ file = "same-weights.onnx", sha256 = "{sha256}" }}
"""


@dataclass
class Contender:
    """A server, how it is asked, and how it did: requests a second in each round."""

    name: str
    server: Running
    path: str
    fields: Mapping[str, str]
    file: str
    rates: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


async def asked(contender: Contender, jpeg: bytes, requests: int, at_once: int) -> None:
    """Send so many requests, so many at once; note how that went."""
    left = iter(range(requests))

    async def work(client: httpx.AsyncClient) -> None:
        for number in left:
            fresh = jpeg[:2] + b"\xff\xfe\x00\x0a" + time.monotonic_ns().to_bytes(8) + jpeg[2:]
            begun = time.monotonic()
            files = {contender.file: (f"{number}.jpg", fresh, "image/jpeg")}
            answer = await client.post(contender.path, files=files, data=contender.fields)
            if answer.status_code != 200 or not answer.content.startswith(b"\x89PNG"):
                raise SystemExit(f"{contender.name} answered {answer.status_code}: {answer.text[:200]}")
            contender.seconds.append(time.monotonic() - begun)
            contender.server.memory.done += 1

    async with httpx.AsyncClient(base_url=contender.server.url, timeout=300, trust_env=False) as client:
        begun = time.monotonic()
        await asyncio.gather(*(work(client) for _ in range(at_once)))
        contender.rates.append(requests / (time.monotonic() - begun))


def home_with(weights: Path, folder: Path) -> dict[str, str]:
    """Make a home and settings in which the weights are a model named `same-weights`; give the environment."""
    kept, settings = folder / "weights" / "same-weights.onnx", folder / "settings" / "cleancut" / "models.toml"
    for path in (kept, settings):
        path.parent.mkdir(parents=True)
    shutil.copy(weights, kept)
    settings.write_text(TABLE.format(name=MODEL, sha256=hashlib.sha256(weights.read_bytes()).hexdigest()))
    return {"XDG_CONFIG_HOME": str(folder / "settings"), "CLEANCUT_CACHE": "off"}


def contest(title: str, theirs: Contender, mine: Contender, jpeg: bytes, given: argparse.Namespace) -> None:
    """Ask both in turn; print a line of the table."""
    for contender in (theirs, mine):
        asyncio.run(asked(contender, jpeg, given.at_once, given.at_once))  # networks are loaded, memory is taken
        contender.rates.clear(), contender.seconds.clear()
    for _ in range(given.rounds):
        for contender in (theirs, mine):
            asyncio.run(asked(contender, jpeg, given.requests, given.at_once))
    ratios = [b / a for a, b in zip(theirs.rates, mine.rates, strict=True)]
    cells = [
        title,
        *(f"{statistics.median(one.rates):.2f}" for one in (theirs, mine)),
        f"**{statistics.median(ratios):.1f}×**",
        f"{min(ratios):.1f}–{max(ratios):.1f}",
        *(f"{statistics.median(one.seconds) * 1000:.0f}" for one in (theirs, mine)),
        *(f"{max(held for *_, held in one.server.memory.samples):.0f}" for one in (theirs, mine)),
    ]
    print(f"| {' | '.join(cells)} |", flush=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("weights", type=Path, help="u2netp.onnx")
    arguments.add_argument("--rembg", type=Path, help="an environment that has rembg; made if not given")
    arguments.add_argument("--requests", type=int, default=12, help="in a round")
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--at-once", type=int, default=4)
    arguments.add_argument("--out", type=Path, default=HOME / "throughput")
    given = arguments.parse_args()
    weights = given.weights.resolve()
    environment = rembg_environment(given.rembg, weights)
    encoded = io.BytesIO()
    photo(1920, 1080).save(encoded, "JPEG", quality=92)
    given.out.mkdir(parents=True, exist_ok=True)
    same = {"model": MODEL, "refine": "none", "foreground": "source"}
    contests = {"same weights (u2netp), same settings": same, "each one's small default": {}}
    curves: dict[str, list[tuple[float, float]]] = {}
    print(f"{machine()}, {given.at_once} at once\n")
    print("| | rembg a second | ours | ratio | spread | rembg ms | ours ms | rembg MB | ours MB |")
    print("|---|---|---|---|---|---|---|---|---|")
    for title, fields in contests.items():
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            serving = stack.enter_context(ours(folder, home_with(weights, folder)))
            other = stack.enter_context(rembg(environment, folder, surroundings(environment)))
            theirs = Contender("rembg", other, "/api/remove", {"model": "u2netp"}, "file")
            mine = Contender("cleancut", serving, "/v1/cut", fields, "image")
            contest(title, theirs, mine, encoded.getvalue(), given)
            for one in (theirs, mine):
                curves[f"{one.name}, {title}"] = [(done, held) for _, done, held in one.server.memory.samples]
    (given.out / "memory.svg").write_text(drawn("Memory of both services at 1080p", "requests", curves))
    print(f"\n{given.out / 'memory.svg'} shows the memory.")


if __name__ == "__main__":
    main()
