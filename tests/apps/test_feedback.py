"""What callers say: kept by two addresses in one store, and shown, exported and deleted by `cleancut feedback`."""

import base64
import datetime
import json
import os
import zipfile

import pytest

from cleancut.apps.cli import run
from cleancut.apps.feedback import store
from cleancut.errors import BadInput, BadTable, Busy, NoRoom
from tests.apps.server.conftest import client, photo, serve  # noqa: F401 - fixtures

SAY = "/v1/feedback"
DOWN = {"rating": "down", "reasons": ["hair", "lost-part"], "model": "cleancut-small", "text": "The ear is gone."}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "feedback"


@pytest.fixture
def keeping(serve, folder):  # noqa: F811
    """A service that keeps feedback."""
    return serve(feedback_dir=str(folder))


def lines(folder):
    return [json.loads(path.read_text()) for path in folder.glob("*.json")]


def printed(capsys, *args):
    code = run(["feedback", *args])
    out, err = capsys.readouterr()
    return code, out, err


# Over HTTP


def test_nothing_is_kept_unless_it_is_asked_for(client):  # noqa: F811
    answer = client.post(SAY, json=DOWN)
    assert answer.status_code == 404 and "CLEANCUT_FEEDBACK_DIR" in answer.json()["detail"]


def test_a_rating_is_kept_in_private(keeping, folder):
    answer = keeping.post(SAY, json=DOWN)
    assert answer.status_code == 201
    assert lines(folder) == [DOWN]
    assert (folder / f"{answer.json()['id']}.json").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("way", ["form", "base64"])
def test_a_picture_may_come_along(keeping, folder, photo, way):  # noqa: F811
    form = {"data": {"rating": "up", "reasons": ["hair", "edge"]}, "files": {"image": ("../x.jpg", photo)}}
    text = {"json": {"rating": "up", "reasons": ["hair", "edge"], "image": base64.b64encode(photo).decode()}}
    answer = keeping.post(SAY, **(form if way == "form" else text))
    assert answer.status_code == 201, answer.text
    assert (folder / f"{answer.json()['id']}.jpeg").read_bytes() == photo
    assert lines(folder) == [{"rating": "up", "reasons": ["hair", "edge"], "model": "", "text": ""}]


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({}, 422),
        ({"rating": "5"}, 422),
        ({"rating": "up", "reasons": ["no words!"]}, 422),
        ({"rating": "up", "reasons": ["a"] * 11}, 422),
        ({"rating": "up", "reasons": {"hair": 1}}, 400),
        ({"rating": "up", "reasons": [["hair"]]}, 400),
        ({"rating": "up", "text": "x" * 2001}, 422),
        ({"rating": "up", "text": ["x"]}, 400),
        ({"rating": "up", "model": {"a": "b"}}, 400),
        ({"rating": "up", "stars": 5}, 400),
        ({"rating": "up", "image": "bm8gcGljdHVyZQ"}, 400),
        ({"rating": "up", "image": ["", "!"]}, 400),
    ],
)
def test_what_does_not_fit_is_told_and_not_kept(keeping, folder, said, status):
    assert keeping.post(SAY, json=said).status_code == status
    assert not folder.exists() or not list(folder.iterdir())


def test_a_body_that_is_a_picture_is_no_rating(keeping, photo):  # noqa: F811
    answer = keeping.post(f"{SAY}?rating=up", content=photo, headers={"content-type": "image/jpeg"})
    assert answer.status_code == 400


def test_both_addresses_keep_into_one_store(keeping, folder, photo):  # noqa: F811
    keeping.post(SAY, json=DOWN)
    keeping.post("/v1.0/improve", files={"image_file": ("cat.jpg", photo)}, data={"tag": "fur"})
    found = sorted(store.entries(folder), key=lambda entry: "rating" in entry.said)
    assert [entry.picture is not None for entry in found] == [True, False]
    assert [entry.said.get("tag") for entry in found] == ["fur", None]


def test_a_day_has_an_end(keeping, photo, monkeypatch):  # noqa: F811
    monkeypatch.setattr(store, "MOST_A_DAY", 2)
    assert [keeping.post(SAY, json=DOWN).status_code for _ in range(3)] == [201, 201, 429]


# The store


def test_pictures_have_a_bound_of_their_own(folder, photo, monkeypatch):  # noqa: F811
    monkeypatch.setattr(store, "MOST_PICTURES_A_DAY", 1)
    store.keep(folder, DOWN, photo)
    with pytest.raises(Busy):
        store.keep(folder, DOWN, photo)
    store.keep(folder, DOWN)


def test_what_is_said_is_cut_off(folder):
    store.keep(folder, {"tag": "x" * 5000, "reasons": ["y" * 5000]})
    (entry,) = store.entries(folder)
    assert (len(entry.said["tag"]), len(entry.said["reasons"][0])) == (store.LONGEST, store.LONGEST)


def test_a_folder_that_cannot_be_written_to(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NoRoom):
        store.keep(tmp_path / "file/folder", DOWN)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"rating": 5}', "[" * 100_000])
def test_a_damaged_file_is_named(folder, content):
    name = store.keep(folder, DOWN)
    (folder / f"{name}.json").write_text(content)
    with pytest.raises(BadTable, match=name):
        list(store.entries(folder))


