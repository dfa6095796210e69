"""The vectors that the browser's road is held to are what our own functions give."""

import base64
import json

import numpy as np
import pytest

from tests.vectors.make import FILE, cover, made, picture, plane

STORED = json.loads(FILE.read_text())
MADE = made()


def close(found, stored):
    """Bytes may round the other way on another processor, at very few places; numbers in the fourth decimal."""
    if isinstance(stored, dict):
        return found.keys() == stored.keys() and all(close(found[name], stored[name]) for name in stored)
    if isinstance(stored, list | tuple):
        return len(found) == len(stored) and all(map(close, found, stored))
    if isinstance(stored, float):
        return found == pytest.approx(stored, abs=2e-4)
    if isinstance(stored, str) and len(stored) > 20:
        one, other = (np.frombuffer(base64.b64decode(text), np.uint8).astype(int) for text in (found, stored))
        off = np.abs(one - other)
        return off.max() <= 1 and np.count_nonzero(off) <= 0.001 * off.size
    return found == stored


@pytest.mark.parametrize("name", STORED)
def test_our_functions_still_give_the_stored_vectors(name):
    assert close(MADE[name], STORED[name]), "if the road was meant to change: python -m tests.vectors.make"


def test_no_vector_is_missing():
    assert MADE.keys() == STORED.keys()


def test_the_pictures_have_what_the_road_must_cope_with():
    translucent = picture(61, 45)[..., 3]
    assert {0, 255} < set(translucent.ravel().tolist())
    soft = cover(61, 45)
    assert {0, 255} < set(soft.ravel().tolist())
    tidied = np.frombuffer(base64.b64decode(STORED["tidied"][0]["alpha"]), np.uint8).reshape(64, 64)
    assert (tidied[plane("disc") == np.float32(0.8)] == 0).any()  # a speck that goes
    assert tidied[32, 32] == 255
