"""How soon a stroke shows on a large photo, over HTTP: python -m bench.retouching [--photo photo.jpg] [--strokes 15].

A service of ours is started; a photo of 12 megapixels is sent once, and a stroke a time is added. Wall time is the
caller's, processor time the service's, a preview.
"""

from __future__ import annotations

import argparse
import io
import statistics
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import psutil
from PIL import Image

from bench.machine import machine
from bench.serving import Running, ours
from cleancut.apps.scene import scene

SIZE = (4000, 3000)
LOOKS: Mapping[str, dict[str, Any]] = {
    "plain": {},
    "alpha alone": {},
    "as WebP": {},
    "shadow on white": {"effects": ["color:white", "shadow"]},
    "blurred background": {"effects": ["blur:radius=40"]},
    "feather": {"refine": ["auto", "feather:radius=8"]},
    "guided": {"refine": ["auto", "guided"]},
    "detail": {"refine": ["auto", "detail:edges=wide"]},
}


def jpeg(path: Path | None) -> bytes:
    """Give a photo of 12 megapixels: one of the caller's, enlarged, or a scene of ours."""
    image = Image.fromarray(scene(*SIZE, seed=7).photo.rgb) if path is None else Image.open(path).convert("RGB")
    stream = io.BytesIO()
    image.resize(SIZE, Image.Resampling.LANCZOS).save(stream, "JPEG", quality=92)
    return stream.getvalue()


def stroke(number: int) -> dict[str, Any]:
    """One of many short strokes."""
    x, y = 0.1 + 0.05 * (number % 16), 0.2 + 0.03 * (number // 4 % 16)
    return {"points": [[x, y], [x + 0.03, y + 0.08]], "radius": 0.01, "keep": number % 2 == 0}


def previews(running: Running, client: httpx.Client, edit: str, name: str, strokes: int) -> str:
    """Draw stroke after stroke; give a row of the table."""
    accept = "image/webp" if name == "as WebP" else "image/png"
    query = {"show": "alpha"} if name == "alpha alone" else {}
    process, times = psutil.Process(running.process.pid), []
    before = process.cpu_times()
    for count in range(1, strokes + 1):
        recipe = LOOKS[name] | {"strokes": [stroke(number) for number in range(count)]}
        start = time.perf_counter()
        answer = client.post(f"/v1/edits/{edit}/preview", json=recipe, params=query, headers={"accept": accept})
        times.append(1000 * (time.perf_counter() - start))
        answer.raise_for_status()
    after = process.cpu_times()
    spent = 1000 * (after.user + after.system - before.user - before.system) / strokes
    return (
        f"| {name} | {statistics.median(times):.0f} | {max(times):.0f} | {spent:.0f} | {len(answer.content) // 1000} |"
    )


def timed(name: str, answer: httpx.Response) -> None:
    """Print how long a request took."""
    answer.raise_for_status()
    print(f"{name}: {answer.elapsed.total_seconds():.2f} s")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photo", type=Path)
    parser.add_argument("--strokes", type=int, default=15)
    given = parser.parse_args()
    photo = jpeg(given.photo)
    print(machine())
    with (
        tempfile.TemporaryDirectory() as folder,
        ours(Path(folder), {}) as running,
        httpx.Client(base_url=running.url, timeout=120, trust_env=False) as client,
    ):
        timed("/v1/cut", client.post("/v1/cut", files={"image": ("photo.jpg", photo)}))
        begun = client.post("/v1/edits", files={"image": ("photo.jpg", photo)})
        timed("/v1/edits", begun)
        edit = begun.json()["id"]
        print("\n| look | median ms | worst ms | processor ms | kB |\n|---|---|---|---|---|")
        for name in LOOKS:
            print(previews(running, client, edit, name, given.strokes))
        recipe = {"strokes": [stroke(number) for number in range(given.strokes)]}
        print()
        timed("result", client.post(f"/v1/edits/{edit}/result", json=recipe))


if __name__ == "__main__":
    main()
