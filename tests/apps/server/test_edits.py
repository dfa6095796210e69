"""Edits as a page uses them: a model is asked once, strokes are cheap, and the result is /v1/cut's, byte for byte."""

import io
import json
import threading
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from cleancut.apps.keys.store import KeyStore
from cleancut.apps.scene import scene
from cleancut.apps.server.edits.shelf import Edit, Shelf
from cleancut.errors import NoSuchEdit, TooBig
from cleancut.limits import ServiceLimits
from tests.apps.server.conftest import SECONDS, discs, encoded, until
from tests.stubs import disc, loading

EDITS = "/v1/edits"
STROKE = {"points": [[0.1, 0.1], [0.3, 0.15]], "radius": 0.05, "keep": True}
RECIPE = {
    "strokes": [STROKE, {"points": [[0.5, 0.5]], "radius": 0.04, "keep": False}],
    "refine": [{"name": "auto"}, {"name": "feather", "radius": 1.5}],
    "effects": [{"name": "shadow"}, {"name": "color", "color": "#fedcba"}, {"name": "trim", "margin": "5%"}],
}


@pytest.fixture(scope="module")
def large():
    """A photo of 1536 × 1200 pixels: larger than a preview."""
    return encoded(scene(1536, 1200).photo.rgb, quality=90)


def begun(client, picture, **fields):
    answer = client.post(EDITS, files={"image": ("cat.jpg", picture)}, data=fields)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"{EDITS}/{answer.json()['id']}"
    return answer.json()


def asked(client, edit, what, recipe=RECIPE, **how):
    return client.post(f"{EDITS}/{edit['id']}/{what}", json=recipe, **how)


def pixels(answer):
    assert answer.status_code == 200, answer.text
    return np.asarray(Image.open(io.BytesIO(answer.content)))


def cut(client, picture, recipe=RECIPE, **how):
    return client.post("/v1/cut", files={"image": ("cat.jpg", picture)}, data={"recipe": json.dumps(recipe)}, **how)


def test_an_edit_tells_of_its_picture(client, large):
    told = begun(client, large, refine="none")
    assert (told["size"], told["preview"]) == ([1536, 1200], [1024, 800])
    left, top, right, bottom = told["box"]
    assert 0 < left < right < 1536 and 0 < top < bottom < 1200
    assert 0 < told["confidence"] <= 1 and told["expires_in"] == 900 and told["notes"] == []


def test_a_picture_of_nothing_is_told_and_can_still_be_painted(serve, large):
    client = serve(loading(np.zeros((64, 64))))
    edit = begun(client, large)
    assert edit["box"] is None and edit["notes"] == ["No subject was found."]
    assert not pixels(asked(client, edit, "preview", {}))[..., 3].any()
    assert pixels(asked(client, edit, "preview", {"strokes": [STROKE]}))[100, 200, 3] == 255


@pytest.mark.parametrize("way", ["body", "base64", "form"])
def test_the_picture_comes_in_every_way_that_cut_takes(client, photo, way):
    import base64

    sent = {
        "body": {"content": photo, "headers": {"content-type": "image/jpeg"}},
        "base64": {"json": {"image": base64.b64encode(photo).decode(), "recipe": RECIPE}},
        "form": {"files": {"image": photo}, "data": {"effects": "color:white"}},
    }[way]
    answer = client.post(EDITS, **sent)
    assert answer.status_code == 201 and answer.json()["size"] == [96, 120]


@pytest.mark.parametrize("accept", ["*/*", "image/webp", "application/json"])
def test_the_result_is_exactly_what_cut_gives_and_nothing_is_asked_again(serve, photo, accept):
    questions = []
    client = serve(discs(questions), cache="off")
    until(lambda: client.service.ready)
    wanted = cut(client, photo, headers={"accept": accept})
    edit = begun(client, photo)
    before = len(questions)
    result = asked(client, edit, "result", headers={"accept": accept})
    assert result.status_code == 200 and len(questions) == before
    assert result.headers["etag"] == wanted.headers["etag"]
    if accept == "application/json":
        assert result.json()["image"] == wanted.json()["image"] and result.json()["box"] == wanted.json()["box"]
        return
    assert result.content == wanted.content
    for name in ("content-type", "content-disposition", "x-cleancut-box", "x-cleancut-confidence"):
        assert result.headers[name] == wanted.headers[name]


