"""The training set in memory: every picture as a square of bytes, what is known of it, and how often it is drawn.

A source is a row of `SOURCES`. What a source states as its licence stands in the model's card; a source that allows
non-commercial use only has no row here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from training.tars import members, pictures

SIDE = 384
"""Side in pixels of a picture in memory: that of the given files, so nothing is lost."""

VALIDATION = 0.06
"""Share of each source that is never trained on; it chooses checkpoints and calibrates the confidence."""

Use = Literal["pair", "pseudo", "cutout", "empty"]


@dataclass(frozen=True, slots=True)
class Source:
    """What a file of pictures is good for.

    Attributes:
        use: pairs of picture and mask, pseudo-labels, cut-outs with alpha, or pictures without a subject.
        edge_trust: how exact its masks are at the edge, 0 rough to 1 exact.
        weight: of one of its pictures in a draw among its use.
        group: what of a stem names the scene, so that no scene is on both sides of the split.
        whole: whether its alpha is exact enough to lay the subject over another background.
    """

    use: Use
    edge_trust: float = 1.0
    weight: float = 1.0
    group: Callable[[str], str] = str
    whole: bool = False


SOURCES: dict[str, Source] = {
    "ccp": Source("pair", 1.0, 1.0, whole=True),
    "feralcat": Source("pair", 0.3, 1.6),
    "humansegvs": Source("pair", 0.7, 2.2),
    "weizmannhorse": Source("pair", 0.9, 1.6),
    "cars510": Source("pair", 0.9, 1.3, whole=True),
    "sysushapes": Source("pair", 0.2, 0.6),
    "davis20val": Source("pair", 1.0, 1.6, group=lambda stem: stem.split("_")[0]),
    "coco128seg": Source("pair", 0.2, 1.0),
    "pseudo-clothing": Source("pseudo", 0.6, 0.5),
    "pseudo-fruitveg": Source("pseudo", 0.6),
    "pseudo-sofas": Source("pseudo", 0.6),
    "pseudo-trashnet": Source("pseudo", 0.6),
    "cutouts-render3d": Source("cutout", 1.0, 1.0, group=lambda stem: stem.rsplit("_v", 1)[0]),
    "cutouts-fluent3d": Source("cutout", 1.0, 0.5),
    "cutouts-people": Source("cutout", 0.8, 1.0),
    "cutouts-grocery": Source("cutout", 0.8, 2.0),
    "backgrounds": Source("empty"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Shelf:
    """The pictures of one use.

    Attributes:
        rgba: (N, 4, SIDE, SIDE) uint8; the colour of a cut-out is multiplied by its alpha.
        weight: (N,) how often each is drawn.
        edge_trust: (N,) of their sources.
        whole: (N,) whether the subject may be laid over another background.
        source: name of the source of each.
    """

    rgba: Tensor
    weight: Tensor
    edge_trust: Tensor
    whole: Tensor
    source: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.rgba)

    def to(self, device: torch.device) -> Shelf:
        """Move the pictures to a device; on a GPU they stay there for good."""
        tensors = (self.rgba, self.weight, self.edge_trust, self.whole)
        rgba, weight, edge_trust, whole = (tensor.to(device) for tensor in tensors)
        return Shelf(rgba, weight, edge_trust, whole, self.source)


@dataclass(frozen=True, slots=True)
class Data:
    """Two shelves for each use: to train on, and to choose by."""

    training: dict[Use, Shelf]
    validation: dict[Use, Shelf]


@dataclass(frozen=True, slots=True, eq=False)
class _Item:
    name: str
    source: Source
    held_out: bool
    rgba: NDArray[np.uint8]


def read(folders: list[Path], leave_out: frozenset[str] = frozenset(), most: int | None = None) -> Data:
    """Read every known tar of some folders.

    Args:
        folders: where the tars lie; names without a row in `SOURCES` are not touched.
        leave_out: sources to do without, to see how the network does on what it has never seen.
        most: pictures of a source at the most.

    Raises:
        FileNotFoundError: there is no known tar, or one of the uses has no picture.
    """
    found = {path.stem: path for folder in folders for path in sorted(folder.glob("*.tar"))}
    chosen = {name: found[name] for name in SOURCES if name in found and name not in leave_out}
    if not chosen:
        raise FileNotFoundError(f"There is no training file in {', '.join(map(str, folders))}; name their folder.")
    items: list[_Item] = []
    for name, path in chosen.items():
        items += _read(name, path, most)
    uses: tuple[Use, ...] = ("pair", "pseudo", "cutout", "empty")
    training = {use: [item for item in items if item.source.use == use and not item.held_out] for use in uses}
    validation = {use: [item for item in items if item.source.use == use and item.held_out] for use in uses}
    for use in ("pair", "cutout", "empty"):
        if not training[use]:
            raise FileNotFoundError(f"There is no {use} among the training files in {', '.join(map(str, folders))}.")
    return Data(_shelves(training), _shelves(validation))


def held_out(name: str, stem: str) -> bool:
    """Say whether a picture is for validation; its scene's name alone decides, on every machine alike."""
    scene = SOURCES[name].group(stem)
    return int.from_bytes(hashlib.sha256(f"{name}/{scene}".encode()).digest()[:4]) < VALIDATION * 2**32


