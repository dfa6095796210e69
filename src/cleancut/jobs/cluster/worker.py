"""What runs in a process of the cluster: one engine, and the work of a batch."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cleancut.errors import CleancutError
from cleancut.jobs.batch.nouns import Review
from cleancut.jobs.batch.work import Made, Way, work
from cleancut.jobs.cluster.connect import silent_ray
from cleancut.limits import Limits, share_processors
from cleancut.models.runtime import Engine
from cleancut.types import Picture

_CARDS = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES")
"""Variables that say which cards a process may see."""


@dataclass(frozen=True, slots=True)
class Share:
    """What of a node one worker gets.

    Attributes:
        device, precision: as `Engine` takes them.
        cpus: processors, which are also the threads of a run.
        gpus: cards; a quarter, say, puts four workers on one.
        memory: bytes, for Ray to count; 0 leaves that out.
    """

    device: str = "auto"
    precision: str = "auto"
    cpus: float = 1.0
    gpus: float = 0.0
    memory: int = 0

    @property
    def threads(self) -> int:
        """Threads of one run of a network."""
        return max(1, int(self.cpus))

    def engine(self) -> Engine:
        """Make the engine of a worker; a card that it has no share of is not taken, as Ray counts on that."""
        if not self.gpus and self.device == "auto":
            os.environ.update(dict.fromkeys(_CARDS, ""))
        return Engine(self.device, threads=self.threads, precision=self.precision)


class Worker:
    """An actor: it keeps its networks loaded, and works on one picture at a time.

    Args:
        share: what it gets of its node.
    """

    def __init__(self, share: Share) -> None:
        self._share = share
        self._engine = share.engine()

    def ready(self, models: Sequence[str]) -> None:
        """Load networks.

        Raises:
            WeightsError, Broken: one cannot be had on this node.
        """
        for name in models:
            self._engine.load(name)

    def cut(
        self,
        source: bytes,
        ways: Sequence[Way],
        assets: Mapping[str, Any],
        limits: Limits,
        review: Review | None,
        name: str | None,
    ) -> list[Made | CleancutError]:
        """Cut one picture in several ways, as `jobs.batch.work` does; `assets` are references to what lies in Ray."""
        share_processors(self._share.threads)
        held: dict[str, Picture] = dict(zip(assets, silent_ray().get(list(assets.values())), strict=True))
        made = work(source, ways, load=self._engine.load, assets=held, limits=limits, review=review, name=name)
        return list(made)
