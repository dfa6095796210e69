"""Connected components of a mask, as runs: the stretches of true pixels within a row.

Runs are joined by hooking roots and pointer jumping (Shiloach & Vishkin 1982) in numpy: a few rounds over all edges,
and no loop that visits a run or a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Mask: TypeAlias = NDArray[np.bool_]
Numbers: TypeAlias = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """Runs [start, end) by their places in rows laid end to end.

    A row begins every `stride` places: its width and a column of nothing on either side, so that no run, nor what
    touches it, reaches into another row.
    """

    start: Numbers
    end: Numbers
    stride: int

    @classmethod
    def of(cls, mask: Mask) -> Runs:
        """Find the runs of a mask (h, w)."""
        height, width = mask.shape
        lines = np.zeros((height, width + 2), bool)
        lines[:, 1:-1] = mask
        flat = lines.ravel()
        turns = np.flatnonzero(flat[1:] != flat[:-1]).astype(np.int32) + np.int32(1)
        return cls(turns[::2], turns[1::2], width + 2)

    def touching(self, *, corners: bool) -> tuple[Numbers, Numbers]:
        """Pair each run with those it touches in the next row, by their numbers."""
        slack = int(corners)
        first = np.searchsorted(self.end, self.start + (self.stride - slack), side="right")
        last = np.searchsorted(self.start, self.end + (self.stride + slack), side="left")
        count = np.maximum(last - first, 0)
        upper = np.repeat(np.arange(len(count), dtype=np.int32), count)
        skipped = (np.cumsum(count) - count - first).astype(np.int32)
        return upper, np.arange(len(upper), dtype=np.int32) - skipped[upper]


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One row's runs, and the piece that each belongs to."""

    runs: Runs
    label: Numbers


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """The connected pieces of a mask, numbered from 0.

    >>> pieces = Pieces.of(np.array([[1, 0, 1], [1, 0, 0], [0, 1, 1]], bool), corners=True)
    >>> pieces.area().tolist()
    [4, 1]
    """

    runs: Runs
    label: Numbers  # of each run
    count: int
    height: int

    @classmethod
    def of(cls, mask: Mask, *, corners: bool) -> Pieces:
        """Find the pieces of a mask (h, w); `corners` joins pixels that share only a corner."""
        runs = Runs.of(mask)
        label, count = joined(len(runs.start), *runs.touching(corners=corners))
        return cls(runs, label, count, len(mask))

    def area(self) -> Numbers:
        """Count each piece's pixels."""
        return np.bincount(self.label, self.runs.end - self.runs.start, self.count).astype(np.int32)

    def row(self, index: int) -> Row:
        """Take one row's runs."""
        begin = np.int32(index * self.runs.stride)
        first, last = np.searchsorted(self.runs.start, (begin, begin + self.runs.stride))
        runs = Runs(self.runs.start[first:last] - begin, self.runs.end[first:last] - begin, self.runs.stride)
        return Row(runs, self.label[first:last])

    def at_border(self, *, top: bool, bottom: bool) -> Mask:
        """Find the pieces that touch the left or right border, or the first or last row where these are borders."""
        row, column = np.divmod(self.runs.start, np.int32(self.runs.stride))
        there = (column == 1) | (self.runs.end % self.runs.stride == self.runs.stride - 1)
        there |= (top & (row == 0)) | (bottom & (row == self.height - 1))
        found = np.zeros(self.count, bool)
        found[self.label[there]] = True
        return found

    def drawn(self, chosen: Mask) -> Mask:
        """Draw the pieces that are chosen, as a mask (h, w)."""
        runs = chosen[self.label]
        turns = np.zeros(self.height * self.runs.stride, np.int8)
        turns[self.runs.start[runs]] = 1
        turns[self.runs.end[runs]] = -1
        return np.cumsum(turns, dtype=np.int8).astype(bool).reshape(self.height, -1)[:, 1:-1]


def touching(above: Row, below: Row, *, corners: bool) -> tuple[Numbers, Numbers]:
    """Pair the pieces of one row with those they touch in the next."""
    stride = above.runs.stride
    both = Runs(
        np.concatenate((above.runs.start, below.runs.start + np.int32(stride))),
        np.concatenate((above.runs.end, below.runs.end + np.int32(stride))),
        stride,
    )
    upper, lower = both.touching(corners=corners)
    return above.label[upper], below.label[lower - len(above.label)]


def joined(count: int, one: Numbers, other: Numbers) -> tuple[Numbers, int]:
    """Number the components of a graph: that of each of `count` nodes, and how many there are.

    Args:
        count: number of nodes.
        one: a node of each edge.
        other: the edge's other node.

    >>> joined(4, np.array([0, 3], np.int32), np.array([2, 2], np.int32))
    (array([0, 1, 0, 0], dtype=int32), 2)
    """
    root = np.arange(count, dtype=np.int32)
    while len(one):
        one, other = root[one], root[other]
        apart = one != other
        one, other = one[apart], other[apart]
        np.minimum.at(root, np.maximum(one, other), np.minimum(one, other))
        while ((higher := root[root]) != root).any():
            root = higher
    top = root == np.arange(count, dtype=np.int32)
    number = np.cumsum(top, dtype=np.int32) - np.int32(1)
    return number[root], int(np.count_nonzero(top))