@pytest.mark.parametrize(
    "recipe",
    [
        {},
        {"model": "key:color=white", "strokes": [STROKE]},
        {"tta": "flip"},
        {"max_side": 640, "strokes": [STROKE], "effects": [{"name": "outline", "width": 9}]},
        {"no_subject": "keep", "opaque": True, "foreground": "source", "format": "jpeg"},
        {"show": "trimap", "refine": []},
    ],
    ids=lambda recipe: "+".join(recipe) or "plain",
)
def test_results_are_those_of_cut_at_any_size(serve, large, recipe):
    client = serve(discs(), cache="off")
    edit = begun(client, large)
    for strokes in ([], recipe.get("strokes", [])):
        stated = recipe | {"strokes": strokes}
        assert asked(client, edit, "result", stated).content == cut(client, large, stated).content


def test_a_model_is_asked_once_whatever_is_drawn(serve, large):
    questions = []
    client = serve(discs(questions))
    until(lambda: client.service.ready)
    del questions[:]
    edit = begun(client, large)
    for count in range(3):
        asked(client, edit, "preview", RECIPE | {"strokes": RECIPE["strokes"][:count]})
        asked(client, edit, "preview", RECIPE | {"strokes": RECIPE["strokes"][:count]}, params={"show": "alpha"})
    asked(client, edit, "result")
    assert len(questions) == 1
    asked(client, edit, "preview", RECIPE | {"tta": "flip"})
    assert len(questions) == 3  # the picture, and the picture mirrored
    asked(client, edit, "result", RECIPE | {"tta": "flip"})
    asked(client, edit, "preview", {})
    assert len(questions) == 3


def test_previews_at_once_ask_a_new_model_once(serve, large):
    questions, start = [], threading.Barrier(4)
    client = serve(discs(questions))
    until(lambda: client.service.ready)
    edit = begun(client, large)
    del questions[:]

    def preview():
        start.wait(SECONDS)
        asked(client, edit, "preview", {"max_side": 700})

    threads = [threading.Thread(target=preview) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert len(questions) == 1


def test_another_model_is_asked_where_the_recipe_names_it(serve, photo):
    asked_of = []

    def load(name):
        asked_of.append(name)
        radius = 0.4 if name == "u2netp" else 0.2
        return replace(loading(disc(radius=radius))(name))

    client = serve(load, cache="off")
    client.service.serves = lambda name: True
    until(lambda: client.service.ready)
    edit = begun(client, photo)
    small = pixels(asked(client, edit, "preview", {"refine": []}))[..., 3]
    other = pixels(asked(client, edit, "preview", {"refine": [], "model": "u2netp"}))[..., 3]
    assert "u2netp" in asked_of and other.sum(dtype=int) > small.sum(dtype=int) * 2
    wanted = cut(client, photo, {"model": "u2netp"}).content
    assert asked(client, edit, "result", {"model": "u2netp"}).content == wanted


def test_a_small_picture_s_preview_is_its_result(client, photo):
    edit = begun(client, photo)
    recipe = RECIPE | {"effects": [{"name": "blur", "radius": 3}, {"name": "outline", "width": 2}]}
    assert np.array_equal(pixels(asked(client, edit, "preview", recipe)), pixels(asked(client, edit, "result", recipe)))


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"refine": ["auto", "feather:radius=12"]},
        {"refine": ["auto", "grow:radius=30"]},
        {"effects": ["color:red", "outline:width=40"]},
        {"effects": ["color:white", "shadow:distance=90px,blur=60px"]},
        {"effects": ["trim:margin=150px"]},
        {"effects": ["fit:width=900,height=900"]},
        {"effects": ["blur:radius=60"]},
        {"format": "jpeg"},
    ],
    ids=lambda more: ",".join(map(str, more.get("refine", more.get("effects", more)))) or "plain",
)
def test_what_is_seen_is_what_will_be_written(client, large, more):
    edit = begun(client, large)
    recipe = {"strokes": RECIPE["strokes"], **more}
    preview, result = (asked(client, edit, what, recipe) for what in ("preview", "result"))
    seen, written = pixels(preview), Image.open(io.BytesIO(result.content)).convert("RGBA")
    scale = 1024 / 1536
    assert abs(seen.shape[1] - written.width * scale) <= 2 and abs(seen.shape[0] - written.height * scale) <= 2
    small = np.asarray(written.resize(seen.shape[1::-1], Image.Resampling.BOX)).astype(float)
    shown = [plane[..., :3] * (plane[..., 3:] / 255) for plane in (seen.astype(float), small)]
    off = np.abs(shown[0] - shown[1]).mean(), np.abs(seen[..., 3] - small[..., 3]).mean()
    assert max(off) < 2.5, off


