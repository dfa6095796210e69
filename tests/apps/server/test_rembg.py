"""rembg's server as its callers see it."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from cleancut.errors import BadUrl, FetchFailed
from cleancut.rembg import new_session, remove
from tests.apps.server.conftest import encoded
from tests.stubs import disc, loading

URL = "/api/remove"


def ask(client, photo, params=None, **fields):
    return client.post(URL, files={"file": ("photo.jpg", photo)}, data=fields, params=params)


def opened(answer):
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    return Image.open(io.BytesIO(answer.content))


def refused(answer, status=400):
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"detail"}
    return answer.json()["detail"]


class Web:
    def __init__(self, page):
        self.page = page

    async def get(self, url, *, max_bytes):
        if isinstance(self.page, Exception):
            raise self.page
        return self.page

    def close(self):
        pass


def test_a_file_is_cut(client, photo):
    image = opened(ask(client, photo))
    assert (image.mode, image.size) == ("RGBA", (96, 120))
    assert image.getpixel((0, 0))[3] == 0


def test_the_result_is_that_of_the_python_function(real, photo):
    assert opened(ask(real, photo)).tobytes() == Image.open(io.BytesIO(remove(photo, session=new_session()))).tobytes()


def test_an_address_is_fetched_and_cut(serve, photo):
    client = serve()
    client.service.fetcher = Web(photo)
    answer = client.get(URL, params={"url": "https://example.com/photo.jpg", "om": "true"})
    assert opened(answer).mode == "L"


@pytest.mark.parametrize("error", [BadUrl("The host has no public address."), FetchFailed("It answers 404.")])
def test_an_address_that_fails_is_told(serve, error):
    client = serve()
    client.service.fetcher = Web(error)
    assert refused(client.get(URL, params={"url": "https://example.com"})) == str(error)


def test_addresses_are_off_unless_they_are_switched_on(client):

    assert client.get(URL, params={"url": "https://example.com"}).status_code == 403


def test_a_mask_is_grey(client, photo):
    assert opened(ask(client, photo, om="true")).mode == "L"


def test_a_mask_may_be_made_hard(client, photo):
    mask = np.asarray(opened(ask(client, photo, om="true", ppm="true")))
    assert set(np.unique(mask)) == {0, 255}


@pytest.mark.parametrize("params", [{"bgc": "255,0,0,255"}, {"bgc": " 255, 0, 0, 255"}])
def test_a_colour_lies_behind(client, photo, params):
    assert opened(ask(client, photo, params=params)).getpixel((0, 0)) == (255, 0, 0, 255)


def test_a_colour_may_be_a_field_of_the_form_too(client, photo):
    assert ask(client, photo, bgc="255,0,0,255").content == ask(client, photo, params={"bgc": "255,0,0,255"}).content


def test_colours_are_decontaminated(serve):
    rgb = np.full((120, 96, 3), (0, 255, 0), np.uint8)
    y, x = np.indices((120, 96))
    rgb[np.hypot((x - 48) / 96, (y - 60) / 120) < 0.3] = (255, 0, 0)
    picture = encoded(rgb, "PNG")
    client = serve(loading(np.clip(disc(radius=0.32) * 0.9, 0, 1)))
    plain, clean = (np.asarray(opened(ask(client, picture, dc=on))) for on in ("false", "true"))
    assert not (plain == clean).all()
    assert (plain[..., 3] == clean[..., 3]).all()


def test_matting_and_its_numbers_are_read(client, photo):
    pytest.importorskip("scipy")
    first = ask(client, photo, a="true", af="240", ab="10", ae="3")
    assert opened(first).mode == "RGBA"
    assert ask(client, photo, a="true", ae="20").content != first.content


def test_the_colours_under_alpha_zero_may_stay(client, photo):
    extras = {"extras": json.dumps({"putalpha": True})}
    assert max(opened(ask(client, photo, params=extras)).getpixel((0, 0))[:3]) > 0


def test_layers_are_one_below_the_other(serve, photo):
    planes = np.stack([disc(), disc(radius=0.1), disc(radius=0.2)])
    load = loading(planes, layers=("upper", "lower", "full"))
    client = serve(load, serve_models="u2net_cloth_seg")
    whole = opened(ask(client, photo, model="u2net_cloth_seg", om="true"))
    assert whole.size == (96, 360)
    one = opened(ask(client, photo, {"extras": '{"cc": "lower"}'}, model="u2net_cloth_seg", om="true"))
    assert whole.crop((0, 120, 96, 240)).tobytes() == one.tobytes()
    small = serve(load, serve_models="u2net_cloth_seg", limits={"max_pixels": 20_000})
    assert "layers" in refused(ask(small, photo, model="u2net_cloth_seg"), 413)


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"bgc": "red"}, "bgc"),
        ({"bgc": "1,2,3"}, "bgc"),
        ({"bgc": "1,2,3,256"}, "bgc"),
        ({"a": "perhaps"}, "The parameter a "),
        ({"af": "300"}, "af"),
        ({"ae": "0"}, "ae"),
        ({"ae": "1e9"}, "ae"),
        ({"vm": "true"}, "itmatte"),  # its weights are not on the machine that tests
        ({"model": "nothing-like-it"}, "nothing-like-it"),
        ({"extras": "{"}, "JSON"),
        ({"extras": "[]"}, "object"),
        ({"extras": '{"model_path": "/etc/passwd"}'}, "model_path"),
        ({"extras": '{"providers": ["CUDAExecutionProvider"]}'}, "providers"),
        ({"extras": '{"cc": ["upper"]}'}, "extras"),
        ({"extras": '{"cc": "trousers"}'}, "trousers"),
        ({"extras": '{"bgcolor": [1, 2]}'}, "bgcolor"),
        ({"extras": '{"alpha_matting": true, "alpha_matting_foreground_threshold": "much"}'}, "solid"),
        ({"extras": '{"vitmatte_model": {}}'}, "extras"),
    ],
)
def test_what_does_not_fit_is_a_400_with_a_sentence(client, photo, params, says):
    assert says in refused(ask(client, photo, params=params))


def test_a_call_without_a_picture_is_told(client):
    assert "file" in refused(client.post(URL, data={"om": "true"}))
    assert "url" in refused(client.get(URL))


def test_the_limits_of_the_service_hold(serve, photo):
    client = serve(limits={"max_pixels": 10_000})
    assert "megapixels" in refused(ask(client, photo), 413)


def test_a_model_that_is_not_served_is_not_loaded(serve, photo):
    client = serve(serve_models="cleancut-small")
    assert "u2netp" in refused(ask(client, photo, model="u2netp"))


def test_what_is_no_picture_is_told(client):
    assert refused(ask(client, b"%PDF-1.7"))
