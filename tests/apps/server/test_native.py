"""The native API as a caller sees it: every way to send, every form of the answer."""

import base64
import io
import json
import threading
import zipfile
from email.parser import BytesParser

import numpy as np
import pytest
from PIL import Image

from cleancut.apps.server.native.answers import Accept, disposition, etag, matches
from tests.apps.server.conftest import SECONDS, discs, encoded, until
from tests.stubs import loading

CUT = "/v1/cut"
JPEG = {"content-type": "image/jpeg"}
AS_JSON = {"accept": "application/json"}
PLAIN = {"refine": "none", "foreground": "source"}


def opened(answer):
    assert answer.status_code == 200, answer.text
    image = Image.open(io.BytesIO(answer.content))
    image.load()
    return image


def in_base64(data):
    return base64.b64encode(data).decode()


def test_the_body_is_the_picture(client, photo):
    answer = client.post(CUT, content=photo, headers=JPEG)
    image = opened(answer)
    assert (answer.headers["content-type"], image.mode, image.size) == ("image/png", "RGBA", (96, 120))
    assert image.getpixel((0, 0)) == (0, 0, 0, 0) and image.getpixel((48, 60))[3] == 255


@pytest.mark.parametrize("kind", ["application/octet-stream", "image/x-unheard-of", None])
def test_what_the_body_is_said_to_be_does_not_matter(client, photo, kind):
    headers = {} if kind is None else {"content-type": kind}
    assert opened(client.post(CUT, content=photo, headers=headers)).size == (96, 120)


def test_every_way_to_send_gives_the_same_bytes(client, photo):
    recipe = {"effects": [{"name": "color", "color": "white"}], "refine": "none"}
    fields = {"effects": "color:white", "refine": "none"}
    answers = [
        client.post(CUT, content=photo, headers=JPEG, params=fields),
        client.post(CUT, content=photo, headers=JPEG, params={"recipe": json.dumps(recipe)}),
        client.post(CUT, files={"image": photo}, data=fields),
        client.post(CUT, files={"image": photo}, data={"recipe": json.dumps(recipe)}),
        client.post(CUT, data={"image": in_base64(photo), **fields}),
        client.post(CUT, json={"image": in_base64(photo), **recipe}),
        client.post(CUT, json={"image": in_base64(photo), "recipe": recipe}),
        client.post(CUT, json={"image": f"data:image/jpeg;base64,{in_base64(photo)}", **fields}),
        client.post(CUT, json={"image": [in_base64(photo)]}, params=fields),
    ]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["etag"] for answer in answers}) == 1
    assert opened(answers[0]).getpixel((0, 0)) == (255, 255, 255, 255)


def test_json_tells_of_the_result(client, photo):
    answer = client.post(CUT, files={"image": ("cat.jpg", photo)}, headers=AS_JSON)
    told = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert (told["name"], told["size"], told["media_type"]) == ("cat.jpg", [96, 120], "image/png")
    left, top, right, bottom = told["box"]
    assert 0 <= left < right <= 96 and 0 <= top < bottom <= 120
    assert 0 < told["confidence"] <= 1
    assert {"read", "network", "write"} <= set(told["ms"])
    assert Image.open(io.BytesIO(base64.b64decode(told["image"]))).size == (96, 120)


def test_a_picture_of_nothing_says_so(serve, photo):
    told = serve(loading(np.zeros((64, 64)))).post(CUT, content=photo, headers=JPEG | AS_JSON).json()
    assert told["box"] is None and "No subject was found." in told["notes"]


