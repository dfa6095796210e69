"""remove.bg's wire format as its clients see it: every code, and what was decided where its description is open."""

import base64
import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from cleancut.apps.feedback.store import MOST_PICTURES_A_DAY
from cleancut.apps.keys.store import KeyStore
from cleancut.apps.server.removebg.account import WITHOUT_QUOTA
from cleancut.apps.server.removebg.errors import CODES
from cleancut.errors import BadUrl, FetchFailed
from tests.apps.server.conftest import encoded
from tests.stubs import disc, loading

URL = "/v1.0/removebg"
SIZE = (96, 120)


@pytest.fixture(scope="module")
def large():
    """A picture of 1.2 megapixels."""
    return encoded(np.random.default_rng(0).integers(0, 255, (1000, 1200, 3), np.uint8), quality=30)


def cut(client, photo, accept=None, **fields):
    headers = {} if accept is None else {"accept": accept}
    return client.post(URL, files={"image_file": ("photo.jpg", photo)}, data=fields, headers=headers)


def opened(answer):
    assert answer.status_code == 200, answer.text
    image = Image.open(io.BytesIO(answer.content))
    image.load()
    return image


def error_of(answer, status=400):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    (error,) = answer.json()["errors"]
    assert error["title"]
    return error


def code_of(answer, status=400):
    return error_of(answer, status).get("code")


class Web:
    """Stands for the internet: what is at an address, or the failure to get it."""

    def __init__(self, **pages):
        self.pages = {f"https://example.com/{name}": page for name, page in pages.items()}
        self.asked = []

    async def get(self, url, *, max_bytes):
        self.asked.append(url)
        page = self.pages[url]
        if isinstance(page, Exception):
            raise page
        return page

    def close(self):
        pass


@pytest.fixture
def online(serve, photo):
    """A service that fetches from an internet of a few pages."""
    client = serve()
    client.service.fetcher = Web(
        photo=photo, gone=FetchFailed("example.com answers with the status 404."), inside=BadUrl("No public address.")
    )
    return client


def test_a_plain_call_gives_a_preview(client, photo):
    answer = cut(client, photo)
    image = opened(answer)
    assert (image.format, image.mode, image.size) == ("PNG", "RGBA", SIZE)
    assert image.getpixel((0, 0))[3] == 0
    assert image.getpixel((48, 60))[3] == 255


def test_a_result_comes_with_all_headers(client, photo):
    headers = cut(client, photo).headers
    box = [int(headers[f"x-foreground-{name}"]) for name in ("left", "top", "width", "height")]
    assert (headers["x-width"], headers["x-height"]) == ("96", "120")
    assert (headers["x-max-width"], headers["x-max-height"]) == ("96", "120")
    assert headers["x-credits-charged"] == "0"
    assert headers["x-type"] == "other"
    assert "retry-after" not in headers
    assert np.abs(np.subtract(box, (19, 24, 58, 72))).max() <= 2


def test_type_level_none_tells_no_type(client, photo):
    assert "x-type" not in cut(client, photo, type_level="none").headers


@pytest.mark.parametrize("level", ["1", "2", "latest"])
def test_other_levels_tell_one(client, photo, level):
    assert cut(client, photo, type_level=level, type="person").headers["x-type"] == "other"


def test_json_holds_the_result_and_its_place(client, photo):
    answer = cut(client, photo, accept="application/json")
    data = answer.json()["data"]
    assert set(data) == {"result_b64", *(f"foreground_{name}" for name in ("top", "left", "width", "height"))}
    assert base64.b64decode(data["result_b64"]) == cut(client, photo).content
    assert str(data["foreground_width"]) == answer.headers["x-foreground-width"]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "image/png"),
        ("", "image/png"),
        ("image/png", "image/png"),
        ("application/json, text/plain, */*", "image/png"),
        ("application/json", "application/json"),
        ("application/json; charset=utf-8", "application/json"),
    ],
)
def test_json_is_for_who_accepts_nothing_else(client, photo, accept, kind):
    assert cut(client, photo, accept=accept).headers["content-type"] == kind


