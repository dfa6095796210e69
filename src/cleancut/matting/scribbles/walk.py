"""How far a mark reaches: random walks over the patches of a preview, with alpha as a weak prior.

The value of a patch is the chance that a walk from it, which rarely steps from one colour to another, ends on subject:
on a mark to keep, or, as it may end anywhere, where alpha says so (Grady 2005, CVPR: "Multilabel random walker image
segmentation using prior models"). So a mark floods what it lies in, up to the edges, against what alpha said there.

The equations are those of a net of resistors. They are solved once for a unit of current into each patch; with marks,
only as many unknowns remain as there are marked patches, which takes a few milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleancut.matting.band.trimap import BACKGROUND, FOREGROUND, UNKNOWN
from cleancut.raster.guided import guided
from cleancut.raster.morphology import dilated
from cleancut.raster.patches import Patches
from cleancut.raster.rows import Rows

Plane = NDArray[np.float32]
Numbers = NDArray[np.float64]

_PATCHES = 900
"""About how many; more follow finer parts, and take time by their cube."""

_SMALLEST = 3
"""Pixels along a patch at the least."""

_PRIOR = 0.05
"""Conductance from each patch to what alpha says of it, where it does not waver; that to a neighbour of one colour is
1. The less, the farther a mark reaches. bench/strokes.py measures what comes of it."""

_WAVERING = 0.02
"""Share of that which is left where alpha is ½."""

_CONTRAST = 10.0
"""How soon a difference of colour stops a walk, against the picture's mean difference between neighbours."""

_CLINGS = 0.05
"""Conductance at the least where alpha sees a subject on both sides: what is seen as one mostly is one object."""

_ALPHA_COUNTS = 0.5
"""Beside colours in [0, 1], so that patches end where alpha does."""

_GRIP = 100.0
"""Conductance from a patch that is wholly marked to its mark; it falls with the square of the share that is."""

_GRAZED = 0.02
"""Share of a patch up to which a mark does not count."""

_TURNS = 0.35, 0.65
"""Of a patch's chance before: it turns gradually while it loses between these shares of it."""

_WHOLE = 0.9
"""Pull that counts as all, so that no haze is left of what goes."""

_RIM = 0.5
"""Chance before below which a pixel next to what is taken away goes along."""

_EPSILON = np.float32(1e-6)

_CELL = 4
"""Pixels along a cell of the guided filter's grid."""