def test_what_is_not_ours_is_left_alone(folder):
    name = store.keep(folder, DOWN)
    (folder / "notes.json").write_text("[]")
    (folder / "2025-01-01-short.json").write_text("[]")
    assert [entry.id for entry in store.entries(folder)] == [name]


# The command


@pytest.fixture
def told(folder, photo):  # noqa: F811
    """Ratings of two models, of two days, and a picture through /v1.0/improve."""
    ids = [
        store.keep(folder, {"rating": "up", "reasons": [], "model": "a", "text": ""}),
        store.keep(folder, {"rating": "up", "reasons": ["hair"], "model": "a", "text": ""}),
        store.keep(folder, {"rating": "down", "reasons": ["hair", "edge"], "model": "a", "text": "so"}),
        store.keep(folder, {"rating": "down", "reasons": ["hair"], "model": "[red]b\x1b[31m", "text": ""}, photo),
        store.keep(folder, {"image_filename": "x.jpg", "tag": "fur"}, photo),
    ]
    old = f"2020-02-03{ids[0][10:]}"
    (folder / f"{ids[0]}.json").rename(folder / f"{old}.json")
    return [old, *ids[1:]]


def test_averages_by_model_and_reasons_are_shown(told, folder, capsys):
    code, out, _ = printed(capsys, "--folder", str(folder), "--json")
    shown = json.loads(out)
    assert code == 0 and list(shown["models"]) == ["a", "[red]b\x1b[31m"]
    assert shown["models"]["a"] == {"up": 2, "down": 1, "average": 0.6667, "reasons": {"hair": 2, "edge": 1}}
    assert shown["reasons"] == {"hair": 3, "edge": 1} and shown["tags"] == {"fur": 1}
    assert (shown["ratings"], shown["texts"], shown["pictures"]) == (4, 1, 2)


def test_a_table_shows_what_strangers_wrote_as_text(told, folder, capsys, monkeypatch):
    monkeypatch.setenv("CLEANCUT_FEEDBACK_DIR", str(folder))
    code, out, err = printed(capsys)
    assert code == 0 and "67%" in out and "hair 2, edge 1" in out
    assert "[red]b�[31m" in out and "\x1b" not in out
    assert "2 with a picture" in err and "fur 1" in err


def test_a_time_is_chosen(told, folder, capsys):
    _, out, _ = printed(capsys, "--folder", str(folder), "--json", "--until", "2021-01-01")
    assert json.loads(out)["ratings"] == 1
    _, out, _ = printed(capsys, "--folder", str(folder), "--json", "--since", "2021-01-01")
    assert json.loads(out)["ratings"] == 3


def test_all_of_it_is_exported(told, folder, tmp_path, capsys, photo):  # noqa: F811
    target = tmp_path / "out.zip"
    assert printed(capsys, "export", str(target), "--folder", str(folder))[0] == 0
    with zipfile.ZipFile(target) as archive:
        exported = [json.loads(line) for line in archive.read("feedback.jsonl").decode().splitlines()]
        pictures = [line["picture"] for line in exported if line["picture"]]
        assert len(pictures) == 2 and all(archive.read(name) == photo for name in pictures)
    assert sorted(line["id"] for line in exported) == sorted(told)
    assert {line["day"] for line in exported} >= {"2020-02-03"}
    assert printed(capsys, "export", str(target), "--folder", str(folder))[0] == 2  # it is there already
    assert printed(capsys, "export", str(target), "--folder", str(folder), "--overwrite")[0] == 0


def test_what_is_named_is_deleted_with_its_picture(told, folder, capsys):
    assert printed(capsys, "delete", told[3], "--folder", str(folder))[0] == 0
    assert told[3] not in {path.stem for path in folder.iterdir()}
    assert printed(capsys, "delete", "--before", "2021-01-01", "--folder", str(folder))[0] == 0
    assert {entry.id for entry in store.entries(folder)} == {told[1], told[2], told[4]}
    assert printed(capsys, "delete", "--all", "--folder", str(folder))[0] == 0
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    "args",
    [("delete",), ("delete", "--all", "--before", "2025-01-01"), ("delete", "2020-01-01-nothing"), ("--since", "May"),
     ("export", "no/such/folder/x.zip")],
)  # fmt: skip
def test_what_cannot_be_done_is_said(told, folder, capsys, args):
    code, out, err = printed(capsys, *args, "--folder", str(folder))
    assert code == 2 and err.startswith("cleancut: ") and not out
    assert len(list(store.entries(folder))) == 5


def test_without_a_folder_one_is_asked_for(capsys, tmp_path):
    code, _, err = printed(capsys)
    assert code == 2 and "CLEANCUT_FEEDBACK_DIR" in err
    with pytest.raises(BadInput):
        list(store.entries(tmp_path / "nothing"))


def test_days_are_those_of_the_id(folder):
    (entry,) = [store.keep(folder, DOWN)] and store.entries(folder)
    assert abs((entry.day - datetime.datetime.now(datetime.UTC).date()).days) <= 1
    assert not any(name.endswith(".part") for name in os.listdir(folder))
