"""Evaluation sets on disk, and what a model says of their pictures.

A set is a folder with `images/` and, of the same stems, `masks/`; one without masks has no subject in any picture, and
one with `trimaps/` has true alpha, of which the trimaps mark the unknown part (neither 0 nor 255).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cleancut import Engine, Picture, Recipe, cut
from cleancut.pictures.images import read

Plane = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Case:
    """A picture and the truth about it.

    Attributes:
        name: of the set.
        path: of the picture.
        truth: (H, W) in [0, 1]; zeros where the set has no subject.
        unknown: where alpha is neither 0 nor 1, for sets with trimaps.
    """

    name: str
    path: Path
    truth: Plane
    unknown: NDArray[np.bool_] | None


def cases(folder: Path, most: int | None = None) -> Iterator[Case]:
    """Read a set, or some of its pictures spread over it."""
    paths = sorted((folder / "images").iterdir())
    for path in paths[:: max(1, len(paths) // most) if most else 1][:most]:
        mask, trimap = (next(iter((folder / kind).glob(f"{path.stem}.*")), None) for kind in ("masks", "trimaps"))
        with Image.open(path) as image:
            shape = (image.height, image.width)
        truth = np.zeros(shape, np.float32) if mask is None else _plane(mask)
        unknown = None if trimap is None else (_plane(trimap) > 0.01) & (_plane(trimap) < 0.99)
        yield Case(folder.name, path, truth, unknown)


def sets(folder: Path) -> list[Path]:
    """List the sets of a folder: itself, or those in it."""
    return [folder] if (folder / "images").is_dir() else sorted(p for p in folder.iterdir() if (p / "images").is_dir())


class Asked:
    """A model to measure: NAME, or FILE.onnx:LIKE for a file that takes and answers what LIKE does.

    Args:
        spec: which.
        refine: what to do to the network's alpha; "none" measures the network.
    """

    def __init__(self, spec: str, refine: str = "none") -> None:
        file, _, like = spec.rpartition(":") if ".onnx:" in spec else ("", "", "")
        self.engine = Engine()
        self.name = self.engine.add(file, like) if file else spec
        self.title = Path(file).stem if file else spec
        # What the network says is measured, so neither the colours nor the verdict "no subject" take part.
        self.recipe = Recipe(self.name, refine=refine, foreground="source", no_subject="keep")

    def alpha(self, source: Path | Picture) -> Plane:
        """Give alpha (H, W) at full size."""
        picture = read(source) if isinstance(source, Path) else source
        return cut(picture, self.recipe, load=self.engine.load).alpha


def _plane(path: Path) -> Plane:
    with Image.open(path) as image:
        return np.asarray(image.convert("L"), np.float32) / 255