def test_alpha_alone_is_grey_and_lies_on_the_picture(client, large):
    edit = begun(client, large)
    answer = asked(client, edit, "preview", params={"show": "alpha"}, headers={"accept": "image/webp"})
    assert answer.headers["content-type"] == "image/png"
    alpha = Image.open(io.BytesIO(answer.content))
    assert (alpha.mode, alpha.size) == ("L", (1024, 800))
    whole = pixels(asked(client, edit, "preview", RECIPE | {"effects": []}))
    assert np.array_equal(np.asarray(alpha), whole[..., 3])
    assert alpha.getpixel((204, 96)) == 255 and alpha.getpixel((512, 400)) == 0  # as the strokes say


def test_previews_come_in_a_form_that_is_accepted(client, photo):
    edit = begun(client, photo)
    webp = asked(client, edit, "preview", headers={"accept": "image/webp, image/png;q=0.9"})
    png = asked(client, edit, "preview", headers={"accept": "*/*"})
    assert (webp.headers["content-type"], png.headers["content-type"]) == ("image/webp", "image/png")
    opened = [Image.open(io.BytesIO(answer.content)).convert("RGBA") for answer in (webp, png)]
    assert np.array_equal(*map(np.asarray, opened))  # a WebP that is opaque has no alpha of its own
    assert webp.headers["vary"] == "Accept" and webp.headers["cache-control"] == "no-store"
    assert "marks;dur=" in png.headers["server-timing"]


def test_pictures_that_a_recipe_names_come_once(client, photo):
    edit = begun(client, photo)
    recipe = {"effects": [{"name": "behind", "picture": "beach"}]}
    missing = asked(client, edit, "preview", recipe)
    assert (missing.status_code, missing.json()["code"]) == (422, "bad_recipe")
    beach = encoded(np.full((30, 40, 3), (10, 200, 250), np.uint8), "PNG")
    sent = {"files": {"beach": beach}, "data": {"recipe": json.dumps(recipe)}}
    first = pixels(client.post(f"{EDITS}/{edit['id']}/preview", **sent))
    assert first[0, 0].tolist() == [10, 200, 250, 255]
    assert np.array_equal(pixels(asked(client, edit, "preview", recipe)), first)
    wanted = client.post("/v1/cut", files={"image": photo, "beach": beach}, data={"recipe": json.dumps(recipe)})
    assert asked(client, edit, "result", recipe).content == wanted.content
    other = encoded(np.full((30, 40, 3), 7, np.uint8), "PNG")
    sent["files"] = {"beach": other}
    assert pixels(client.post(f"{EDITS}/{edit['id']}/preview", **sent))[0, 0].tolist() == [7, 7, 7, 255]
    unused = client.post(f"{EDITS}/{edit['id']}/preview", files={"beach": beach}, data={"recipe": "{}"})
    assert unused.status_code == 400
    none = client.post(f"{EDITS}/{edit['id']}/preview", files={"beach": b"no"}, data={"recipe": json.dumps(recipe)})
    assert none.json()["code"] == "not_a_picture"