def test_a_zip_holds_two_files(client, photo):
    answer = cut(client, photo, format="zip")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["color.jpg", "alpha.png"]
        color, alpha = (Image.open(io.BytesIO(archive.read(name))) for name in archive.namelist())
        assert (color.format, color.mode, color.size) == ("JPEG", "RGB", SIZE)
        assert (alpha.format, alpha.mode, alpha.size) == ("PNG", "L", SIZE)
        assert alpha.tobytes() == opened(cut(client, photo)).getchannel("A").tobytes()


def test_a_zip_may_be_asked_for_in_json(client, photo):
    data = cut(client, photo, accept="application/json", format="zip").json()["data"]
    assert base64.b64decode(data["result_b64"])[:2] == b"PK"


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"format": "png"}, "PNG"),
        ({"format": "jpg"}, "JPEG"),
        ({"format": "webp"}, "WEBP"),
        ({"bg_color": "81d4fa"}, "JPEG"),
        ({"bg_color": "81d4fa80"}, "PNG"),
        ({"bg_color": "81d4fa", "format": "png"}, "PNG"),
        ({"channels": "alpha"}, "PNG"),
    ],
)
def test_the_format_is_the_one_that_fits(client, photo, fields, kind):
    assert opened(cut(client, photo, **fields)).format == kind


def test_a_colour_lies_behind(client, photo):
    image = opened(cut(client, photo, bg_color="#81d4fa", format="png"))
    assert image.getpixel((0, 0)) == (0x81, 0xD4, 0xFA, 255)


def test_a_jpeg_without_a_background_is_white(client, photo):
    assert min(opened(cut(client, photo, format="jpg")).getpixel((0, 0))) > 250


def behind(client, photo, picture, **fields):
    files = {"image_file": ("photo.jpg", photo), "bg_image_file": ("bg.png", picture)}
    return client.post(URL, files=files, data=fields)


def test_a_picture_lies_behind_and_covers(client, photo):
    tall = np.zeros((300, 96, 3), np.uint8)
    tall[90:210] = (0, 0, 255)  # what is in the middle of a picture that is only too tall
    image = opened(behind(client, photo, encoded(tall, "PNG"), format="png"))
    assert {image.getpixel(corner) for corner in ((0, 0), (95, 0), (0, 119), (95, 119))} == {(0, 0, 255, 255)}


def test_a_picture_of_the_same_size_lies_behind_as_it_is(client, photo):
    same = np.random.default_rng(1).integers(0, 255, (120, 96, 3), np.uint8)
    image = np.asarray(opened(behind(client, photo, encoded(same, "PNG"), format="png")))
    assert (image[:10, :, :3] == same[:10]).all()


def test_an_opaque_picture_behind_makes_a_jpeg(client, photo):
    assert opened(behind(client, photo, encoded(np.zeros((9, 9, 3), np.uint8), "PNG"))).format == "JPEG"


def test_a_picture_behind_may_come_from_an_address(online, photo):
    answer = cut(online, photo, bg_image_url="https://example.com/photo", format="png")
    assert opened(answer).getpixel((0, 0))[3] == 255
    assert online.service.fetcher.asked == ["https://example.com/photo"]


def test_a_picture_may_come_from_an_address(online, photo):
    for answer in (
        online.post(URL, data={"image_url": "https://example.com/photo"}),
        online.post(URL, json={"image_url": "https://example.com/photo"}),
    ):
        assert answer.content == cut(online, photo).content


def test_every_way_to_send_gives_the_same_bytes(client, photo):
    text = base64.b64encode(photo).decode()
    wanted = cut(client, photo, crop="true").content
    for answer in (
        client.post(URL, data={"image_file_b64": text, "crop": "true"}),
        client.post(URL, files={"image_file_b64": (None, text), "crop": (None, "true")}),
        client.post(URL, json={"image_file_b64": text, "crop": True}),
        client.post(URL, json={"image_file_b64": f"data:image/jpeg;base64,{text}", "crop": "true"}),
    ):
        assert answer.content == wanted


