"""A source that is a list, a sink that is a dict, and pictures by formula."""

import io
import threading

import numpy as np
from PIL import Image

from cleancut.errors import NoSpace
from cleancut.jobs.batch import journal as journals
from cleancut.jobs.batch.nouns import Entry, Plan
from cleancut.jobs.batch.run import Batch
from cleancut.matting.recipe import make
from tests.stubs import disc, loading


def picture(seed=0, size=(64, 48)):
    """A picture of noise, as PNG."""
    noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noise).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def entry(name, data=None, **more):
    data = picture(sum(name.encode())) if data is None else data
    return Entry(name, data if callable(data) else lambda: data, **more)


class Pile:
    """Lists what it was given."""

    def __init__(self, *entries, endless=False):
        self.entries, self.endless, self.closed = entries, endless, threading.Event()

    def __iter__(self):
        yield from self.entries
        if self.endless:
            self.closed.wait()

    def close(self):
        self.closed.set()


class Shelf:
    """Keeps results in memory; full once it has taken `room`."""

    journal = None

    def __init__(self, room=None, held=None):
        self.held = dict(held or {})
        self.room, self.taken, self.swept, self.whole = room, 0, 0, None

    def sweep(self):
        self.swept += 1

    def size(self, name):
        return len(self.held[name]) if name in self.held else None

    def put(self, name, data):
        if self.room is not None and self.taken >= self.room:
            raise NoSpace(f"{name} cannot be written: the disk is full.")
        self.taken += 1
        self.held[name] = data

    def shown(self, name):
        return name

    def close(self, *, whole):
        self.whole = whole


def plan(**given):
    variants = given.pop("variants", None) or {"": make(refine="none", foreground="source")}
    return Plan(variants, **{"workers": 2, **given})


def ran(path, entries, shelf, wanted=None, load=None):
    """Run a batch to its end; give its outcomes by what is planned, or by name where nothing is."""
    with journals.opened(path) as journal:
        batch = Batch(wanted or plan(), shelf, journal, load or loading(disc(32, 0.3)))
        return {told.planned or told.name: told for told in batch.run(Pile(*entries))}


def states(outcomes):
    return {name: told.state for name, told in outcomes.items()}
