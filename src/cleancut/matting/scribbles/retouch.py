"""Correct a cutout by hand: at once with masks or strokes, or stroke by stroke on a preview."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from cleancut.errors import BadInput
from cleancut.matting.cutout import Cutout
from cleancut.matting.scribbles.heed import Hand, preview_size, walk_over
from cleancut.matting.scribbles.strokes import Mark, laid, masked, read_all
from cleancut.matting.scribbles.walk import applied, certain
from cleancut.raster.resample import reduced
from cleancut.raster.rows import Rows
from cleancut.types import Stroke

Plane = NDArray[np.float32]


def refine(
    cutout: Cutout,
    *,
    keep: NDArray[np.bool_] | NDArray[np.uint8] | None = None,
    remove: NDArray[np.bool_] | NDArray[np.uint8] | None = None,
    strokes: Iterable[Stroke | str] = (),
) -> Cutout:
    """Correct a cutout by what a person marked.

    What is marked is certain in the result. It reaches as far as the picture's colours go on, against what the model
    said there: a mark on a part that was lost brings the part back, one on what does not belong takes it away. The edge
    is then refined as the cutout's recipe says, at full size; nothing is asked of the model again.

    Args:
        cutout: what `cut` gave, or this function.
        keep: (h, w) bool or uint8 whose pixels above 0 belong to the subject, at the size of the picture or of its
            preview (see `Retouch`).
        remove: the same for what does not belong.
        strokes: strokes, or text such as keep:0.02:0.4,0.3:0.45,0.35; they stay in the recipe. Masks lie over them.

    Returns:
        Another cutout. A recipe cannot carry masks, so with them a PNG does not note how it was made.

    Raises:
        BadInput: a mask has another size, masks contradict each other, nothing is marked, or `cut` did not make this.
        BadSetting, BadRecipe: a stroke is none, or there are too many.

    >>> import cleancut
    >>> cut = cleancut.cut(cleancut.Picture(np.full((60, 80, 3), 200, np.uint8)), cleancut.recipe(refine="none"))
    >>> float(cut.alpha.max()), float(refine(cut, strokes=["keep:0.1:0.5,0.5"]).alpha[30, 40])
    (0.0, 1.0)
    """
    hand = _hand_of(cutout)
    return hand.remake((*hand.marks, *_marks(cutout, keep, remove, strokes)))


class Retouch:
    """A cutout under correction: each stroke shows at once on a preview, `finish` gives the full picture.

    What does not depend on the strokes is worked out once, when this is made. It is not for several threads at once.

    >>> import cleancut
    >>> photo = cleancut.Picture(np.full((600, 800, 3), 200, np.uint8))
    >>> retouch = Retouch(cleancut.cut(photo))
    >>> retouch.size
    (512, 384)
    >>> float(retouch.stroke("keep:0.02:0.5,0.5")[192, 256]), float(retouch.undo().max())
    (1.0, 0.0)
    """

    def __init__(self, cutout: Cutout) -> None:
        """Prepare a cutout that `cut` or `refine` gave.

        Raises:
            BadInput: it is none.
        """
        self._cutout, self._hand = cutout, _hand_of(cutout)
        self._done: list[tuple[Mark, ...]] = []
        self._walk = walk_over(cutout.source, self._hand.answer, blank=self._hand.blank)
        plain = self._hand.remake(()).hand if self._hand.marks else self._hand
        self._base = self._small((plain or self._hand).alpha)
        own = cutout.source.alpha
        self._own = None if own is None else self._small(Rows.of(own).map(lambda strip: strip / np.float32(255)))

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the preview: at most 512 pixels along the longer side."""
        return preview_size(self._cutout.source.size)

    @property
    def preview(self) -> NDArray[np.uint8]:
        """The preview, (h, w, 3) uint8, in the picture's own colour space. Not to be written to."""
        return self._walk.rgb

    @property
    def alpha(self) -> Plane:
        """The preview's alpha with every stroke so far, (h, w) float32 in [0, 1]."""
        marks = laid(self._marks, *self.size).whole()
        alpha = certain(applied(self._base, self._walk.pull(marks)), marks)
        return alpha if self._own is None else alpha * self._own

    def stroke(
        self,
        *strokes: Stroke | str,
        keep: NDArray[np.bool_] | NDArray[np.uint8] | None = None,
        remove: NDArray[np.bool_] | NDArray[np.uint8] | None = None,
    ) -> Plane:
        """Add strokes or masks, as `refine` takes them, over those before; give the preview's alpha.

        Raises:
            BadInput, BadSetting, BadRecipe: as `refine` says; nothing is added then.
        """
        self._done.append(_marks(self._cutout, keep, remove, strokes, before=self._marks))
        return self.alpha

    def undo(self) -> Plane:
        """Take back what the last call of `stroke` added, if there was one; give the preview's alpha."""
        del self._done[-1:]
        return self.alpha

    def finish(self) -> Cutout:
        """Make the full picture's cutout with every stroke so far."""
        return self._hand.remake(self._marks) if self._done else self._cutout

    @property
    def _marks(self) -> tuple[Mark, ...]:
        return (*self._hand.marks, *(mark for group in self._done for mark in group))

    def _small(self, alpha: Rows) -> Plane:
        """Bring alpha (H, W) to the preview."""
        full = alpha.map(lambda strip: np.rint(strip * 255).astype(np.uint8)).whole()
        return reduced(full, *self.size, "bicubic") * np.float32(1 / 255)


def _hand_of(cutout: Cutout) -> Hand:
    if cutout.hand is None:
        raise BadInput("Only what cleancut.cut made can be corrected by hand; cut the picture first.")
    return cutout.hand


def _marks(
    cutout: Cutout, keep: object, remove: object, strokes: object, before: tuple[Mark, ...] | None = None
) -> tuple[Mark, ...]:
    """Check what is added to a cutout's marks."""
    earlier = _hand_of(cutout).marks if before is None else before
    lines = read_all(strokes)
    read_all((*(mark for mark in earlier if isinstance(mark, Stroke)), *lines))
    if lines and keep is None and remove is None:
        return lines
    size = cutout.source.size
    return (*lines, masked(keep, remove, size, preview_size(size)))