_SMOOTH = 1e-4
"""Variance of colour below which the guided filter sees no edge."""


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """A preview whose equations are solved but for the marks.

    Attributes:
        rgb: (h, w, 3) uint8, the preview.
        patches: n patches of it.
        areas: (n,) their pixels.
        colors: (n, 3) of each patch, in [0, 1].
        contrast: how soon a squared difference of colour stops a walk.
        reach: (n, n) how much a unit of current into one patch raises each.
        chance: (n,) of ending on the subject, without a mark.
        before: (h, w) the same for each pixel.
    """

    rgb: NDArray[np.uint8]
    patches: Patches
    areas: Numbers
    colors: Numbers
    contrast: float
    reach: Numbers
    chance: Numbers
    before: Plane

    @classmethod
    def of(cls, rgb: NDArray[np.uint8], alpha: Plane) -> Walk:
        """Prepare a preview (h, w, 3) with its alpha (h, w) in [0, 1]."""
        colors = rgb.astype(np.float32) / np.float32(255)
        cell = max(_SMALLEST, round((alpha.size / _PATCHES) ** 0.5))
        patches = Patches.of(np.dstack([colors, np.float32(_ALPHA_COUNTS) * alpha]), cell)
        means: Numbers = patches.means(np.dstack([colors, alpha])).reshape(-1, 4).astype(np.float64)
        sure = _PRIOR * np.maximum(np.abs(2 * means[:, 3] - 1), _WAVERING)
        conductance, contrast = _conductance(patches, means[:, :3], means[:, 3] > 0.5)
        reach = np.asarray(np.linalg.inv(np.diag(conductance.sum(axis=1) + sure) - conductance), np.float64)
        chance: Numbers = reach @ (sure * (means[:, 3] > 0.5))
        before = patches.spread(chance.reshape(patches.grid))
        return cls(rgb, patches, patches.areas, means[:, :3], contrast, reach, chance, before)

    def pull(self, marks: NDArray[np.uint8]) -> Plane:
        """Tell how far marks pull each pixel from what alpha said of it.

        Args:
            marks: (h, w) uint8: 255 is kept, 0 removed, of anything else nothing is said.

        Returns:
            (h, w) float32 in [−1, 1]: the share of the way to 1, or where it is negative to 0. It follows the
            preview's edges, and is exactly 0 where no mark reaches.
        """
        after = self.patches.spread(self._marked(marks).reshape(self.patches.grid))
        up = after > self.before
        was, now = (np.where(up, 1 - chance, chance) + _EPSILON for chance in (self.before, after))
        turned = 1 - _smoothstep(now / was)
        given, taken = (self._sharpened(np.where(side, turned, 0)) for side in (up, ~up))
        pulled = ((given - self._with_rim(taken)) * np.float32(1 / _WHOLE)).clip(-1, 1)
        pulled[marks == FOREGROUND] = 1
        pulled[marks == BACKGROUND] = -1
        return np.asarray(pulled, np.float32)

    def _marked(self, marks: NDArray[np.uint8]) -> Numbers:
        """Give each patch's chance with the marks: (n,)."""
        said = (marks == FOREGROUND) | (marks == BACKGROUND)
        colors = self.rgb[said] / 255
        found = self.patches.sums(said, np.column_stack([np.ones(len(colors)), marks[said] == FOREGROUND, colors]))
        touched = np.flatnonzero(found[:, 0] > _GRAZED * self.areas)
        if not len(touched):
            return self.chance
        count, kept, colors = found[touched, 0], found[touched, 1] / found[touched, 0], found[touched, 2:]
        # A mark on something smaller than a patch, and of another colour, says little of the patch.
        apart = ((colors / count[:, None] - self.colors[touched]) ** 2).sum(axis=1)
        grip = _GRIP * (count / self.areas[touched]) ** 2 * np.exp(-self.contrast * apart)
        against = np.diag(1 / np.maximum(grip, 1e-9)) + self.reach[np.ix_(touched, touched)]
        current = np.linalg.solve(against, kept - self.chance[touched])
        return np.asarray((self.chance + self.reach[:, touched] @ current).clip(0, 1))

    def _sharpened(self, turned: Plane) -> Plane:
        """Let a pull end where the preview's colours do, by a guided filter along its border."""
        soft = (turned > 0) & (turned < 1)
        if not soft.any():
            return turned
        top, bottom, left, right = *_extent(soft, 1), *_extent(soft, 0)
        margin = 3 * self.patches.cell
        part = np.s_[max(top - margin, 0) : bottom + margin, max(left - margin, 0) : right + margin]
        found = turned.astype(np.float32)
        rows = (Rows.of(plane[part]) for plane in (self.rgb, found, _widened(soft)))
        found[part] = guided(*rows, radius=self.patches.cell // 2 + 1, epsilon=_SMOOTH, cell=_CELL).whole()
        return found

    def _with_rim(self, taken: Plane) -> Plane:
        """Let the rim go with what is taken away: it lies in patches of the background, which are not."""
        if not taken.any():
            return taken
        return np.where(self.before < _RIM, dilated(Rows.of(taken), self.patches.cell // 2).whole(), taken)


def applied(alpha: Plane, pull: Plane) -> Plane:
    """Pull alpha, both of the same shape, towards 1 or 0.

    >>> applied(np.float32([0.5, 0.5, 0.5]), np.float32([1, 0, -0.5])).tolist()
    [1.0, 0.5, 0.25]
    """
    return np.asarray(alpha + np.where(pull > 0, 1 - alpha, alpha) * pull)


def certain(alpha: Plane, marks: NDArray[np.uint8]) -> Plane:
    """Set alpha to 1 where it is marked to keep, and to 0 where to remove."""
    known = marks != UNKNOWN
    return np.where(known, marks == FOREGROUND, alpha).astype(np.float32) if known.any() else alpha


def _conductance(patches: Patches, colors: Numbers, there: NDArray[np.bool_]) -> tuple[Numbers, float]:
    """Give what joins each two patches, (n, n): their border's length, less the more their colours differ.

    And how much less: that depends on the picture's usual difference.
    """
    one, other, length = patches.contacts()
    apart = ((colors[one] - colors[other]) ** 2).sum(axis=1)
    usual = 2 * apart.mean() + 1e-6 if len(apart) else 1.0
    passed = np.maximum(np.exp(-_CONTRAST / usual * apart), _CLINGS * (there[one] & there[other]))
    joined = np.zeros((len(colors), len(colors)))
    joined[one, other] = joined[other, one] = length * passed
    return joined, float(_CONTRAST / usual)


def _smoothstep(share: Plane) -> Plane:
    low, high = _TURNS
    x = ((share - np.float32(low)) / np.float32(high - low)).clip(0, 1)
    return np.asarray(x * x * (3 - 2 * x))


def _extent(there: NDArray[np.bool_], axis: int) -> tuple[int, int]:
    found = np.flatnonzero(there.any(axis=axis))
    return int(found[0]), int(found[-1]) + 1


def _widened(mask: NDArray[np.bool_], by: int = 2) -> NDArray[np.bool_]:
    """Let a mask grow by so many pixels along rows and columns."""
    wide = np.pad(mask, by)
    height, width = mask.shape
    return np.asarray(
        np.logical_or.reduce(
            [wide[dy : dy + height, dx : dx + width] for dy in range(2 * by + 1) for dx in range(2 * by + 1)]
        )
    )
