"""Importing the package loads nothing heavy, prints nothing and sets no global."""

import subprocess
import sys

import pytest

import cleancut

HEAVY = ("numpy", "PIL", "onnxruntime", "isal", "click", "rich", "tomllib")


def python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)


def test_importing_is_light_and_silent():
    done = python(f"import cleancut, sys; print([m for m in {HEAVY} if m in sys.modules])")
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


@pytest.mark.parametrize("name", ["Recipe", "Picture", "Limits", "CleancutError"])
def test_plain_nouns_need_no_numpy(name):
    done = python(f"import cleancut, sys; cleancut.{name}; print([m for m in {HEAVY} if m in sys.modules])")
    assert done.stdout.strip() == "[]"


def test_using_it_changes_no_global_of_pillow():
    code = (
        "from PIL import Image; before = Image.MAX_IMAGE_PIXELS; import cleancut, numpy;"
        "cleancut.remove(numpy.zeros((8, 8, 3), 'uint8')); print(Image.MAX_IMAGE_PIXELS == before)"
    )
    assert python(code).stdout.strip() == "True"


def test_the_public_surface_is_what_we_promise():
    assert set(cleancut.__all__) == {
        "CleancutError", "Cutout", "Engine", "Limits", "Picture", "Recipe", "Report", "Retouch", "Stroke",
        "cut", "cut_all", "models", "recipe", "refine", "remove",
    }  # fmt: skip
    for name in cleancut.__all__:
        assert getattr(cleancut, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = cleancut.nothing
