"""One picture in several ways: the same bytes as one by one, and the networks are asked once."""

from dataclasses import replace

import numpy as np
import pytest

from cleancut.errors import BadRecipe
from cleancut.matting.pipeline import cut
from cleancut.matting.recipe import make
from cleancut.matting.scribbles.retouch import refine
from cleancut.matting.ways import cut_ways
from cleancut.matting.write import encoded
from cleancut.types import Picture
from tests.stubs import disc, loading


def photo(size=(120, 90)):
    return Picture(np.random.default_rng(5).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))


WAYS = [
    make(),
    make(effects=["color:white", "shadow"], format="jpeg"),
    make(effects=["trim:margin=4"], format="webp"),
    make(show="alpha"),
    make(refine=["feather:radius=2"], foreground="multilevel"),
    make(max_side=60),
]


def test_each_way_is_what_it_would_be_alone_bit_for_bit():
    source, load = photo(), loading(disc(64, 0.3))
    for way, cutout in zip(WAYS, cut_ways(source, WAYS, load=load), strict=True):
        assert encoded(cutout) == encoded(cut(source, way, load=load))


def test_the_network_is_asked_once_by_all_ways_that_ask_it_the_same():
    asked = []
    for cutout in cut_ways(photo(), WAYS[:5], load=loading(disc(64, 0.3), asked=asked)):
        encoded(cutout)
    assert len(asked) == 1


@pytest.mark.parametrize("other", [make(max_side=60), make(tta="flip"), make(model="u2netp")])
def test_who_asks_something_else_is_answered_for_himself(other):
    asked = []
    for _ in cut_ways(photo(), [make(), other], load=loading(disc(64, 0.3), asked=asked)):
        pass
    assert len(asked) > 1


def test_a_refinement_that_asks_a_network_asks_it_once_for_all_effects():
    asked, load = [], loading(disc(64, 0.3))

    def counting(name):
        loaded = load(name)

        def network(inputs):
            asked.append(sorted(inputs))
            return loaded.network(inputs)

        return replace(loaded, network=network)

    ways = [make(refine="detail"), make(refine="detail", effects=["color:white"])]
    first, second = (encoded(cutout) for cutout in cut_ways(photo(), ways, load=counting))
    together = list(asked)
    asked.clear()
    assert encoded(cut(photo(), ways[0], load=counting)) == first
    assert together == asked
    assert len(asked) > 1
    assert encoded(cut(photo(), ways[1], load=counting)) == second


def test_a_way_can_be_corrected_by_hand_as_if_it_were_alone():
    source, load = photo(), loading(disc(64, 0.3))
    ways = [make(effects=["color:white"]), make(effects=["color:#102030"])]
    for way, cutout in zip(ways, cut_ways(source, ways, load=load), strict=True):
        stroke = "keep:0.05:0.1,0.1"
        mine, alone = refine(cutout, strokes=[stroke]), refine(cut(source, way, load=load), strokes=[stroke])
        assert encoded(mine) == encoded(alone)


def test_a_picture_that_is_not_handed_over_is_said_before_any_work():
    asked = []
    with pytest.raises(BadRecipe, match="not handed over"):
        list(cut_ways(photo(), [make(), make(effects=["behind:picture=x"])], load=loading(disc(), asked=asked)))
    assert asked == []