@pytest.mark.parametrize(("size", "most"), [("preview", 0.25), ("small", 0.25), ("regular", 0.25), ("auto", 25)])
def test_the_size_bounds_the_result(client, large, size, most):
    answer = cut(client, large, size=size)
    width, height = opened(answer).size
    assert width * height <= most * 1e6
    assert (most == 25) == ((width, height) == (1200, 1000))
    assert (answer.headers["x-width"], answer.headers["x-height"]) == (str(width), str(height))
    assert (answer.headers["x-max-width"], answer.headers["x-max-height"]) == ("1200", "1000")


@pytest.mark.parametrize("size", ["medium", "hd", "full", "4k", "50MP"])
def test_a_picture_that_is_small_is_not_enlarged(client, photo, size):
    assert opened(cut(client, photo, size=size)).size == SIZE


def test_a_crop_is_of_the_subject(client, photo):
    answer = cut(client, photo, crop="true", crop_margin="10px 20px")
    wide, high = (int(answer.headers[f"x-foreground-{side}"]) for side in ("width", "height"))
    assert opened(answer).size == (wide + 40, high + 20)


def test_a_region_bounds_the_subject(client, photo):
    box = opened(cut(client, photo, roi="0 0 50% 60px", format="png")).getchannel("A").getbbox()
    assert (box[2], box[3]) == (48, 60)


def test_a_region_is_one_of_the_upright_picture(client):
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = encoded(np.zeros((60, 100, 3), np.uint8), exif=exif)
    assert opened(cut(client, stored, roi="0 0 60px 100px")).size == (60, 100)
    assert code_of(cut(client, stored, roi="0 0 100px 60px")) == "roi_exceeds_bounds"


def test_a_scale_and_a_position_move_the_subject(client, photo):
    image = opened(cut(client, photo, scale="50%", position="0% 100%"))
    left, _, right, bottom = image.getchannel("A").point(lambda alpha: 255 * (alpha > 20)).getbbox()
    assert (left, bottom) == (0, 120)
    assert abs(right - 48) <= 2


def test_a_shadow_is_laid_beneath(client, photo):
    plain, shaded = (np.asarray(opened(cut(client, photo, **how))) for how in ({}, {"add_shadow": "true"}))
    assert (shaded[..., 3].astype(int) - plain[..., 3]).max() > 20


def test_shadows_of_every_kind_are_taken(client, photo):
    for kind in ("auto", "drop", "3D", "car", "none"):
        assert cut(client, photo, shadow_type=kind, shadow_opacity="40").status_code == 200


def test_semitransparency_off_makes_what_is_inside_opaque(serve, photo):
    plane = disc() * (1 - 0.6 * disc(radius=0.15))
    client = serve(loading(plane))
    kept, made = (opened(cut(client, photo, semitransparency=on)) for on in ("true", "false"))
    assert kept.getpixel((48, 60))[3] < 140
    assert made.getpixel((48, 60))[3] == 255


def test_empty_fields_are_absent_ones(client, photo):
    names = ("type_level", "roi", "crop", "crop_margin", "scale", "position", "add_shadow", "semitransparency")
    answer = cut(client, photo, **dict.fromkeys((*names, "bg_color", "bg_image_url"), ""))
    assert answer.content == cut(client, photo).content


def test_unknown_fields_are_ignored(client, photo):
    assert cut(client, photo, shadow_method="legacy", whatever="1").content == cut(client, photo).content


def test_json_may_hold_null_numbers_and_booleans(client, photo):
    text = base64.b64encode(photo).decode()
    body = {"image_file_b64": text, "type_level": 1, "crop": False, "roi": None, "bg_color": None, "size": "auto"}
    assert client.post(URL, json=body).status_code == 200