def test_a_result_that_the_caller_has_is_not_sent_again(client, photo):
    edit = begun(client, photo)
    tag = asked(client, edit, "result").headers["etag"]
    again = asked(client, edit, "result", headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")


def test_as_many_strokes_as_there_may_be_are_taken(client, photo):
    edit = begun(client, photo)
    points = [[round(0.2 + 0.6 * n / 4000, 5), 0.50123] for n in range(400)]
    recipe = {"strokes": [{"points": points, "radius": 0.01, "keep": n % 2 == 0} for n in range(10)]}
    assert asked(client, edit, "preview", recipe).status_code == 200


# What is refused


@pytest.mark.parametrize("what", ["preview", "result"])
def test_an_edit_that_is_unknown_or_dropped_is_gone(client, photo, what):
    assert client.post(f"{EDITS}/nothing/{what}", json={}).status_code == 410
    edit = begun(client, photo)
    assert client.delete(f"{EDITS}/{edit['id']}").status_code == 204
    gone = asked(client, edit, what)
    assert (gone.status_code, gone.json()["code"]) == (410, "no_such_edit")
    assert "send the picture again" in gone.json()["detail"]
    assert client.delete(f"{EDITS}/{edit['id']}").status_code == 410


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"files": {"image": b"no picture"}}, 400),
        ({"files": [("image", b"a"), ("image", b"b")]}, 400),
        ({"data": {"refine": "none"}}, 400),
        ({"content": b"", "headers": {"content-type": "image/jpeg"}}, 400),
    ],
)
def test_what_is_no_picture_begins_nothing(client, sent, status):
    kept = len(client.app.state.edits)
    assert client.post(EDITS, **sent).status_code == status
    assert len(client.app.state.edits) == kept


@pytest.mark.parametrize(
    ("recipe", "how", "status"),
    [
        ({"model": "nothing"}, {}, 422),
        ({"refine": ["nothing"]}, {}, 422),
        ({"strokes": [{"points": [[2, 2]], "radius": 0.1}]}, {}, 422),
        ({"effects": ["fit:width=10000,height=10000"]}, {}, 413),
        ({}, {"params": {"show": "trimap"}}, 422),
        ({"colour": "red"}, {}, 422),
    ],
)
def test_a_recipe_that_does_not_fit_is_told(client, photo, recipe, how, status):
    edit = begun(client, photo)
    assert asked(client, edit, "preview", recipe, **how).status_code == status
    assert asked(client, edit, "preview", {}).status_code == 200  # the edit is unharmed


def test_a_body_that_is_no_recipe_is_refused(client, photo):
    edit = begun(client, photo)
    path = f"{EDITS}/{edit['id']}/preview"
    assert client.post(path, content=photo, headers={"content-type": "image/jpeg"}).status_code == 400
    assert client.post(path, content=b"{", headers={"content-type": "application/json"}).status_code == 400
    assert client.post(path, content=b"x", headers={"content-type": "text/plain"}).status_code == 415


# Keys


@pytest.fixture
def keyed(serve, tmp_path):
    """A service that asks for keys; `key(name)` makes one."""
    path = tmp_path / "keys.sqlite"
    client = serve(discs(), require_keys=True, keys_file=str(path), audit_log=str(tmp_path / "audit"))

    def key(name, **how):
        with closing(KeyStore(path)) as store:
            known, text = store.create(name, scopes=frozenset({"cut"}), **({"rate": None, "quota": None} | how))
        return known.id, {"x-api-key": text}

    client.key, client.log = key, tmp_path / "audit"
    until(lambda: client.service.ready)
    return client


def of(client, key, picture):
    return client.post(EDITS, files={"image": picture}, headers=key)


def test_another_caller_s_edit_is_as_unknown_as_none(keyed, photo):
    (_, mine), (_, other) = keyed.key("a"), keyed.key("b")
    edit = of(keyed, mine, photo).json()
    assert keyed.post(f"{EDITS}/{edit['id']}/preview", json={}).status_code == 403
    assert asked(keyed, edit, "preview", {}, headers=mine).status_code == 200
    stolen, unknown = (
        asked(keyed, edit, "preview", {}, headers=other),
        asked(keyed, {"id": "x"}, "preview", headers=other),
    )
    assert (stolen.status_code, stolen.json()) == (410, unknown.json())
    assert keyed.delete(f"{EDITS}/{edit['id']}", headers=other).status_code == 410


