"""Graphs that are broken or malicious, as `-m FILE.onnx --like NAME`: one sentence that names the file, and no more."""

import numpy as np
import pytest
from PIL import Image

from cleancut.apps.cli import run
from cleancut.apps.scene import scene
from tests.models import protobuf as onnx
from tests.models.protobuf import MEAN, attribute, external, like_u2netp, node, tensor

SECRET = np.full((3, 320, 320), 7, np.float32).tobytes()
"""A file in the current folder, where onnxruntime looks when it is given bytes; `Concat` is not folded at load."""


def reading(location):
    return like_u2netp(
        [node("Concat", ["x", "w"], ["y"], [attribute("axis", i=0)])], [external("w", (1, 3, 320, 320), location)]
    )


def large(shape):
    """A graph that fills an array of a shape."""
    return like_u2netp([node("ConstantOfShape", ["s"], ["y"])], [shape])


def whole_numbers(name, *values):
    return (
        onnx.field(1, len(values)) + onnx.field(2, 7) + onnx.field(8, name) + b"".join(onnx.field(7, v) for v in values)
    )


NOT_FINITE = [node("Sub", ["x", "x"], ["zero"]), node("Div", ["x", "zero"], ["z"]), MEAN.replace(b"\x01x", b"\x01z", 1)]

BAD = {
    "empty": (b"", "not a graph"),
    "html": (b"<html></html>", "not a graph"),
    "truncated": (like_u2netp([MEAN])[:-20], "not a graph"),
    "external": (reading("secret.bin"), "lie in other files"),
    "external outside": (reading("../secret.bin"), "lie in other files"),
    "external absolute": (reading("/etc/passwd"), "lie in other files"),
    "custom operator": (like_u2netp([node("Steal", ["x"], ["y"], domain="evil")], domains=["evil"]), "not a graph"),
    "unknown operator": (like_u2netp([node("Steal", ["x"], ["y"])]), "not a graph"),
    "future version": (like_u2netp([MEAN], opset=9999), "not a graph"),
    "input nowhere": (like_u2netp([node("Relu", ["nowhere"], ["y"])]), "not a graph"),
    "other size": (like_u2netp([MEAN], size=64), "does not take what its table says"),
    "too large": (large(whole_numbers("s", 1 << 20, 1 << 20, 1 << 10)), "does not take|not a graph"),
    "no plane": (
        like_u2netp([node("ReduceMean", ["x"], ["y"], [attribute("keepdims", i=0)])]),
        "not a graph|the shape",
    ),
    "not finite": (like_u2netp(NOT_FINITE), "not finite"),
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for place in (folder, tmp_path):
        (place / "secret.bin").write_bytes(SECRET)
    Image.fromarray(scene(48, 64).photo.rgb).save("photo.png")
    return folder


def test_a_graph_written_by_hand_runs(here):
    (here / "mine.onnx").write_bytes(like_u2netp([MEAN], [tensor("unused", [1])]))
    assert run(["photo.png", "-m", "mine.onnx", "--like", "u2netp"]) == 0


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_graph_is_one_sentence_that_names_the_file(here, capsys, kind):
    data, said = BAD[kind]
    (here / "mine.onnx").write_bytes(data)
    code = run(["photo.png", "-m", "mine.onnx", "--like", "u2netp"])
    out, err = capsys.readouterr()
    assert (code, out) == (1, "")
    assert err.count("\n") == 1 and "mine.onnx" in err and "Traceback" not in err
    assert any(part in err for part in said.split("|"))
    assert not (here / "photo_no_bg.png").exists()