def _read(name: str, path: Path, most: int | None) -> list[_Item]:
    source = SOURCES[name]
    files = members(path)
    better = dict(pictures(files["alphas"]))
    masks = dict(pictures(files["masks"]))
    wanted = list(pictures(files["images"]))[:most]

    def one(entry: tuple[str, Image.Image]) -> _Item:
        stem, image = entry
        mask = _mask(masks.get(stem), better.get(stem))
        rgba = _cutout(image) if source.use == "cutout" else _pair(image, mask)
        return _Item(name, source, held_out(name, stem), rgba)

    with ThreadPoolExecutor() as pool:
        return list(pool.map(one, wanted))


def _mask(mask: Image.Image | None, better: Image.Image | None) -> Image.Image | None:
    """Take the soft alpha where it tells the same as the mask; where it does not, one of them is wrong."""
    if mask is None or better is None:
        return mask
    hard = np.asarray(mask.convert("L")) > 127
    soft = np.asarray(better.convert("L").resize(mask.size)) > 127
    return better if (hard & soft).sum() > 0.95 * (hard | soft).sum() else mask


def _pair(image: Image.Image, mask: Image.Image | None) -> NDArray[np.uint8]:
    rgb = _square(image.convert("RGB"))
    alpha = np.zeros((SIDE, SIDE), np.uint8) if mask is None else _square(mask.convert("L"))
    return np.concatenate([rgb.transpose(2, 0, 1), alpha[None]])


def _square(image: Image.Image) -> NDArray[np.uint8]:
    """Stretch to the square, as the network will see it."""
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BICUBIC, reducing_gap=2))


def _cutout(image: Image.Image) -> NDArray[np.uint8]:
    """Centre a cut-out in the square at its own shape; the renderer multiplies by alpha, so we do it here once."""
    rgba = image.convert("RGBA")
    box = rgba.getchannel("A").getbbox()
    rgba = rgba.crop(box) if box else rgba
    scale = SIDE / max(rgba.size)
    size = (max(1, round(rgba.width * scale)), max(1, round(rgba.height * scale)))
    small = np.asarray(rgba.convert("RGBa").resize(size, Image.Resampling.BICUBIC))
    square = np.zeros((SIDE, SIDE, 4), np.uint8)
    left, top = (SIDE - size[0]) // 2, (SIDE - size[1]) // 2
    square[top : top + size[1], left : left + size[0]] = small
    return np.ascontiguousarray(square.transpose(2, 0, 1))


def _shelves(items: dict[Use, list[_Item]]) -> dict[Use, Shelf]:
    return {use: _shelf(of_use) for use, of_use in items.items() if of_use}


def _shelf(items: list[_Item]) -> Shelf:
    return Shelf(
        torch.from_numpy(np.stack([item.rgba for item in items])),
        torch.tensor([item.source.weight for item in items]),
        torch.tensor([item.source.edge_trust for item in items]),
        torch.tensor([item.source.whole for item in items]),
        tuple(item.name for item in items),
    )
