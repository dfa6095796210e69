"""withoutBG's, Photoroom's and Clipdrop's formats, each as its callers see it."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from tests.apps.server.conftest import encoded, serving
from tests.stubs import disc, loading

WITHOUTBG, PHOTOROOM, CLIPDROP = "/v1/remove-background", "/v1/segment", "/remove-background/v1"


def opened(answer):
    assert answer.status_code == 200, answer.text
    image = Image.open(io.BytesIO(answer.content))
    image.load()
    assert answer.headers["content-type"] == f"image/{image.format.lower()}"
    return image


def post(client, url, photo, field, headers=None, **fields):
    return client.post(url, files={field: ("photo.jpg", photo)}, data=fields, headers=headers)


@pytest.fixture(scope="module")
def client():
    """A service whose network sees a disc, and whose look from close up agrees with it."""
    with serving(loading(disc())) as shared:
        yield shared


@pytest.fixture(scope="module")
def clear():
    """A picture that is translucent already, red under what does not show."""
    rgba = np.zeros((120, 96, 4), np.uint8)
    rgba[..., 0] = 255
    rgba[:, :48, 3] = 255
    return encoded(rgba, "PNG")


@pytest.mark.parametrize(("url", "field"), [(WITHOUTBG, "image"), (PHOTOROOM, "image_file"), (CLIPDROP, "image_file")])
def test_each_cuts_a_file(client, photo, url, field):
    image = opened(post(client, url, photo, field))
    assert (image.format, image.mode, image.size) == ("PNG", "RGBA", (96, 120))
    assert image.getpixel((0, 0))[3] == 0


@pytest.mark.parametrize(
    ("url", "field", "keys"),
    [
        (WITHOUTBG, "image", {"error"}),
        (PHOTOROOM, "image_file", {"detail", "status_code", "type"}),
        (CLIPDROP, "image_file", {"error"}),
    ],
)
def test_each_tells_failures_in_its_own_words(client, url, field, keys):
    for answer in (client.post(url), post(client, url, b"no picture", field)):
        assert answer.status_code == 400
        assert set(answer.json()) == keys
    assert set(client.get(url).json()) == keys


def test_withoutbg_takes_the_body_itself(client, photo):
    raw = client.post(WITHOUTBG, content=photo, headers={"content-type": "image/jpeg"})
    assert raw.content == post(client, WITHOUTBG, photo, "image").content
    assert int(raw.headers["x-latency-ms"]) >= 0


@pytest.mark.parametrize(("output", "mode"), [("cutout", "RGBA"), ("processed", "RGBA"), ("matte", "L")])
def test_withoutbg_gives_the_cutout_or_the_matte(client, photo, output, mode):
    assert opened(client.post(WITHOUTBG, files={"image": photo}, params={"output": output})).mode == mode


def test_withoutbg_answers_json_with_json(client, photo):
    text = base64.b64encode(photo).decode()
    plain = post(client, WITHOUTBG, photo, "image").content
    for image in (text, f"data:image/jpeg;base64,{text}"):
        told = client.post(WITHOUTBG, json={"image": image}).json()
        assert set(told) == {"processed", "alphaMatte", "latencyMs"}
        head, _, data = told["processed"].partition(",")
        assert head == "data:image/png;base64"
        assert base64.b64decode(data) == plain
        matte = Image.open(io.BytesIO(base64.b64decode(told["alphaMatte"].partition(",")[2])))
        assert matte.mode == "L"


@pytest.mark.parametrize("body", [{}, {"image": ""}, {"image": "§"}, {"image": [1]}, {"image": "aGk="}])
def test_withoutbg_tells_of_bad_json_in_a_detail(client, body):
    answer = client.post(WITHOUTBG, json=body)
    assert answer.status_code == 400
    assert set(answer.json()) == {"detail"}


@pytest.mark.parametrize(
    ("fields", "format", "mode"),
    [
        ({}, "PNG", "RGBA"),
        ({"format": "jpg"}, "JPEG", "RGB"),
        ({"format": "webp"}, "WEBP", "RGBA"),
        ({"channels": "alpha"}, "PNG", "L"),
        ({"bg_color": "#FF00FF"}, "PNG", "RGBA"),
        ({"bg_color": "hotpink", "format": "jpg"}, "JPEG", "RGB"),
    ],
)
def test_photoroom_gives_what_is_asked_for(client, photo, fields, format, mode):
    image = opened(post(client, PHOTOROOM, photo, "image_file", **fields))
    assert (image.format, image.mode) == (format, mode)


def test_photoroom_lays_a_colour_behind(client, photo):
    image = opened(post(client, PHOTOROOM, photo, "image_file", bg_color="#FF00FF"))
    assert image.getpixel((0, 0)) == (255, 0, 255, 255)


def test_photoroom_crops_to_the_subject(client, photo):
    image = opened(post(client, PHOTOROOM, photo, "image_file", crop="true"))
    assert np.abs(np.subtract(image.size, (58, 72))).max() <= 2


def test_photoroom_reduces_to_the_size(client):
    large = encoded(np.zeros((1000, 1200, 3), np.uint8))
    width, height = opened(post(client, PHOTOROOM, large, "image_file", size="preview")).size
    assert 0.24e6 < width * height <= 0.25e6
    assert opened(post(client, PHOTOROOM, large, "image_file")).size == (1200, 1000)


def test_photoroom_takes_green_light_off(serve):
    greenish = encoded(np.full((120, 96, 3), (120, 200, 120), np.uint8), "PNG")
    client = serve(loading(disc()))
    kept, made = (
        np.asarray(opened(post(client, PHOTOROOM, greenish, "image_file", despill=on))) for on in ("false", "true")
    )
    edge = (kept[..., 3] > 20) & (kept[..., 3] < 235)
    assert made[edge][:, 1].mean() < kept[edge][:, 1].mean() - 10


def test_photoroom_tells_how_far_to_trust_the_result(client, photo):
    assert 0 <= float(post(client, PHOTOROOM, photo, "image_file").headers["x-uncertainty-score"]) <= 1


def test_photoroom_answers_json_where_it_is_accepted(client, photo):
    answer = post(client, PHOTOROOM, photo, "image_file", headers={"accept": "application/json"})
    assert base64.b64decode(answer.json()["base64img"]) == post(client, PHOTOROOM, photo, "image_file").content


@pytest.mark.parametrize(
    "fields", [{"format": "gif"}, {"size": "huge"}, {"crop": "x"}, {"bg_color": "nope"}, {"channels": "rgb"}]
)
def test_photoroom_refuses_what_does_not_fit(client, photo, fields):
    answer = post(client, PHOTOROOM, photo, "image_file", **fields)
    assert (answer.status_code, answer.json()["status_code"]) == (400, 400)
    assert next(iter(fields)) in answer.json()["detail"]


def test_photoroom_names_a_missing_image(client):
    assert client.post(PHOTOROOM, data={"format": "png"}).json()["type"] == "missing_image"


@pytest.mark.parametrize(("accept", "format"), [("image/webp", "WEBP"), ("image/jpeg", "JPEG"), ("*/*", "PNG")])
def test_clipdrop_gives_the_format_that_is_accepted(client, photo, accept, format):
    answer = post(client, CLIPDROP, photo, "image_file", headers={"accept": accept})
    assert opened(answer).format == format
    assert answer.headers["x-credits-consumed"] == "0"


def test_clipdrop_gives_back_what_is_translucent_already(client, clear):
    assert post(client, CLIPDROP, clear, "image_file").content == clear


def test_clipdrop_discards_alpha_where_it_is_told_to(client, clear):
    image = opened(post(client, CLIPDROP, clear, "image_file", transparency_handling="discard_alpha_layer"))
    assert image.getpixel((60, 60)) == (255, 0, 0, 255)
    assert image.getpixel((0, 0))[3] == 0


def test_clipdrop_refuses_another_handling(client, photo):
    assert post(client, CLIPDROP, photo, "image_file", transparency_handling="x").status_code == 400
