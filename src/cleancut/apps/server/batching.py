"""Concurrent runs of one network, made one run.

Who comes while a run is under way waits for its end, and whoever is next takes along all who wait; nobody waits for a
batch to fill. It is off by default: on processors two runs at once, of one thread each, do more than a batch does
(docs/server.md has the figures). On a graphics card it may pay.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, TypeAlias
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from cleancut.errors import Broken, ModelFailed
from cleancut.models.runtime import Load, Loaded
from cleancut.types import Network

Arrays: TypeAlias = "Mapping[str, NDArray[Any]]"

_SAME = 1e-3
"""How far an answer in a batch may be off that to the picture alone: a quarter of a level of 255."""


class Batching:
    """A `load` whose networks answer several pictures at once, where they can.

    Args:
        load: gives a network by name.
        most: pictures in one run.
    """

    def __init__(self, load: Load, most: int) -> None:
        self._load = load
        self._most = most
        self._lock = threading.Lock()
        self._able: dict[str, bool] = {}
        # Kept only as long as somebody runs it: the engine decides how long a network stays in memory.
        self._shared: WeakValueDictionary[int, Batched] = WeakValueDictionary()

    def __call__(self, name: str) -> Loaded:
        """Load a network; whether it takes batches is tried once.

        Raises:
            Whatever `load` raises.
        """
        loaded = self._load(name)
        with self._lock:
            if loaded.sha256 not in self._able:
                self._able[loaded.sha256] = takes_batches(loaded)
            if not self._able[loaded.sha256]:
                return loaded
            shared = self._shared.get(id(loaded.network))
            if shared is None:
                shared = self._shared[id(loaded.network)] = Batched(loaded.network, self._most)
        return replace(loaded, network=shared)


class Batched:
    """A network that answers several callers in one run. Threads share it.

    Args:
        network: takes and gives arrays whose first axis counts pictures.
        most: pictures in one run.
    """

    def __init__(self, network: Network, most: int) -> None:
        self._network = network
        self._most = most
        self._waiting: deque[tuple[Arrays, Future[Arrays]]] = deque()
        self._running = threading.Lock()

    def __call__(self, inputs: Arrays) -> Arrays:
        """Answer one picture; this thread may run the network for others, or another for it.

        Raises:
            Whatever the network raises.
        """
        answer: Future[Arrays] = Future()
        self._waiting.append((inputs, answer))
        with self._running:
            while not answer.done():
                self._run()
        return answer.result()

    def _run(self) -> None:
        """Run the network for those who have waited longest."""
        batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
        try:
            parts = together(self._network, [inputs for inputs, _ in batch])
        except Exception as error:  # noqa: BLE001 - each of the callers raises it
            for _, answer in batch:
                answer.set_exception(error)
            return
        for (_, answer), part in zip(batch, parts, strict=True):
            answer.set_result(part)


def together(network: Network, asked: list[Arrays]) -> list[Arrays]:
    """Ask a network about several pictures in one run; give each its part of the answer.

    Raises:
        ModelFailed: the answer has another number of pictures.
    """
    answers = network({name: np.concatenate([inputs[name] for inputs in asked]) for name in asked[0]})
    if any(len(array) != len(asked) for array in answers.values()):
        raise ModelFailed("The network does not answer each picture of a batch.")
    return [{name: array[n : n + 1] for name, array in answers.items()} for n in range(len(asked))]


def takes_batches(loaded: Loaded) -> bool:
    """Try whether a network answers two pictures at once, and the same as it answers each alone.

    What a file says of its axes is not asked: some that claim any number fail at two.
    """
    if not loaded.model.weights:
        return False
    width, height = loaded.model.input.size
    drawn = np.random.default_rng(0).standard_normal((2, 1, 3, height, width), np.float32)
    asked: list[Arrays] = [{"image": picture} for picture in drawn]
    try:
        pairs = zip(together(loaded.network, asked), map(loaded.network, asked), strict=True)
        return all(_same(several, alone) for several, alone in pairs)
    except Broken:
        return False


def _same(one: Arrays, other: Arrays) -> bool:
    return all(np.allclose(one[name], other[name], rtol=0, atol=_SAME) for name in other)
