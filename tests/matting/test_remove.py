import io

import numpy as np
import pytest
from PIL import Image

import cleancut
from cleancut.apps.scene import scene
from cleancut.errors import NotAccepted, NotDownloaded

SCENE = scene(96, 120)
RGB = SCENE.photo.rgb


def png(rgb):
    stream = io.BytesIO()
    Image.fromarray(rgb).save(stream, "PNG")
    return stream.getvalue()


def test_bytes_for_bytes():
    out = cleancut.remove(png(RGB))
    image = Image.open(io.BytesIO(out))
    assert (image.format, image.mode, image.size) == ("PNG", "RGBA", (96, 120))
    assert Image.open(io.BytesIO(cleancut.remove(png(RGB), format="webp"))).format == "WEBP"


def test_an_array_for_an_array():
    assert cleancut.remove(RGB).shape == (120, 96, 4)
    assert cleancut.remove(RGB, show="alpha").shape == (120, 96)


def test_an_image_for_an_image():
    image = cleancut.remove(Image.fromarray(RGB))
    assert isinstance(image, Image.Image)
    assert image.mode == "RGBA"


def test_a_cutout_for_a_path_or_a_picture(tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(png(RGB))
    for given in (path, str(path), SCENE.photo):
        assert isinstance(cleancut.remove(given), cleancut.Cutout)


def test_all_ways_in_agree(tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(png(RGB))
    expected = cleancut.remove(RGB)
    assert (np.asarray(Image.open(io.BytesIO(cleancut.remove(png(RGB))))) == expected).all()
    assert (cleancut.remove(path).rgba() == expected).all()
    assert (np.asarray(cleancut.remove(Image.fromarray(RGB))) == expected).all()


def test_a_picture_an_effect_needs_may_be_bytes():
    out = cleancut.remove(RGB, effects=["behind:picture=sky"], assets={"sky": png(np.full((4, 4, 3), 9, np.uint8))})
    assert (out[..., 3] == 255).all()


@pytest.mark.parametrize("bad", [b"", b"words", np.zeros((2, 2, 7), np.uint8), np.zeros(3), object()])
def test_what_is_no_picture_is_refused(bad):
    with pytest.raises(cleancut.CleancutError):
        cleancut.remove(bad)


def test_a_licence_is_accepted_for_this_process(monkeypatch):
    from cleancut.models import licenses
    from cleancut.models.registry import registry

    monkeypatch.setattr(licenses, "_for_now", set())
    with pytest.raises(NotAccepted, match="cleancut models accept bria-rmbg"):
        cleancut.remove(RGB, model="bria-rmbg")
    with pytest.raises(NotDownloaded):
        cleancut.remove(RGB, model="bria-rmbg", accept_license=True)
    assert licenses.accepted(registry()["bria-rmbg"])