def test_a_picture_is_charged_once_and_another_model_again(keyed, photo):
    _, key = keyed.key("a", quota=2)
    edit = of(keyed, key, photo).json()
    for recipe in ({}, RECIPE):
        assert asked(keyed, edit, "preview", recipe, headers=key).status_code == 200
        assert asked(keyed, edit, "result", recipe, headers=key).status_code == 200
    assert asked(keyed, edit, "preview", {"tta": "flip"}, headers=key).status_code == 200  # the second
    assert asked(keyed, edit, "result", {"tta": "flip"}, headers=key).status_code == 200
    assert asked(keyed, edit, "preview", {"tta": "scale"}, headers=key).status_code == 402
    assert of(keyed, key, photo).status_code == 402
    assert asked(keyed, edit, "preview", {}, headers=key).status_code == 200


def test_results_count_to_the_rate(keyed, photo):
    _, key = keyed.key("a", rate=2)
    edit = of(keyed, key, photo).json()
    statuses = [
        asked(keyed, edit, "result", {"effects": [f"outline:width={n + 1}"]}, headers=key).status_code for n in range(3)
    ]
    assert statuses == [200, 429, 429]


def test_the_audit_log_is_told_of_questions_and_results(keyed, photo):
    id, key = keyed.key("a")
    edit = of(keyed, key, photo).json()
    asked(keyed, edit, "preview", headers=key)
    asked(keyed, edit, "result", headers=key)
    lines = [json.loads(line) for line in keyed.log.read_text().splitlines()]
    assert [(line["who"], line["outcome"]) for line in lines] == [(id, "done")] * 2
    assert [len(line["recipe"]["strokes"]) for line in lines] == [0, 2]


# Where edits are kept


def shelf(clock=lambda: 0.0, **limits):
    return Shelf(ServiceLimits(**limits), clock)


def edits(*owners, size=10):
    return [Edit(owner, bytes(size), "x", {}) for owner in owners]


def test_an_idle_edit_goes():
    now = [0.0]
    kept = shelf(lambda: now[0], edit_seconds=100)
    one, other = edits("", "")
    kept.add(one)
    kept.add(other)
    now[0] = 60
    assert kept.find(one.id, "") is one  # which keeps it
    now[0] = 110
    assert kept.find(one.id, "") is one and len(kept) == 1
    now[0] = 210
    kept.tidy()
    assert len(kept) == 0 and kept.nbytes == 0


def test_each_key_has_so_many():
    kept = shelf(edits_per_key=2)
    mine, (other,) = edits("a", "a", "a"), edits("b")
    for edit in (other, *mine):
        kept.add(edit)
    assert [edit for edit in (*mine, other) if _there(kept, edit)] == [*mine[1:], other]


def test_who_has_most_gives_way():
    kept = shelf(edits_kept=3, edits_per_key=9)
    mine, (other,) = edits("a", "a", "a"), edits("b")
    for edit in (*mine, other):
        kept.add(edit)
    assert not _there(kept, mine[0]) and all(_there(kept, edit) for edit in (*mine[1:], other))


def test_bytes_are_bounded():
    kept = shelf(edit_bytes=35)
    (small,), large = edits("b"), edits("a", "a", "a")
    for edit in (small, *large):
        kept.add(edit)
    assert kept.nbytes == 30 and _there(kept, small) and not _there(kept, large[0])
    with pytest.raises(TooBig):
        kept.check(edits("c", size=36)[0])


def test_what_is_in_use_goes_last():
    kept = shelf(edits_kept=1)
    first, second = edits("", "")
    kept.add(first)
    kept.add(second)
    assert _there(kept, second) and not _there(kept, first)


def _there(kept, edit):
    try:
        return kept.find(edit.id, edit.owner) is edit
    except NoSuchEdit:
        return False


def test_an_edit_says_what_it_holds(client, large):
    edit = begun(client, large)
    held = client.app.state.edits.find(edit["id"], "")
    before = held.nbytes
    assert before > len(large) + 1024 * 800 * 3
    asked(client, edit, "preview")
    assert held.nbytes > before + 4_000_000  # what strokes are understood by
    client.delete(f"{EDITS}/{edit['id']}")


def test_a_service_that_ends_keeps_nothing(large):
    from tests.apps.server.conftest import serving

    with serving(discs()) as client:
        begun(client, large)
        kept = client.app.state.edits
        assert len(kept) == 1
    assert len(kept) == 0