def test_the_name_and_the_type_of_a_file_do_not_matter(client, photo):
    for named in (("image_file", photo), ("a.gif", photo, "image/gif"), ("x", photo, "text/plain")):
        assert client.post(URL, files={"image_file": named}).content == cut(client, photo).content


def noise(side, format="PNG"):
    return encoded(np.random.default_rng(2).integers(0, 255, (side, side, 3), np.uint8), format)


BAD_FIELDS = {
    "invalid_bg_color": {"bg_color": "blurple"},
    "invalid_bg_image_url": {"bg_image_url": "ftp://example.com/a.png"},
    "invalid_channels": {"channels": "rgb"},
    "invalid_crop_margin": {"crop_margin": "51%"},
    "invalid_format": {"format": "gif"},
    "invalid_position": {"position": "left"},
    "invalid_roi": {"roi": "all of it"},
    "invalid_scale": {"scale": "9%"},
    "invalid_semitransparency": {"semitransparency": "some"},
    "invalid_size": {"size": "enormous"},
    "multiple_bg_sources": {"bg_color": "fff", "bg_image_url": "https://example.com/photo"},
    "multiple_sources": {"image_url": "https://example.com/photo"},
    "roi_exceeds_bounds": {"roi": "0 0 97px 120px"},
    "roi_region_empty": {"roi": "50% 0 50% 100%"},
}
DAMAGED = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + b"\0" * 30
BAD_FILES = {
    "failed_to_read_image": lambda photo: photo[: len(photo) // 2],
    "file_too_large": lambda photo: noise(70),
    "invalid_dimensions": lambda photo: DAMAGED,
    "invalid_file_type": lambda photo: b"\0\0\0\x18ftypmp42" + b"\0" * 50,
    "resolution_too_high": lambda photo: encoded(np.zeros((151, 100, 3), np.uint8)),
}
BAD_ADDRESSES = {
    "failed_bg_download": {"bg_image_url": "https://example.com/gone"},
    "failed_image_download": {"image_url": "https://example.com/gone"},
    "invalid_image_url": {"image_url": "https://example.com/inside"},
}


@pytest.fixture(scope="module")
def strict(photo):
    """A service with small limits, for what is too large."""
    from tests.apps.server.conftest import serving

    with serving(loading(disc()), limits={"max_bytes": 10_000, "max_pixels": 15_000}) as client:
        yield client


@pytest.mark.parametrize("code", BAD_FIELDS)
def test_a_bad_field_has_its_code(client, photo, code):
    assert code_of(cut(client, photo, **BAD_FIELDS[code])) == code


@pytest.mark.parametrize("code", BAD_FILES)
def test_a_bad_file_has_its_code(strict, photo, code):
    assert code_of(cut(strict, BAD_FILES[code](photo))) == code


@pytest.mark.parametrize("code", BAD_FILES)
def test_a_bad_picture_behind_has_its_code(strict, photo, code):
    assert code_of(behind(strict, photo, BAD_FILES[code](photo))) == code


@pytest.mark.parametrize("code", BAD_ADDRESSES)
def test_a_bad_address_has_its_code(online, photo, code):
    fields = BAD_ADDRESSES[code]
    answer = online.post(URL, data=fields) if "image_url" in fields else cut(online, photo, **fields)
    assert code_of(answer) == code
    if code.startswith("failed"):
        assert error_of(answer)["title"].endswith("example.com answers with the status 404.")


def test_a_call_without_a_picture_has_its_code(client):
    assert code_of(client.post(URL, data={"size": "auto"})) == "missing_source"
    assert code_of(client.post(URL)) == "missing_source"


def test_a_picture_without_a_subject_has_its_code(serve, photo):
    assert code_of(cut(serve(loading(np.zeros((64, 64)))), photo)) == "unknown_foreground"


def test_every_code_is_provoked_here():
    assert {*BAD_FIELDS, *BAD_FILES, *BAD_ADDRESSES, "missing_source", "unknown_foreground"} == {*CODES}


def test_the_limit_is_told(strict, photo):
    assert error_of(cut(strict, BAD_FILES["file_too_large"](photo)))["detail"] == "File exceeds limit of 0.01MB"
    detail = error_of(cut(strict, BAD_FILES["resolution_too_high"](photo)))["detail"]
    assert "0.0151 megapixels" in detail and "0.015" in detail


def test_a_body_that_is_too_large_has_the_code_of_a_file(serve, photo):
    answer = cut(serve(limits={"max_body": 4_000}), photo + b"\0" * 5_000)
    assert code_of(answer) == "file_too_large"


def test_addresses_are_off_unless_they_are_switched_on(client):
    assert code_of(client.post(URL, data={"image_url": "https://example.com/photo"})) == "failed_image_download"


def test_a_missing_and_a_wrong_parameter_are_both_400(client, photo):
    assert cut(client, photo, size="nonsense").status_code == client.post(URL, data={}).status_code == 400


def test_a_field_that_is_given_twice_is_refused(client, photo):
    answer = client.post(f"{URL}?size=full", files={"image_file": photo}, data={"size": "hd"})
    assert code_of(answer) == "invalid_request"


def test_other_addresses_below_are_told_in_the_same_words(client):
    assert error_of(client.get("/v1.0/designs"), 404)["title"]
    assert error_of(client.get(URL), 405)["title"]


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data", "application/json"])
def test_a_body_that_cannot_be_read_is_told_in_the_same_words(client, kind):
    answer = client.post(URL, content=b"{", headers={"content-type": kind})
    assert 400 <= answer.status_code < 500
    assert answer.json()["errors"][0]["code"] == "invalid_request"


def test_a_full_waiting_room_is_a_rate_that_is_exceeded(serve, photo, monkeypatch):
    from cleancut.errors import QueueFull

    client = serve()

    async def full(*args, **more):
        raise QueueFull("The waiting room is full.", retry_after=7)

    monkeypatch.setattr(client.service.gate, "run", full)
    answer = cut(client, photo)
    assert error_of(answer, 429)["title"] == "Rate limit exceeded"
    assert answer.headers["retry-after"] == "7"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [({"size": "auto"}, "0.25"), ({"size": "full"}, "1"), ({}, "0.25"), ({"size": "hd"}, "1")],
)
def test_credits_may_be_emulated(serve, photo, fields, expected):
    assert cut(serve(emulate_credits=True), photo, **fields).headers["x-credits-charged"] == expected


