"""Islands and holes of an alpha, found without ever holding a picture of labels.

Each strip is cut into runs (see `runs`), touching runs are joined into pieces, and pieces that touch across strips
into regions. Only a few numbers a piece are kept; the runs are found again when a strip in which something goes is
read, and most strips are not such.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cleancut.raster.lazy import once
from cleancut.raster.rows import Rows, in_order
from cleancut.raster.runs import Mask, Numbers, Pieces, Row, joined, touching

Inside: TypeAlias = Callable[[NDArray[np.float32]], Mask]
Smallest: TypeAlias = Callable[[Numbers], float]
"""Takes the areas of all regions, in pixels, and gives the smallest that stays."""


@dataclass(frozen=True, slots=True)
class Regions:
    """What counts as one region.

    Attributes:
        core: which pixels make a region.
        rim: which pixels may go with it: the core's own, and soft ones around.
        corners: whether pixels that share only a corner touch.
        framed: whether what touches the picture's border always stays.
    """

    core: Inside
    rim: Inside
    corners: bool
    framed: bool

    def small(self, alpha: Rows, smallest: Smallest) -> Rows:
        """Mark the regions that are too small, with their rims.

        A rim goes if it surrounds regions that go and none that stays; one without any region, if it is itself too
        small. Where a rim joins a region that goes to one that stays, the core alone goes.

        Args:
            alpha: rows (H, W) float32 in [0, 1]; read a second time where something goes.
            smallest: takes the regions' areas and gives the smallest that stays.

        Returns:
            Rows (H, W) bool. The first strip that is asked for reads everything once; what is kept grows with the
            number of pieces.
        """
        parts = alpha.strips()
        step = parts[0][1]

        @once
        def goes() -> dict[int, tuple[Mask, Mask]]:
            surveys = in_order(parts, lambda part: self._survey(alpha.read(*part), part, alpha.height))
            return _goes(list(surveys), smallest, corners=self.corners)

        def strip(index: int) -> Mask:
            top, bottom = parts[index]
            if index not in goes():
                return np.zeros((bottom - top, alpha.width), bool)
            core, rim = self._pieces(alpha.read(top, bottom))
            return core.drawn(goes()[index][0]) | rim.drawn(goes()[index][1])

        def read(top: int, bottom: int) -> Mask:
            first = top // step
            drawn = np.concatenate([strip(index) for index in range(first, -(-bottom // step))])
            return drawn[top - first * step : bottom - first * step]

        return Rows(alpha.shape, read)

    def _pieces(self, strip: NDArray[np.float32]) -> tuple[Pieces, Pieces]:
        return Pieces.of(self.core(strip), corners=self.corners), Pieces.of(self.rim(strip), corners=self.corners)

    def _survey(self, strip: NDArray[np.float32], part: tuple[int, int], height: int) -> _Survey:
        """Note of a strip what joining it to the others takes."""
        core, rim = self._pieces(strip)
        home = np.zeros(core.count, np.int32)
        home[core.label] = rim.label[np.searchsorted(rim.runs.start, core.runs.start, side="right") - 1]
        return _Survey(self._level(core, part, height), self._level(rim, part, height), home)

    def _level(self, pieces: Pieces, part: tuple[int, int], height: int) -> _Level:
        top, bottom = part
        stays = pieces.at_border(top=top == 0, bottom=bottom == height) if self.framed else np.zeros(pieces.count, bool)
        return _Level(pieces.area(), stays, pieces.row(0), pieces.row(bottom - top - 1))


@dataclass(frozen=True, slots=True, eq=False)
class _Level:
    """What is kept of a strip's cores, or of its rims: each piece's area and fate, and the rows at the seams."""

    area: Numbers
    stays: Mask
    top: Row
    bottom: Row


@dataclass(frozen=True, slots=True, eq=False)
class _Survey:
    """What is kept of a strip; `home` is the rim that each core lies in."""

    core: _Level
    rim: _Level
    home: Numbers


@dataclass(frozen=True, slots=True, eq=False)
class _Whole:
    """The regions of one level: which one each piece of every strip belongs to, their areas and fates."""

    region: Numbers
    shift: Numbers  # how many pieces come before each strip's
    area: Numbers
    stays: Mask

    @classmethod
    def of(cls, levels: Sequence[_Level], *, corners: bool) -> _Whole:
        """Join the pieces of all strips."""
        shift = np.cumsum([0, *(len(level.area) for level in levels[:-1])], dtype=np.int32)
        uppers, lowers = [np.zeros(0, np.int32)], [np.zeros(0, np.int32)]
        for index in range(len(levels) - 1):
            upper, lower = touching(levels[index].bottom, levels[index + 1].top, corners=corners)
            uppers.append(upper + shift[index])
            lowers.append(lower + shift[index + 1])
        piece_area = np.concatenate([level.area for level in levels])
        region, count = joined(len(piece_area), np.concatenate(uppers), np.concatenate(lowers))
        area = np.bincount(region, piece_area, count).astype(np.int32)
        stays = np.zeros(count, bool)
        stays[region[np.concatenate([level.stays for level in levels])]] = True
        return cls(region, shift, area, stays)

    def by_strip(self, chosen: Mask) -> list[Mask]:
        """Say of each strip's pieces whether their region is chosen."""
        return np.split(chosen[self.region], self.shift[1:])


def _goes(surveys: Sequence[_Survey], smallest: Smallest, *, corners: bool) -> dict[int, tuple[Mask, Mask]]:
    """Decide which pieces go: by strip, of cores and of rims. Strips where none does are left out."""
    core = _Whole.of([survey.core for survey in surveys], corners=corners)
    rim = _Whole.of([survey.rim for survey in surveys], corners=corners)
    limit = smallest(core.area)
    core_stays = core.stays | (core.area >= limit)
    home = np.zeros(len(core.area), np.int32)
    homes = [survey.home + shift for survey, shift in zip(surveys, rim.shift, strict=True)]
    home[core.region] = rim.region[np.concatenate(homes)]
    empty = np.ones(len(rim.area), bool)
    empty[home] = False
    rim_stays = rim.stays | (empty & (rim.area >= limit))
    rim_stays[home[core_stays]] = True
    pairs = zip(core.by_strip(~core_stays), rim.by_strip(~rim_stays), strict=True)
    return {index: pair for index, pair in enumerate(pairs) if pair[0].any() or pair[1].any()}
