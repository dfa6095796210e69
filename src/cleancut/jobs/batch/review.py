"""What is asked for of results that are not to be trusted, checked.

>>> review(0.8).folder, review(0.8, "u2netp").folder
('review', '')
"""

from __future__ import annotations

from cleancut.errors import BadSetting
from cleancut.jobs.batch.inside import hidden, inside
from cleancut.jobs.batch.nouns import Review


def review(below: float, model: str | None = None, folder: str | None = None) -> Review:
    """Say what is done with results of a confidence below this.

    Args:
        below: in [0, 1].
        model: asked again; the answer of the higher confidence is taken.
        folder: part of the tree where those go that stay below; by default "review" without a second model, and
            where they would have gone anyway with one.

    Raises:
        BadSetting: a value does not fit.
    """
    if not 0 <= below <= 1:
        raise BadSetting(f"Results are reviewed below a confidence from 0 to 1, not {below:g}.")
    if folder is None:
        return Review(below, model, "" if model else "review")
    if folder and hidden(inside(folder)):
        raise BadSetting("The folder for review must not begin with a dot: nobody would see it.")
    return Review(below, model, inside(folder) if folder else "")