def test_a_large_result_costs_a_credit(serve, large):
    assert cut(serve(emulate_credits=True), large, size="auto").headers["x-credits-charged"] == "1"


def test_the_account_has_exactly_the_keys_that_are_documented(client):
    answer = client.get("/v1.0/account").json()
    credits = {"total": WITHOUT_QUOTA, "subscription": WITHOUT_QUOTA, "payg": 0, "enterprise": 0}
    assert answer == {"data": {"attributes": {"credits": credits, "api": {"free_calls": 0, "sizes": "all"}}}}


@pytest.fixture
def keyed(serve, tmp_path):
    """A service that demands keys, and a function that makes them."""
    path = tmp_path / "keys.sqlite"
    client = serve(require_keys=True, keys_file=str(path))

    def key(**how):
        store = KeyStore(path)
        try:
            return {"x-api-key": store.create("a client", **how)[1]}
        finally:
            store.close()

    return client, key


def post(client, photo, headers):
    return client.post(URL, files={"image_file": photo}, headers=headers)


def test_a_key_is_demanded_in_remove_bgs_words(keyed, photo):
    client, _ = keyed
    assert error_of(post(client, photo, {}), 403)["title"] == "Missing API Key"
    assert error_of(post(client, photo, {"x-api-key": "nonsense"}), 403) == {
        "title": "API Key invalid",
        "code": "auth_failed",
    }
    assert code_of(client.get("/v1.0/account", headers={"x-api-key": "nonsense"}), 403) == "auth_failed"


