"""Batches from the pictures in memory: composed, moved, lit and spoilt as a whole, on whatever device they lie.

Everything here is arithmetic on (N, C, H, W) float32 tensors in [0, 1], so the same lines run on a CPU and a GPU.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from training.data import Shelf, Use
from training.spoil import blurred, spoilt

MIXTURE: Mapping[Use, float] = {"pair": 0.52, "cutout": 0.23, "pseudo": 0.16, "empty": 0.09}
"""Share of each use in a batch. A batch without pseudo-labels gives theirs to the pairs."""

LEAST = 0.0008
"""Share of the picture that a subject covers at least, to count as one."""

Change = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Pictures with what the network should say of them.

    Attributes:
        picture: (N, 3, H, W) in [−1, 1], as the network sees them.
        alpha: (N, 1, H, W) in [0, 1].
        edge_trust: (N, 1, 1, 1), how exact alpha is at the edges.
        exact: (N,) 1 where alpha is true, from a composition.
        contrast: (N, 1, H, W) how far the colours of subject and background lie apart; 0 where that is not known.
        subject: (N, 1) 1 where there is one.
    """

    picture: Tensor
    alpha: Tensor
    edge_trust: Tensor
    exact: Tensor
    contrast: Tensor
    subject: Tensor


class Mixer:
    """Draws batches. Seeded, so two mixers of one seed give the same batches on one machine.

    Args:
        shelves: the pictures by use.
        seed: of all its draws.
    """

    def __init__(self, shelves: Mapping[Use, Shelf], seed: int) -> None:
        self.shelves = dict(shelves)
        self.device = shelves["pair"].rgba.device
        self.random = torch.Generator(self.device).manual_seed(seed)

    def batch(self, count: int, side: int) -> Batch:
        """Give `count` pictures of `side` × `side` pixels."""
        parts = [
            part
            for use, number in self._counts(count).items()
            if number
            for part in [self.composed(number, side) if use == "cutout" else self._plain(use, number, side)]
        ]
        rgb, alpha, trust, exact, contrast = (torch.cat(columns) for columns in zip(*parts, strict=True))
        picture = spoilt(rgb.clamp(0, 1), self.random) * 2 - 1
        subject = (alpha.mean((2, 3)) > LEAST).float()
        return Batch(picture, alpha.clamp(0, 1), trust.view(-1, 1, 1, 1), exact, contrast, subject)

    def _counts(self, count: int) -> dict[Use, int]:
        """Share a batch out by the mixture, chance deciding the remainders."""
        uses = [use for use in MIXTURE if use in self.shelves]
        shares = torch.tensor([MIXTURE[use] for use in uses], device=self.device)
        drawn = torch.multinomial(shares, count, replacement=True, generator=self.random)
        return {use: int((drawn == number).sum()) for number, use in enumerate(uses)}

    def _drawn(self, use: Use, count: int, weight: Tensor | None = None) -> Tensor:
        chances = self.shelves[use].weight if weight is None else weight
        return torch.multinomial(chances, count, replacement=True, generator=self.random)

    def _uniform(self, low: float, high: float, *shape: int) -> Tensor:
        return torch.empty(shape, device=self.device).uniform_(low, high, generator=self.random)

    def _chance(self, probability: float, count: int) -> Tensor:
        return self._uniform(0, 1, count) < probability

    def _plain(self, use: Use, count: int, side: int) -> tuple[Tensor, ...]:
        """Pictures as they were taken, looked at a little nearer, further, turned or mirrored."""
        shelf, chosen = self.shelves[use], self._drawn(use, count)
        grid = self._view(count, side, nearest=0.35 if use == "empty" else 0.62, furthest=1.12)
        rgba = _sampled(shelf.rgba[chosen], grid, "reflection")
        nothing = torch.zeros(count, device=self.device)
        return rgba[:, :3], rgba[:, 3:], shelf.edge_trust[chosen], nothing, torch.zeros_like(rgba[:, 3:])

    def _view(self, count: int, side: int, nearest: float, furthest: float) -> Tensor:
        """Give sampling grids that show a part of a picture, or a little more than it."""
        zoom = self._uniform(math.log(nearest), math.log(furthest), count).exp()
        zoom = torch.where(self._chance(0.3, count), torch.ones_like(zoom), zoom)
        stretch = self._uniform(-0.14, 0.14, count).exp()
        size = torch.stack([zoom * stretch, zoom / stretch], 1)
        room = (1 - size).clamp(min=0)
        middle = self._uniform(-1, 1, count, 2) * room
        turn = self._uniform(-0.22, 0.22, count) * self._chance(0.3, count)
        return self._grid(size, middle, turn, side)

    def _grid(self, size: Tensor, middle: Tensor, turn: Tensor, side: int) -> Tensor:
        """Turn (N, 2) sizes and middles, and (N,) angles, into (N, side, side, 2), half of them mirrored."""
        mirror = torch.where(self._chance(0.5, len(size)), -1.0, 1.0)
        cos, sin = turn.cos(), turn.sin()
        rows = [
            torch.stack([mirror * cos * size[:, 0], -sin * size[:, 1], middle[:, 0]], 1),
            torch.stack([mirror * sin * size[:, 0], cos * size[:, 1], middle[:, 1]], 1),
        ]
        return functional.affine_grid(torch.stack(rows, 1), [len(size), 1, side, side], align_corners=False)

    def composed(self, count: int, side: int, changed: Change | None = None) -> tuple[Tensor, ...]:
        """Lay cut-outs over backgrounds; alpha is then known exactly.

        `changed` makes of subjects, (N, 3) colour times alpha and (N, 1) alpha, other ones.
        """
        behind = self.shelves["empty"]
        view = self._view(count, side, nearest=0.3, furthest=1)
        scene = _sampled(behind.rgba[self._drawn("empty", count)], view, "reflection")[:, :3]
        scene = self._defocused(scene)
        front, alpha, trust = self._subjects(count, side)
        more = self._chance(0.22, count).nonzero().flatten()
        if len(more):
            second, other, _ = self._subjects(len(more), side)
            left = 1 - alpha[more]
            front = front.index_add(0, more, second * left)
            alpha = alpha.index_add(0, more, other * left)
        front = self._lit_alike(front, alpha, scene)
        if changed is not None:
            front, alpha = changed(front, alpha)
        scene = self._shadowed(scene, alpha)
        contrast = (front / alpha.clamp(min=0.02) - scene).abs().mean(1, keepdim=True).clamp(0, 1)
        rgb = front + scene * (1 - alpha)
        return rgb, alpha, trust, torch.ones(count, device=self.device), contrast

    def _subjects(self, count: int, side: int) -> tuple[Tensor, Tensor, Tensor]:
        """Draw subjects: (N, 3) colour times alpha, (N, 1) alpha, and how exact they are."""
        cutouts, pairs = self.shelves["cutout"], self.shelves["pair"]
        zoom = self._uniform(math.log(0.7), math.log(2.8), count).exp()
        stretch = self._uniform(-0.12, 0.12, count).exp()
        size = torch.stack([zoom * stretch, zoom / stretch], 1)
        middle = self._uniform(-1, 1, count, 2) * (size - 0.55).clamp(min=0.1)
        turn = self._uniform(-0.5, 0.5, count) * self._chance(0.5, count)
        chosen = self._drawn("cutout", count)
        rgba = _seen(cutouts.rgba[chosen], self._grid(size, middle, turn, side), zoom)
        trust = cutouts.edge_trust[chosen]
        whole = pairs.weight * pairs.whole
        taken = self._chance(0.3, count).nonzero().flatten()
        if len(taken) and bool(whole.any()):
            people = self._drawn("pair", len(taken), whole)
            seen = _sampled(pairs.rgba[people], self._view(len(taken), side, nearest=0.8, furthest=1.6), "zeros")
            rgba[taken] = torch.cat([seen[:, :3] * seen[:, 3:], seen[:, 3:]], 1)
            trust = trust.index_copy(0, taken, pairs.edge_trust[people])
        return rgba[:, :3], rgba[:, 3:], trust

    def _defocused(self, scene: Tensor) -> Tensor:
        """Blur some backgrounds as a lens does."""
        chosen = self._chance(0.35, len(scene)).nonzero().flatten()
        if not len(chosen):
            return scene
        return scene.index_copy(0, chosen, blurred(scene[chosen], float(self._uniform(1, 6, 1))))

    def _lit_alike(self, front: Tensor, alpha: Tensor, scene: Tensor) -> Tensor:
        """Bring the subject's mean colour some of the way to the background's."""
        own = front.sum((2, 3)) / alpha.sum((2, 3)).clamp(min=1)
        gain = (scene.mean((2, 3)) / own.clamp(min=0.05)).clamp(0.5, 1.8)
        some = self._uniform(0, 0.7, len(front), 1)
        lit = front * (1 + (gain - 1) * some)[..., None, None]
        return torch.minimum(lit, alpha)

    def _shadowed(self, scene: Tensor, alpha: Tensor) -> Tensor:
        """Darken the background where a soft shadow of the subject falls."""
        moved = torch.roll(alpha, tuple(int(v) for v in self._uniform(-18, 18, 2)), (2, 3))
        strength = self._uniform(0.1, 0.6, len(scene)) * self._chance(0.4, len(scene))
        return scene * (1 - blurred(moved, float(self._uniform(2, 9, 1))) * strength.view(-1, 1, 1, 1))


def _sampled(rgba: Tensor, grid: Tensor, outside: str) -> Tensor:
    """Sample bytes (N, 4, h, w) at a grid; give (N, 4, H, W) in [0, 1]."""
    return functional.grid_sample(rgba.float() / 255, grid, "bilinear", outside, align_corners=False)


def _seen(rgba: Tensor, grid: Tensor, zoom: Tensor) -> Tensor:
    """Sample as `_sampled` does, outside nothing; those much reduced from copies of half the size, against aliasing."""
    seen = rgba.new_empty(len(rgba), 4, *grid.shape[1:3], dtype=torch.float32)
    for far in (False, True):
        chosen = ((zoom > 1.5) == far).nonzero().flatten()
        if len(chosen):
            source = rgba[chosen].float() / 255
            source = functional.avg_pool2d(source, 2) if far else source
            seen[chosen] = functional.grid_sample(source, grid[chosen], "bilinear", "zeros", align_corners=False)
    return seen
