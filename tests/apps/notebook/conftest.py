"""A studio's desk without any notebook: a page that notes what it is told."""

from __future__ import annotations

import io
import time
import zlib

import pytest
from PIL import Image

from cleancut.apps.notebook.desk import Desk
from cleancut.apps.notebook.nouns import StudioLimits
from cleancut.apps.notebook.talk import Talk
from cleancut.apps.scene import scene
from cleancut.types import Recipe
from tests.stubs import disc, loading

PATIENCE = 120


class Page:
    """Notes what it is told, as a browser would hear it."""

    def __init__(self):
        self.heard = []
        self.flushed = 0

    def tell(self, kind, *buffers, **content):
        self.heard.append((kind, content, buffers))

    def changed(self):
        pass

    def flush(self):
        self.flushed += 1

    def of(self, *kinds):
        return [(content, buffers) for kind, content, buffers in self.heard if kind in kinds]


class Bench:
    """A desk, the page that hears of it, and one view of that page."""

    def __init__(self, load, limits, recipe):
        self.page = Page()
        self.desk = Desk(self.page, recipe, {}, load, limits)
        self.talk = Talk(self.desk)
        self.turn = 0

    def say(self, kind, piece=None, view="v", **content):
        """Say something as a page does; give what was answered at once, but that it was heard."""
        self.turn += 1
        before = len(self.page.heard)
        buffers = [] if piece is None else [memoryview(piece)]
        self.talk.hear({"kind": kind, "view": view, "turn": self.turn, **content}, buffers)
        answers = [said for said in self.page.heard[before:] if said[0] != "heard"]
        return [said for said in answers if self.turn in (said[1].get("turn"), said[1].get("asked", {}).get("turn"))]

    def until(self, *kinds, count=1):
        """Wait until the page has heard of such so many times; give the last."""
        end = time.monotonic() + PATIENCE
        while len(self.page.of(*kinds)) < count:
            assert time.monotonic() < end, self.page.heard
            self.desk.errands.wait(0.05)
        return self.page.of(*kinds)[-1]

    def idle(self):
        """Wait until every picture is done or has failed."""
        end = time.monotonic() + PATIENCE
        while self.desk.busy:
            assert time.monotonic() < end, [item.shown() for item in self.desk.items.values()]
            self.desk.errands.wait(0.05)
        self.desk.errands.run()

    def send(self, name, data, chunk=1000, **more):
        """Upload a file as a page does; give the last answer."""
        (answer,) = self.say("begin", name=name, size=len(data), **more)
        if answer[0] != "go":
            return answer
        upload = answer[1]["upload"]
        for offset in range(0, len(data), chunk):
            answers = self.say("chunk", data[offset : offset + chunk], upload=upload, offset=offset)
        return answers[-1]


@pytest.fixture
def bench():
    """Make a desk whose network sees a disc everywhere."""
    made = []

    def make(load=None, recipe=None, **limits):
        one = Bench(load or loading(disc()), StudioLimits(**limits), recipe or Recipe(refine=()))
        made.append(one)
        return one

    yield make
    for one in made:
        one.desk.close()


def encoded(width=80, height=60, kind="PNG", seed=0):
    """A picture by formula, as a file."""
    stream = io.BytesIO()
    Image.fromarray(scene(width, height, seed).photo.rgb).save(stream, kind)
    return stream.getvalue()


def bomb():
    """A small PNG that says it has 3.6 gigapixels."""
    good = encoded(8, 8)
    head = b"IHDR" + (60_000).to_bytes(4, "big") * 2 + good[24:29]
    return good[:12] + head + zlib.crc32(head).to_bytes(4, "big") + good[33:]
