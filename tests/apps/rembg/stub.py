"""A session of `cleancut.rembg` whose network answers what a test says."""

from dataclasses import replace

import numpy as np

from cleancut.apps.rembg.sessions import Session
from cleancut.models.registry import registry
from tests.stubs import loading


class StubEngine:
    """Stands for an engine: gives one network, under the table of a model, and notes what it was shown."""

    def __init__(self, answer, layers, like):
        self.asked = []
        self.table = replace(registry()[like], layers=tuple(layers))
        self._load = loading(answer, asked=self.asked)

    def model(self, name):
        return replace(self.table, name=name)

    def load(self, name):
        return replace(self._load(name), model=self.model(name))


def session(answer=1.0, layers=(), like="cleancut-small"):
    plane = np.full((8, 8), answer) if np.isscalar(answer) else answer
    return Session("stub", StubEngine(plane, layers, like), "stub")