@pytest.mark.parametrize(
    ("accept", "params", "media"),
    [
        ("", {}, "image/png"),
        ("*/*", {}, "image/png"),
        ("image/*", {}, "image/png"),
        ("text/html, image/webp;q=0.9, */*;q=0.1", {}, "image/webp"),
        ("image/avif, image/webp;q=0.5", {}, "image/avif"),
        ("image/webp", {"format": "jpeg"}, "image/jpeg"),
        ("application/json;q=0.1, image/png", {}, "image/png"),
        ("application/json, text/plain, */*", {}, "image/png"),
        ("application/json, */*;q=0.5", {}, "application/json"),
        ("text/html", {}, "image/png"),
        ("nonsense;q=x, ;;, image/webp", {}, "image/webp"),
    ],
)
def test_the_answer_is_in_a_form_that_is_accepted(client, photo, accept, params, media):
    answer = client.post(CUT, content=photo, headers=JPEG | {"accept": accept}, params=params)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == media
    assert answer.headers["vary"] == "Accept"


def test_a_result_says_how_it_came_about(client, photo):
    headers = client.post(CUT, files={"image": ("cat.jpg", photo)}).headers
    assert headers["x-cleancut-model"] == "cleancut-small"
    assert len(headers["x-cleancut-box"].split(",")) == 4
    assert 0 < float(headers["x-cleancut-confidence"]) <= 1
    assert "network;dur=" in headers["server-timing"]
    assert 'filename="cat_no_bg.png"' in headers["content-disposition"]


def test_several_pictures_come_as_a_zip(client, photo):
    files = [("image", ("a.jpg", photo)), ("image", ("../../a.jpg", photo)), ("image", ("bad.jpg", b"no picture"))]
    answer = client.post(CUT, files=files, headers={"accept": "*/*"})
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["1_a_no_bg.png", "2_a_no_bg.png", "report.json"]
        assert Image.open(io.BytesIO(archive.read("2_a_no_bg.png"))).size == (96, 120)
        report = json.loads(archive.read("report.json"))
    assert [entry["file"] for entry in report] == ["1_a_no_bg.png", "2_a_no_bg.png", None]
    assert report[2]["error"]["code"] == "not_a_picture" and report[2]["name"] == "bad.jpg"


def test_several_pictures_come_as_parts(client, photo):
    files = [("image", ("a.jpg", photo)), ("image", ("bad.jpg", b"no picture"))]
    answer = client.post(CUT, files=files, headers={"accept": "multipart/mixed"})
    head = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode()
    good, bad = BytesParser().parsebytes(head + answer.content).get_payload()
    assert (good.get_content_type(), good.get_filename()) == ("image/png", "a_no_bg.png")
    assert Image.open(io.BytesIO(good.get_payload(decode=True))).size == (96, 120)
    assert bad.get_content_type() == "application/problem+json"


def test_several_pictures_come_as_json(client, photo):
    answer = client.post(CUT, json={"image": [in_base64(photo), in_base64(b"no picture")]}, headers=AS_JSON)
    good, bad = answer.json()["results"]
    assert good["size"] == [96, 120] and bad["error"]["status"] == 400


def test_several_pictures_of_which_none_is_one_fail(client):
    answer = client.post(CUT, files=[("image", b"no picture")] * 2)
    assert (answer.status_code, answer.json()["code"]) == (400, "not_a_picture")


def test_a_picture_that_the_recipe_names_comes_along(client, photo):
    sky = encoded(np.full((8, 8, 3), (0, 0, 200), np.uint8), "PNG")
    answers = [
        client.post(CUT, files={"image": photo, "sky": sky}, data={"effects": "behind:picture=sky"}),
        client.post(CUT, json={"image": in_base64(photo), "assets": {"sky": in_base64(sky)},
                               "effects": [{"name": "behind", "picture": "sky"}]}),
    ]  # fmt: skip
    for answer in answers:
        assert opened(answer).getpixel((0, 0)) == (0, 0, 200, 255)
    assert len({answer.headers["etag"] for answer in answers}) == 1
    other = encoded(np.full((8, 8, 3), (0, 200, 0), np.uint8), "PNG")
    again = client.post(CUT, files={"image": photo, "sky": other}, data={"effects": "behind:picture=sky"})
    assert opened(again).getpixel((0, 0)) == (0, 200, 0, 255)


