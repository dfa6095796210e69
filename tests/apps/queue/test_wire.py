"""What crosses between the tiers: all that dialects ask for, and nothing else."""

import json
import os
from functools import partial

import pytest

from cleancut.apps.queue import wire
from cleancut.apps.server.removebg.parameters import Asked, Length, Margins, Region
from cleancut.apps.server.removebg.plan import Plan
from cleancut.apps.server.removebg.render import Rendered, rendered
from cleancut.errors import Broken
from cleancut.matting.recipe import make

PERCENT = Length(5, "%")
PLAN = Plan(
    asked=Asked(roi=Region(*[PERCENT] * 4), crop_margin=Margins(*[PERCENT] * 4), position=(0.5, 0.25)),
    size=(30, 40),
    most=(30, 40),
    roi=(1, 2, 3, 4),
    recipe=make(effects=["blur:radius=3"], strokes=["keep:0.02:0.4,0.3"]),
)


def test_a_plan_comes_back_as_it_was():
    work = wire.read(wire.written(partial(rendered, plan=PLAN), {}), {})
    assert (work.func.func if isinstance(work.func, partial) else work.func) is rendered
    assert work.keywords == {"plan": PLAN}
    assert isinstance(work.keywords["plan"].asked.roi, Region)


def test_what_both_sides_have_is_named():
    ours, theirs = object(), object()
    text = wire.written({"service": ours, "data": b"x"}, {"service": ours})
    assert wire.read(text, {"service": theirs}) == {"service": theirs, "data": b"x"}


def test_many_bytes_are_not_written_as_text():
    made = Rendered(b"\x00\xff" * 50_000, "image/png", (1, 2), (3, 4), (0, 0, 1, 1))
    data = wire.packed(made)
    assert len(data) < 101_000
    assert wire.unpacked(data) == made


@pytest.mark.parametrize("work", [os.system, len, partial(os.remove, path="x"), object()])
def test_what_no_table_names_does_not_leave(work):
    with pytest.raises(wire.Unwritten):
        wire.written(work, {})


@pytest.mark.parametrize(
    "told",
    [
        ["call", ["os.system", {}]],
        ["of", ["subprocess.Popen", {"args": ["list", ["true"]]}]],
        ["of", ["cleancut.types.Recipe", {"nothing": 1}]],
        ["here", "secrets"],
        ["blob", 3],
        ["bytes", "?"],
        ["map", [1]],
        [],
        {},
    ],
)
def test_what_no_table_names_is_not_made(told):
    with pytest.raises(Broken):
        wire.read(json.dumps(told), {})


@pytest.mark.parametrize("data", [b"", b"\xff" * 40, b"\x00" * 8, b"\x00" * 7 + b"\x02{}"])
def test_what_is_no_result_is_refused(data):
    with pytest.raises(Broken):
        wire.unpacked(data)


def test_a_failure_keeps_the_word_of_its_dialect():
    told = wire.unpacked(wire.packed(wire.Raised("No subject.", "unknown_foreground", "")))
    assert (str(told.error()), told.error().code) == ("No subject.", "unknown_foreground")
