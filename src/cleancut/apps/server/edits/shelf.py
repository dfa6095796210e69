"""Where edits are kept: in memory, so many, so many bytes, for so long; each key's own."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping

from cleancut.errors import NoSuchEdit, TooBig
from cleancut.limits import Limits, ServiceLimits
from cleancut.matting import recipe as recipes
from cleancut.matting.proof import SIDE, Proof, Question
from cleancut.pictures import images
from cleancut.types import Picture, Recipe

_MOST_PROOFS = 4
"""Answers of models that are kept with one picture, the ones asked for last: two are compared side by side."""

_LARGEST_ASSET = SIDE * 3 // 2
"""Pixels along the longer side of a recipe's picture, as previews use it: it may cover a canvas of another shape."""


class Edit:
    """One picture under correction. It belongs to the event loop; `pictures` is for a worker's thread.

    Args:
        owner: whose turn its work takes: a key, or where a stranger calls from; empty where one person is served.
        source: the encoded picture.
        name: what the caller calls it.
        assets: the pictures that its recipes name, encoded, by name.

    Attributes:
        id: unguessable.
        asking: held while models are asked, so that two requests at once ask once.
    """

    def __init__(self, owner: str, source: bytes, name: str, assets: dict[str, bytes]) -> None:
        self.id = secrets.token_urlsafe(18)
        self.owner, self.source, self.name, self.assets = owner, source, name, assets
        self.asking = asyncio.Lock()
        self._proofs: OrderedDict[Question, Proof] = OrderedDict()
        self._small: dict[str, Picture] = {}

    @property
    def nbytes(self) -> int:
        """About what it holds."""
        encoded = len(self.source) + sum(map(len, self.assets.values()))
        small = sum(picture.rgb.nbytes for picture in list(self._small.values()))
        return encoded + small + sum(proof.nbytes for proof in self._proofs.values())

    def proof(self, asked: Question) -> Proof | None:
        """Give what models said; None where they were not asked, or too long ago."""
        if asked in self._proofs:
            self._proofs.move_to_end(asked)
        return self._proofs.get(asked)

    def keep(self, asked: Question, proof: Proof) -> None:
        """Keep what models said, in place of what was asked for longest ago."""
        self._proofs[asked] = proof
        while len(self._proofs) > _MOST_PROOFS:
            self._proofs.popitem(last=False)

    def take(self, new: Mapping[str, bytes]) -> None:
        """Take pictures, in place of those of the same names."""
        for name, data in new.items():
            if self.assets.get(name) != data:
                self._small.pop(name, None)
                self.assets[name] = data

    def used(self, recipe: Recipe) -> dict[str, bytes]:
        """Give the pictures that a recipe names."""
        return {name: self.assets[name] for name in recipes.assets(recipe)}

    def pictures(self, recipe: Recipe, limits: Limits) -> dict[str, Picture]:
        """Give the pictures that a recipe names as previews use them; each is decoded once.

        Raises:
            NotAPicture, TooBig: one cannot be read.
        """
        found: dict[str, Picture] = {}
        for name, data in self.used(recipe).items():
            known = self._small.get(name)
            found[name] = known or images.read(data, limits=limits, max_side=_LARGEST_ASSET)
            if known is None and self.assets.get(name) is data:  # not replaced meanwhile
                self._small[name] = found[name]
        return found


class Shelf:
    """Keeps edits. It belongs to one event loop.

    Args:
        limits: `edits_kept`, `edits_per_key`, `edit_bytes` and `edit_seconds` count.
        clock: tells seconds.
    """

    def __init__(self, limits: ServiceLimits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits, self._clock = limits, clock
        self._kept: OrderedDict[str, tuple[Edit, float]] = OrderedDict()  # the one used longest ago first

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def nbytes(self) -> int:
        """About what all edits hold."""
        return sum(edit.nbytes for edit, _ in self._kept.values())

    def check(self, edit: Edit) -> None:
        """Check that there would be room for an edit, were it the only one.

        Raises:
            TooBig: there would not.
        """
        if edit.nbytes > self._limits.edit_bytes:
            self._kept.pop(edit.id, None)
            raise TooBig(f"What an edit keeps exceeds {self._limits.edit_bytes:,} bytes; send smaller pictures.")

    def add(self, edit: Edit) -> None:
        """Keep an edit."""
        self._kept[edit.id] = edit, self._clock()
        self.tidy(edit)

    def find(self, id: str, owner: str) -> Edit:
        """Give an edit, which is kept for as long again.

        Raises:
            NoSuchEdit: there is none of that id, or it is another caller's.
        """
        self.tidy()
        edit, _ = self._kept.get(id, (None, 0.0))
        if edit is None or edit.owner != owner:
            raise NoSuchEdit("There is no such edit, or no more; send the picture again.")
        self._kept[id] = edit, self._clock()
        self._kept.move_to_end(id)
        return edit

    def drop(self, edit: Edit) -> None:
        """Forget an edit."""
        self._kept.pop(edit.id, None)

    def clear(self) -> None:
        """Forget all."""
        self._kept.clear()

    def tidy(self, used: Edit | None = None) -> None:
        """Forget what is idle, and what is too much: of whoever has most, what was used longest ago.

        Args:
            used: goes last, as it was used just now.
        """
        idle = self._clock() - self._limits.edit_seconds
        for edit in [edit for edit, at in self._kept.values() if at <= idle]:
            self.drop(edit)
        while crowd := self._too_many():
            self.drop(next((edit for edit in crowd if edit is not used), crowd[0]))

    def _too_many(self) -> list[Edit]:
        """Give the edits of which one must go, the one used longest ago first; none where all may stay."""
        edits = [edit for edit, _ in self._kept.values()]
        counts = Counter(edit.owner for edit in edits)
        crowded = [owner for owner, count in counts.items() if owner and count > self._limits.edits_per_key]
        if crowded:
            return _of(edits, crowded[0])
        if len(edits) > self._limits.edits_kept:
            return _of(edits, max(counts, key=lambda owner: counts[owner]))
        if sum(edit.nbytes for edit in edits) <= self._limits.edit_bytes:
            return []
        held: Counter[str] = Counter()
        for edit in edits:
            held[edit.owner] += edit.nbytes
        return _of(edits, max(held, key=lambda owner: held[owner]))


def _of(edits: Iterable[Edit], owner: str) -> list[Edit]:
    return [edit for edit in edits if edit.owner == owner]
