"""The whole road in a minute: ten drawn pictures → pseudo-labels → training → ONNX → a cut-out."""

from __future__ import annotations

import io
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from cleancut import Engine, Recipe, cut
from cleancut.apps.scene import Scene, scene
from cleancut.matting.metrics import mae
from training.data import held_out
from training.export import export
from training.labels import label
from training.tars import write_pairs
from training.train import Plan, train

SHAPE = (240, 300)


def smoke(folder: Path | None = None) -> float:
    """Go the whole road in a folder, by default one that is removed afterwards.

    Returns:
        The mean absolute error of the new file on a picture: not small after so few steps, but a number.

    Raises:
        Exception: whatever a step raises.
    """
    if folder is None:
        with tempfile.TemporaryDirectory() as made:
            return smoke(Path(made))
    data, run, file = folder / "data", folder / "run", folder / "cleancut-smoke.onnx"
    scenes = _write_data(data)
    label([data / "unlabelled-sofas.tar"], data, "cleancut-small", None)
    plan = Plan(data=(data,), out=run, samples=12, batch=2, every=6)
    train(plan)
    train(Plan(data=(data,), out=run, samples=16, batch=2, every=6))  # goes on from the first one's end
    difference = export(run / "best.pt", file)
    engine = Engine()
    recipe = Recipe(engine.add(file, "cleancut-small"), no_subject="keep")
    error = mae(cut(scenes[0].photo, recipe, load=engine.load).alpha, scenes[0].alpha)
    print(f"network and file differ by {difference:.1g}; mean absolute error after eight steps: {error:.3f}")
    return error


def _write_data(folder: Path) -> list[Scene]:
    """Write one tar of each use, some of its pictures for validation."""
    folder.mkdir(parents=True)
    scenes = [scene(*SHAPE, seed=seed) for seed in range(10)]
    photos = [_file(drawn.photo.rgb, "WEBP") for drawn in scenes]
    masks = [_file(np.rint(drawn.alpha * 255).astype(np.uint8), "PNG") for drawn in scenes]
    pairs = dict(zip(_stems("ccp", 4), zip(photos[:4], masks[:4], strict=True), strict=True))
    write_pairs(folder / "ccp.tar", pairs)
    empty = [_file(np.rint(drawn.background).astype(np.uint8), "WEBP") for drawn in scenes[4:6]]
    _write(folder / "backgrounds.tar", dict(zip(_stems("backgrounds", 2), empty, strict=True)))
    cutouts = [_cutout(drawn) for drawn in scenes[6:8]]
    _write(folder / "cutouts-render3d.tar", dict(zip(_stems("cutouts-render3d", 2), cutouts, strict=True)))
    _write(folder / "unlabelled-sofas.tar", {"sofa-1": photos[8], "sofa-2": photos[9]})
    return scenes


def _stems(source: str, count: int) -> Iterator[str]:
    """Name pictures of a source so that the last one is held out for validation."""
    names = (f"drawn{number}" for number in range(10_000))
    given = 0
    for name in names:
        if held_out(source, name) == (given == count - 1):
            yield name
            given += 1
        if given == count:
            return


def _cutout(drawn: Scene) -> bytes:
    rgba = np.concatenate([drawn.foreground, drawn.alpha[..., None] * 255], axis=2)
    return _file(np.rint(rgba).astype(np.uint8), "WEBP")


def _file(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], format: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format)
    return buffer.getvalue()


def _write(path: Path, files: Mapping[str, bytes]) -> None:
    with tarfile.open(path, "w") as tar:
        for stem, data in files.items():
            entry = tarfile.TarInfo(f"{stem}.webp")
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