def test_a_result_that_the_caller_has_is_not_made_again(serve, photo):
    looked = []
    client = serve(discs(looked), cache="off")
    first = client.post(CUT, content=photo, headers=JPEG)
    asked = len(looked)
    known = JPEG | {"if-none-match": f'"other", {first.headers["etag"]}'}
    again = client.post(CUT, content=photo, headers=known)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert len(looked) == asked
    assert client.post(CUT, content=photo, headers=known, params={"show": "alpha"}).status_code == 200


def test_json_and_picture_are_told_apart_by_their_etags(client, photo):
    picture = client.post(CUT, content=photo, headers=JPEG)
    told = client.post(CUT, content=photo, headers=JPEG | AS_JSON)
    assert picture.headers["etag"] != told.headers["etag"] and told.headers["etag"].startswith('W/"')
    both = JPEG | AS_JSON | {"if-none-match": picture.headers["etag"]}
    assert client.post(CUT, content=photo, headers=both).status_code == 200
    assert "private" in picture.headers["cache-control"]


def test_the_same_picture_is_cut_once(serve, photo):
    looked = []
    client = serve(discs(looked))
    first = client.post(CUT, files={"image": ("a.jpg", photo)}, headers=AS_JSON).json()
    asked = len(looked)
    second = client.post(CUT, files={"image": ("b.jpg", photo)}, headers=AS_JSON).json()
    assert len(looked) == asked
    assert (first["cached"], second["cached"], second["name"]) == (False, True, "b.jpg")
    assert second["image"] == first["image"]


def test_the_same_picture_at_the_same_time_is_cut_once(serve, photo):
    looked, go = [], threading.Event()
    client = serve(cache="off")
    until(lambda: client.service.ready)
    client.service.load = discs(looked, before=lambda: go.wait(SECONDS))
    answers = []
    asking = [
        threading.Thread(target=lambda: answers.append(client.post(CUT, content=photo, headers=JPEG, params=PLAIN)))
        for _ in range(3)
    ]
    for thread in asking:
        thread.start()
    until(lambda: sum(client.service._flights._waiting.values()) == 3)
    go.set()
    for thread in asking:
        thread.join(SECONDS)
    assert len(looked) == 1
    assert sorted(answer.headers["x-cleancut-cached"] for answer in answers) == ["false", "true", "true"]
    assert len({answer.content for answer in answers}) == 1


