"""Pictures with true alpha beside what cleancut-small makes of them when it sees them much smaller.

In life the close-up network sees a part of a large picture at full size, where the coarse alpha is enlarged 2 to 12
times. Large pictures with true alpha are not to be had, so it is the other way round: the picture is shrunk by that
factor before the coarse network sees it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cleancut import Engine
from cleancut.types import Network
from training.augment import Mixer
from training.closeup.strands import drawn, tuft
from training.data import SIDE, Shelf, Use
from training.export import SIDE as SEEN
from training.spoil import blurred, spoilt

SMALLEST, LARGEST = 1.3, 10.0
"""How much larger the picture is than what the coarse network sees, in its own pixels."""

MOST_SHRUNK = 4.5
"""Factor above which the coarse network would see mud at this canvas's size; beyond it its answer is imitated."""

USABLE = 0.6
"""IoU below which the coarse network has found something else; then its answer is imitated too."""

BLURRED, GLASS = 0.2, 0.15
"""Shares of the subjects whose edge is blurred, and that light passes through."""

HAIRY = 0.6
"""Share of the canvases on which hair grows."""


@dataclass(frozen=True, slots=True, eq=False)
class Canvases:
    """N pictures of `SIDE` × `SIDE` pixels in bytes.

    Attributes:
        rgb: (N, 3, SIDE, SIDE) uint8.
        alpha: (N, 1, SIDE, SIDE) uint8, true.
        coarse: (N, 1, SIDE, SIDE) uint8, as the road would enlarge it.
    """

    rgb: Tensor
    alpha: Tensor
    coarse: Tensor

    def save(self, path: Path) -> None:
        """Write them; a run may then start again at once."""
        torch.save({"rgb": self.rgb, "alpha": self.alpha, "coarse": self.coarse}, path)

    @classmethod
    def load(cls, path: Path) -> Canvases:
        """Read what `save` wrote."""
        return cls(**torch.load(path, weights_only=True))


