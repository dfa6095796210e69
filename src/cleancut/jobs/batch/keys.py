"""How a result is known again: two of one key are the same, so the second need not be made."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict

import cleancut
from cleancut.jobs.batch.nouns import Review
from cleancut.matting import recipe as recipes
from cleancut.types import Recipe


class Keys:
    """Makes the keys of a batch's results.

    Args:
        weights: gives the sha256 of a model's weights.
        precision: that was asked for.
        review: what is done with results that are not to be trusted.
    """

    def __init__(self, weights: Callable[[str], str], precision: str, review: Review | None) -> None:
        self._weights = functools.cache(weights)
        self._precision = precision
        self._review = review

    def key(self, recipe: Recipe, source: str) -> str:
        """Give the key of a result.

        Args:
            recipe: what is done, the pictures it needs named by content.
            source: sha256 of the source's bytes.

        Raises:
            UnknownModel, WeightsError: as the weights say.
        """
        asked = (*recipes.models(recipe), *((self._review.model,) if self._review and self._review.model else ()))
        told = {
            "version": cleancut.__version__,
            "recipe": recipes.to_json(recipe),
            "source": source,
            "weights": {name: self._weights(name) for name in asked},
            "precision": self._precision,
            "review": asdict(self._review) if self._review else None,
        }
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