def test_a_key_may_be_a_bearer_token(keyed, photo):
    client, key = keyed
    token = key()["x-api-key"]
    assert post(client, photo, {"authorization": f"Bearer {token}"}).status_code == 200


def test_a_quota_is_a_balance_of_credits(keyed, photo):
    client, key = keyed
    headers = key(quota=2)

    def total():
        return client.get("/v1.0/account", headers=headers).json()["data"]["attributes"]["credits"]["total"]

    assert total() == 2
    assert [post(client, photo, headers).status_code for _ in range(2)] == [200, 200]
    assert total() == 0
    assert error_of(post(client, photo, headers), 402)["title"] == "Insufficient credits"


def test_a_failure_is_never_charged(keyed, photo):
    client, key = keyed
    headers = key(quota=1)
    for _ in range(2):
        assert (
            code_of(client.post(URL, files={"image_file": photo[: len(photo) // 2]}, headers=headers))
            == "failed_to_read_image"
        )
    assert post(client, photo, headers).status_code == 200


def test_a_rate_is_told_and_kept(keyed, photo):
    client, key = keyed
    headers = key(rate=2)
    left = [post(client, photo, headers).headers for _ in range(2)]
    assert [(h["x-ratelimit-limit"], h["x-ratelimit-remaining"]) for h in left] == [("2", "1"), ("2", "0")]
    assert int(left[0]["x-ratelimit-reset"]) > 1_700_000_000
    answer = post(client, photo, headers)
    assert error_of(answer, 429)["title"] == "Rate limit exceeded"
    assert 0 < int(answer.headers["retry-after"]) <= 60


def test_without_a_rate_none_is_told(client, photo):
    assert not any(name.startswith("x-ratelimit") for name in cut(client, photo).headers)


def improve(client, photo, **fields):
    return client.post("/v1.0/improve", files={"image_file": ("../../etc/passwd", photo)}, data=fields)


def test_nothing_is_kept_unless_it_is_asked_for(client, photo):
    assert code_of(improve(client, photo)) == "feedback_off"


def test_what_was_cut_badly_is_kept_in_private(serve, photo, tmp_path):
    folder = tmp_path / "feedback"
    client = serve(feedback_dir=str(folder))
    answer = improve(client, photo, image_filename="../../x.jpg", tag="hair")
    assert answer.status_code == 200
    name = answer.json()["id"]
    assert {path.name for path in folder.iterdir()} == {f"{name}.jpeg", f"{name}.json"}
    assert (folder / f"{name}.jpeg").read_bytes() == photo
    assert json.loads((folder / f"{name}.json").read_text()) == {"image_filename": "../../x.jpg", "tag": "hair"}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_what_is_no_picture_is_not_kept(serve, tmp_path):
    client = serve(feedback_dir=str(tmp_path))
    assert code_of(improve(client, b"#!/bin/sh")) == "invalid_file_type"
    assert code_of(client.post("/v1.0/improve", data={"tag": "x"})) == "missing_source"
    assert not any(tmp_path.iterdir())


def test_a_day_has_an_end(serve, photo, tmp_path, monkeypatch):
    monkeypatch.setattr("cleancut.apps.feedback.store.MOST_PICTURES_A_DAY", 2)
    client = serve(feedback_dir=str(tmp_path))
    assert MOST_PICTURES_A_DAY == 100
    assert [improve(client, photo).status_code for _ in range(3)] == [200, 200, 429]


def test_a_folder_that_cannot_be_written_is_told_without_its_name(serve, photo, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    answer = improve(serve(feedback_dir=str(tmp_path / "file" / "folder")), photo)
    assert str(tmp_path) not in answer.text
    assert error_of(answer, 507)["title"]