def make(shelves: dict[Use, Shelf], model: Path, count: int, seed: int) -> Canvases:
    """Compose canvases and ask the coarse network about them.

    Args:
        shelves: pictures by use; cut-outs and backgrounds are taken.
        model: the ONNX file of cleancut-small.
        count: how many.
        seed: of every draw.
    """
    engine = Engine()
    network = engine.load(engine.add(model, "cleancut-small")).network
    mixer, random = Mixer(shelves, seed), np.random.default_rng(seed)
    parts = [_some(mixer, network, random, 8) for _ in range(-(-count // 8))]
    rgb, alpha, coarse = (torch.cat(column)[:count] for column in zip(*parts, strict=True))
    return Canvases(rgb, alpha, coarse)


def _some(mixer: Mixer, network: Network, random: np.random.Generator, count: int) -> tuple[Tensor, Tensor, Tensor]:
    rgb, alpha = mixer.composed(count, SIDE, lambda front, alpha: softened(front, alpha, random))[:2]
    for number in range(count):
        if random.random() < HAIRY:
            _grow(rgb[number], alpha[number, 0], random)
    gentle = torch.rand(count, generator=mixer.random) < 0.5
    rgb = torch.where(gentle.view(-1, 1, 1, 1), rgb, spoilt(rgb.clamp(0, 1), mixer.random)).clamp(0, 1)
    coarse = torch.stack([_coarse(rgb[n : n + 1], alpha[n : n + 1], network, random)[0] for n in range(count)])
    return _bytes(rgb), _bytes(alpha), _bytes(coarse)


def softened(front: Tensor, alpha: Tensor, random: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Let some subjects move or lie out of focus, and light pass through others.

    Args:
        front: (N, 3, H, W) colour times alpha.
        alpha: (N, 1, H, W).
        random: all chance comes from it.
    """
    both = torch.cat([front, alpha], 1)
    made = [_softened(part, random) for part in both.split(1)]
    whole = torch.cat(made)
    return whole[:, :3], whole[:, 3:]


def _softened(subject: Tensor, random: np.random.Generator) -> Tensor:
    chance = random.random()
    if chance < BLURRED / 2:
        return blurred(subject, float(np.exp(random.uniform(np.log(1.0), np.log(9.0)))))
    if chance < BLURRED:
        return _moved(subject, random)
    if chance < BLURRED + GLASS:
        return subject * _thin(random)
    return subject


def _moved(subject: Tensor, random: np.random.Generator) -> Tensor:
    """Average a subject (1, 4, H, W) over the way it went while the shutter was open."""
    way, angle = np.exp(random.uniform(np.log(3), np.log(60))), random.uniform(0, np.pi)
    steps = np.arange(-way / 2, way / 2 + 0.5)
    places = {(round(step * np.sin(angle)), round(step * np.cos(angle))) for step in steps}
    edge = 1 + round(way / 2)
    wide = functional.pad(subject, (edge,) * 4, mode="replicate")
    parts = [wide[:, :, edge + y : edge + y + SIDE, edge + x : edge + x + SIDE] for y, x in sorted(places)]
    return torch.stack(parts).mean(0)


def _thin(random: np.random.Generator) -> Tensor:
    """Give how much of a glass subject covers what is behind it, (1, 1, SIDE, SIDE): a ramp between two values."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE - random.uniform(0.2, 0.8, (2, 1, 1))
    angle, length = random.uniform(0, 2 * np.pi), random.uniform(0.05, 1.0)
    ramp = np.clip((x * np.cos(angle) + y * np.sin(angle)) / length + 0.5, 0, 1)
    one, other = random.uniform(0.15, 1.0, 2)
    return torch.from_numpy((one + (other - one) * ramp).astype(np.float32))[None, None]


def _grow(rgb: Tensor, alpha: Tensor, random: np.random.Generator) -> None:
    """Let a few tufts grow on a picture (3, H, W) and its alpha (H, W), in place."""
    for _ in range(int(random.integers(1, 5))):
        hair = tuft((rgb * alpha).numpy(), alpha.numpy(), random)
        if hair is None:
            return
        front, cover = (torch.from_numpy(plane) for plane in drawn(hair, *alpha.shape))
        rgb.mul_(1 - cover).add_(front)
        alpha.add_(cover * (1 - alpha)).clamp_(0, 1)


def _coarse(rgb: Tensor, alpha: Tensor, network: Network, random: np.random.Generator) -> Tensor:
    """Give (1, 1, H, W): what the road would hand over, were the picture `factor` times as large as it is seen."""
    factor = float(np.exp(random.uniform(np.log(SMALLEST), np.log(LARGEST))))
    if factor <= MOST_SHRUNK:
        answer = _asked(rgb, factor, network)
        found, there = answer > 0.5, alpha > 0.5
        if float((found & there).sum()) > USABLE * float((found | there).sum()):
            return answer
    return _imitated(alpha, factor, random)


def _asked(rgb: Tensor, factor: float, network: Network) -> Tensor:
    few = round(SIDE / factor)
    small = functional.interpolate(rgb, size=(few, few), mode="bicubic", antialias=True)
    seen = functional.interpolate(small.clamp(0, 1), size=(SEEN, SEEN), mode="bicubic", antialias=True)
    alpha = torch.from_numpy(network({"image": seen.clamp(0, 1).numpy() * 2 - 1})["alpha"])
    # What the network saw holds no more than `few` pixels, and so does its answer in life.
    alpha = functional.interpolate(alpha, size=(few, few), mode="bilinear", antialias=True)
    return functional.interpolate(alpha, size=(SIDE, SIDE), mode="bicubic").clamp(0, 1)


def _imitated(alpha: Tensor, factor: float, random: np.random.Generator) -> Tensor:
    """Soften the truth as a coarse network does: thin parts fade, corners round, the edge wanders."""
    few = max(16, round(SIDE / factor))
    noise = torch.from_numpy(random.normal(0, 1, (1, 2, 12, 12)).astype(np.float32))
    wander = functional.interpolate(noise, size=(SIDE, SIDE), mode="bicubic") * (1.2 * factor / SIDE)
    at = torch.linspace(-1, 1, SIDE)
    y, x = torch.meshgrid(at, at, indexing="ij")
    grid = torch.stack([x + wander[0, 0], y + wander[0, 1]], -1)[None]
    moved = functional.grid_sample(alpha, grid, "bilinear", "border", align_corners=True)
    soft = blurred(moved, float(random.uniform(0.4, 1.0)) * factor)
    firm = (soft - 0.5) * float(random.uniform(1.0, 2.2)) + 0.5 + float(random.normal(0, 0.06))
    small = functional.interpolate(firm.clamp(0, 1), size=(few, few), mode="bilinear", antialias=True)
    return functional.interpolate(small, size=(SIDE, SIDE), mode="bicubic").clamp(0, 1)


def _bytes(planes: Tensor) -> Tensor:
    return (planes * 255).round().to(torch.uint8)


def blank(canvases: Canvases) -> NDArray[np.bool_]:
    """Say which canvases have no edge at all; nothing is learnt from them."""
    alpha = canvases.alpha.float() / 255
    return np.asarray(((alpha > 0.05) & (alpha < 0.95)).flatten(1).sum(1) < 50)