def test_a_picture_is_fetched_where_that_is_allowed(serve, photo):
    client = serve(allow_urls=True)

    class Web:
        async def get(self, url, *, max_bytes):
            assert max_bytes == client.service.limits.max_bytes
            return {"https://a.example/cat.jpg": photo, "https://a.example/page": b"<html>"}[url]

        def close(self):
            pass

    client.service.fetcher = Web()
    told = client.post(CUT, json={"url": "https://a.example/cat.jpg"}, headers=AS_JSON).json()
    assert told["size"] == [96, 120]
    several = {"url": ["https://a.example/cat.jpg", "https://a.example/page"]}
    good, bad = client.post(CUT, json=several, headers=AS_JSON).json()["results"]
    assert good["size"] == [96, 120] and bad["error"]["code"] == "not_a_picture"


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({}, 400, "There is no picture"),
        ({"image": []}, 400, "There is no picture"),
        ({"image": "***"}, 400, "not base64"),
        ({"image": [1]}, 400, "text or a list of texts"),
        ({"image": "aGk=", "url": "https://a.example"}, 400, "two ways"),
        ({"image": "aGk=", "effects": "blurr"}, 422, "did you mean blur"),
        ({"image": "aGk=", "quality": 101}, 422, "quality must be"),
        ({"image": "aGk=", "recipe": [1]}, 422, "A recipe is an object"),
        ({"image": "aGk=", "recipe": {"quality": 5}, "quality": 6}, 400, "states quality twice"),
        ({"image": "aGk=", "colour": "white"}, 422, "A recipe has no 'colour'"),
        ({"image": "aGk=", "assets": {"sky": "aGk="}}, 400, "No effect uses the picture 'sky'"),
        ({"image": "aGk=", "assets": {"sky": 1}}, 400, "base64 texts by name"),
        ({"image": "aGk=", "effects": [{"name": "behind", "picture": "sky"}]}, 422, "was not handed over"),
        ({"image": "aGk=", "model": "u2netp"}, 422, "no model 'u2netp'"),
        ({"image": "aGk=", "model": "nothing"}, 422, "There is no model 'nothing'"),
        ({"url": "http://127.0.0.1/a.png"}, 403, "fetches no addresses"),
        ([1], 400, "is an object"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(client, body, status, said):
    answer = client.post(CUT, json=body)
    told = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert said in told["detail"] and told["status"] == status and told["code"] and told["title"]
    assert answer.headers["cache-control"] == "no-store"


def test_a_field_given_twice_is_refused(client, photo):
    answer = client.post(CUT, files={"image": photo}, data={"quality": ["5", "6"]})
    assert (answer.status_code, answer.json()["detail"]) == (400, "The field quality was given 2 times; give it once.")
    answer = client.post(CUT, json={"image": "aGk=", "quality": 5}, params={"quality": "6"})
    assert answer.status_code == 400


def test_models_that_are_served_are_listed(serve, photo):
    client = serve(serve_models="u2netp", model="u2netp")
    assert [model["name"] for model in client.get("/v1/models").json()["models"]] == ["u2netp"]
    refused = client.post(CUT, content=photo, headers=JPEG, params={"model": "cleancut-small"})
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_model")
    assert client.post(CUT, content=photo, headers=JPEG).headers["x-cleancut-model"] == "u2netp"


@pytest.mark.parametrize("path", ["/v1/models", "/v1/effects", "/v1/recipe.schema.json"])
def test_what_there_is_to_choose_from_can_be_kept(client, path):
    first = client.get(path)
    assert first.status_code == 200 and first.json()
    again = client.get(path, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_lists_are_complete(client):
    models = {model["name"]: model for model in client.get("/v1/models").json()["models"]}
    assert models["cleancut-small"]["default"] is True
    assert client.get("/v1/recipe.schema.json").json()["properties"]["effects"]
    assert {"effects", "refine"} == set(client.get("/v1/effects").json())


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("cat.jpg", "cat_no_bg.png"),
        ("", "picture_no_bg.png"),
        ("../../etc/passwd", "passwd_no_bg.png"),
        ("C:\\dir\\cat.jpg", "cat_no_bg.png"),
        ('a"; x="b.jpg', "a_xb_no_bg.png"),
        ("a\r\nSet-Cookie: b=1.jpg", "aSet-Cookie_b1_no_bg.png"),
        ("…\x00.jpg", "picture_no_bg.png"),
        ("漢字.jpg", "___no_bg.png"),
        ("x" * 500, "x" * 80 + "_no_bg.png"),
    ],
)
def test_a_name_does_no_harm_in_a_header(name, plain):
    header = disposition(name, "image/png")
    assert header.split(";")[1].strip() == f'filename="{plain}"'
    assert header.isascii() and header.isprintable()


def test_etags_are_compared_weakly():
    assert matches('"a", W/"b"', '"b"') and matches('"a"', 'W/"a"')
    assert not matches("", etag("a", "image/png")) and not matches('"a.json"', etag("a", "image/png"))


def test_the_embedded_model_finds_the_subject(real, photo):
    told = real.post(CUT, content=photo, headers=JPEG | AS_JSON).json()
    assert told["confidence"] > 0.5 and told["provider"] == "cpu"


def test_nothing_accepted_is_the_first_offer():
    assert Accept("image/png;q=0, text/plain").best(["image/png", "image/webp"]) == "image/png"
