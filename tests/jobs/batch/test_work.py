"""A worker's share of a picture is gone with it."""

import gc

import pytest

from cleancut.jobs.batch.work import Made, Way, work
from cleancut.limits import Limits
from cleancut.matting.recipe import make
from tests.jobs.batch.parts import picture
from tests.stubs import disc, loading

WAYS = [
    make(),
    make(effects=["color:white", "shadow", "trim"], foreground="multilevel"),
    make(refine=["guided", "detail", "feather:radius=2"], effects=["blur:radius=3"]),
    make(show="trimap"),
]


@pytest.mark.parametrize("ways", [WAYS[:1], WAYS], ids=["one", "several"])
def test_nothing_of_a_picture_waits_for_the_collector(ways):
    """Whatever refers to itself keeps its picture until the collector comes, which may be a hundred pictures later."""

    def once():
        made = list(work(picture(1), [Way(way, "png") for way in ways], load=loading(disc(32, 0.3)), assets={},
                         limits=Limits()))  # fmt: skip
        assert all(isinstance(one, Made) for one in made)

    once()
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        once()
        gc.collect()
        kept = {type(one).__name__ for one in gc.garbage}
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert not kept & {"Rows", "Cutout", "Picture", "Layer", "Answer"}


def test_the_box_is_that_of_the_alpha():
    for way in WAYS:
        (made,) = work(picture(1), [Way(way, "png")], load=loading(disc(32, 0.3)), assets={}, limits=Limits())
        (alone,) = work(picture(1), [Way(make(**{**_fields(way), "show": "alpha"}), "png")],
                        load=loading(disc(32, 0.3)), assets={}, limits=Limits())  # fmt: skip
        assert made.box == alone.box
        assert made.box is not None


def _fields(way):
    return {"effects": way.effects, "refine": way.refine, "foreground": way.foreground}
