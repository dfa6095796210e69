import threading
from dataclasses import replace

import numpy as np
import pytest

from cleancut.apps.server.batching import Batched, Batching, takes_batches
from cleancut.errors import ModelFailed
from cleancut.models.runtime import engine
from tests.stubs import disc, loading

STUB = loading(disc())("cleancut-small")


def doubling(inputs):
    return {"alpha": inputs["image"] * 2}


def at_once(network, count):
    """Ask from so many threads at the same time; give the answers in order."""
    answers = [None] * count

    def ask(number):
        answers[number] = network({"image": np.full((1, 3, 4, 4), number, np.float32)})

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return answers


def test_who_comes_during_a_run_is_answered_by_the_next_one():
    sizes, first, go = [], threading.Event(), threading.Event()

    def network(inputs):
        sizes.append(len(inputs["image"]))
        first.set()
        assert go.wait(20)
        return doubling(inputs)

    batched = Batched(network, most=4)
    leader = threading.Thread(target=batched, args=({"image": np.zeros((1, 3, 4, 4), np.float32)},))
    leader.start()
    assert first.wait(20)
    others = threading.Thread(target=lambda: sizes.append(at_once(batched, 6)))
    others.start()
    while len(batched._waiting) < 6:
        threading.Event().wait(0.005)
    go.set()
    leader.join(20)
    others.join(20)
    *runs, answers = sizes
    assert runs == [1, 4, 2]
    assert [answer["alpha"].shape for answer in answers] == [(1, 3, 4, 4)] * 6
    assert [float(answer["alpha"].max()) for answer in answers] == [0, 2, 4, 6, 8, 10]


def test_what_a_run_raises_is_raised_for_each():
    def network(inputs):
        raise ModelFailed("it failed")

    with pytest.raises(ModelFailed, match="it failed"):
        Batched(network, 4)({"image": np.zeros((1, 3, 4, 4), np.float32)})


@pytest.mark.parametrize(
    ("network", "able"),
    [
        (doubling, True),
        (lambda inputs: {"alpha": inputs["image"][:1]}, False),
        (lambda inputs: {"alpha": inputs["image"] * len(inputs["image"])}, False),
    ],
    ids=["batches", "answers one", "answers otherwise"],
)
def test_whether_a_network_takes_batches_is_tried(network, able):
    assert takes_batches(replace(STUB, network=network)) is able


def test_a_network_that_refuses_two_does_not():
    def network(inputs):
        if len(inputs["image"]) > 1:
            raise ModelFailed("one at a time")
        return doubling(inputs)

    assert takes_batches(replace(STUB, network=network)) is False


def test_a_network_is_shared_by_those_who_use_it_and_kept_by_nobody():
    loaded = replace(STUB, network=doubling)
    load = Batching(lambda name: loaded, 4)
    one, other = load("a"), load("a")
    assert one.network is other.network and isinstance(one.network, Batched)
    del one, other
    assert len(load._shared) == 0


def test_the_embedded_network_takes_batches():
    assert isinstance(Batching(engine("cpu").load, 2)("cleancut-small").network, Batched)
