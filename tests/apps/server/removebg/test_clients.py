"""Clients of remove.bg, made by others, against a service that really listens: they know nothing of us but an address.

The clients of npm are installed by scripts/clients. Those whose address is fixed run from a copy in which it is ours.
"""

import base64
import io
import json
import logging
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import requests
from PIL import Image

from cleancut.apps.keys.store import KeyStore
from cleancut.apps.server.removebg.account import WITHOUT_QUOTA

CLIENTS = Path(__file__).parents[3] / "clients"
THEIRS = "https://api.remove.bg/v1.0"

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not on this machine")


@pytest.fixture(autouse=True)
def direct(monkeypatch):
    """Let no proxy of whoever runs the tests come between."""
    monkeypatch.setenv("NO_PROXY", "*")


def address(client):
    return f"{str(client.base_url).rstrip('/')}/v1.0"


@pytest.fixture
def ours(client):
    return address(client)


@pytest.fixture
def picture(photo, tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(photo)
    return path


def opened(data):
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def is_cut(image):
    return image.size == (96, 120) and image.getpixel((0, 0))[3] == 0 and image.getpixel((48, 60))[3] == 255


class TestRemovebg:
    """PyPI's removebg 0.4."""

    @pytest.fixture
    def theirs(self, ours, monkeypatch, tmp_path):
        from removebg import removebg

        monkeypatch.setattr(removebg, "API_ENDPOINT", f"{ours}/removebg")
        return removebg.RemoveBg("a key", str(tmp_path / "errors.log"))

    def test_it_cuts_a_file(self, theirs, picture):
        theirs.remove_background_from_img_file(str(picture))
        assert is_cut(opened(Path(f"{picture}_no_bg.png").read_bytes()))

    def test_it_cuts_base64_over_a_colour(self, theirs, photo, tmp_path):
        written = tmp_path / "cut.png"
        theirs.remove_background_from_base64_img(
            base64.b64encode(photo).decode(), size="full", new_file_name=str(written), bg_color="81d4fa"
        )
        assert opened(written.read_bytes()).format == "JPEG"  # auto: nothing shows through

    def test_it_learns_what_is_wrong(self, theirs, tmp_path):
        with pytest.raises(requests.HTTPError) as caught:
            theirs.remove_background_from_base64_img("aGk=", new_file_name=str(tmp_path / "cut.png"))
        assert caught.value.response.status_code == 400
        assert caught.value.response.json()["errors"][0]["code"] == "invalid_file_type"


class TestRemoveBgApi:
    """PyPI's remove-bg-api 0.2.1."""

    @pytest.fixture
    def theirs(self, monkeypatch):
        import remove_bg_api

        def made(at, key="a key"):
            monkeypatch.setattr(remove_bg_api, "API_URL", at)
            return remove_bg_api.RemoveBg(key)

        made.errors = remove_bg_api.Errors
        return made

    def test_it_cuts_bytes_and_keeps_its_balance(self, theirs, ours, photo):
        client = theirs(ours)
        assert client.account.balance() == WITHOUT_QUOTA
        assert is_cut(opened(client.remove_bg_bytes(photo)))
        assert client.account.balance() == WITHOUT_QUOTA
        assert client.account.free_api_calls() == 0
        assert set(client.account.get_balance_dict()) == {"total", "subscription", "payg", "enterprise"}

    def test_it_cuts_base64(self, theirs, ours, photo):
        assert is_cut(opened(theirs(ours).remove_bg_base64(base64.b64encode(photo).decode())))

    def test_it_learns_what_is_wrong(self, theirs, ours):
        with pytest.raises(theirs.errors.ApiErrorCode400):
            theirs(ours).remove_bg_bytes(b"no picture")

    def test_it_shows_its_key(self, theirs, serve, photo, tmp_path):
        store = KeyStore(tmp_path / "keys.sqlite")
        key = store.create("a client", quota=1)[1]
        store.close()
        served = serve(require_keys=True, keys_file=str(tmp_path / "keys.sqlite"))
        at = address(served)
        with pytest.raises(theirs.errors.ApiErrorCode403):
            theirs(at, "another key")
        client = theirs(at, key)
        assert client.account.balance() == 1
        assert is_cut(opened(client.remove_bg_bytes(photo)))
        with pytest.raises(theirs.errors.ApiErrorCode402):
            client.remove_bg_bytes(photo)


def node(script, *arguments):
    """Run a script of ours with the clients of npm at hand; give what it prints."""
    assert (CLIENTS / "node_modules").is_dir(), "install the clients first: scripts/clients"
    environment = {**os.environ, "NODE_PATH": str(CLIENTS / "node_modules"), "NODE_NO_WARNINGS": "1"}
    command = ["node", str(CLIENTS / script), *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@needs_node
class TestNpm:
    """npm's remove.bg 1.3.0."""

    @pytest.fixture
    def theirs(self, ours, tmp_path):
        module = tmp_path / "client.js"
        text = (CLIENTS / "node_modules/remove.bg/dist/index.js").read_text()
        assert text.count(THEIRS) == 1
        module.write_text(text.replace(THEIRS, ours))
        return lambda function, **options: node("call.js", module, function, json.dumps({"apiKey": "a key", **options}))

    def test_it_cuts_a_file(self, theirs, picture, tmp_path):
        written = tmp_path / "cut.png"
        told = theirs("removeBackgroundFromImageFile", path=str(picture), size="regular", outputFile=str(written))[
            "result"
        ]
        assert is_cut(opened(written.read_bytes()))
        assert base64.b64decode(told["base64img"]) == written.read_bytes()
        shown = {name: told[name] for name in ("creditsCharged", "detectedType", "resultWidth", "resultHeight")}
        assert shown == {
            "creditsCharged": "0",
            "detectedType": "other",
            "resultWidth": "96",
            "resultHeight": "120",
        }

    def test_it_cuts_base64(self, theirs, photo):
        text = base64.b64encode(photo).decode()
        told = theirs("removeBackgroundFromImageBase64", base64img=text, crop=True, crop_margin="5px", channels="rgba")
        assert opened(base64.b64decode(told["result"]["base64img"])).mode == "RGBA"

    def test_it_learns_what_is_wrong(self, theirs, picture):
        told = theirs("removeBackgroundFromImageFile", path=str(picture), roi="everything")
        assert told["errors"] == [{"title": "Invalid roi parameter given", "code": "invalid_roi"}]


@needs_node
class TestCommandLine:
    """What remove-bg-cli 2.0.3 sends, by the library it uses; the tool itself is in no registry."""

    def test_it_gets_the_two_files_it_puts_together(self, ours, picture):
        files = node("upload.js", f"{ours}/removebg", picture, "a key")["files"]
        assert list(files) == ["color.jpg", "alpha.png"]
        color, alpha = (opened(base64.b64decode(data)) for data in files.values())
        assert (color.mode, alpha.mode, color.size, alpha.size) == ("RGB", "L", (96, 120), (96, 120))

    def test_it_learns_what_is_wrong(self, ours, tmp_path):
        path = tmp_path / "photo.jpg"
        path.write_bytes(b"no picture")
        told = node("upload.js", f"{ours}/removebg", path, "a key")
        assert (told["status"], told["error"]["code"]) == (400, "invalid_file_type")
        assert {"code", "title", "detail"} <= set(told["error"])

    def test_it_learns_when_to_come_back(self, serve, picture, tmp_path):
        store = KeyStore(tmp_path / "keys.sqlite")
        key = store.create("a client", rate=1)[1]
        store.close()
        served = serve(require_keys=True, keys_file=str(tmp_path / "keys.sqlite"))
        at = f"{address(served)}/removebg"
        assert "files" in node("upload.js", at, picture, key)
        told = node("upload.js", at, picture, key)
        assert told["status"] == 429
        assert 0 < int(told["retry"]) <= 60


def test_a_form_with_every_parameter_at_its_default_is_taken(client, photo):
    """As the head of brilam/remove-bg sends it: a region whose zeros have no unit."""
    fields = {
        "size": "regular",
        "type": "auto",
        "type_level": "none",
        "format": "auto",
        "roi": "0 0 100% 100%",
        "crop": "false",
        "scale": "original",
        "position": "original",
        "channels": "rgba",
        "add_shadow": "false",
        "semitransparency": "true",
    }
    answer = client.post("/v1.0/removebg", files={"image_file": ("photo.jpg", photo)}, data=fields)
    assert is_cut(opened(answer.content))
    assert "x-type" not in answer.headers


def test_nothing_is_logged_of_a_client(client, photo, caplog):
    with caplog.at_level(logging.DEBUG):
        client.post("/v1.0/removebg", files={"image_file": ("holiday.jpg", photo)}, data={"bg_color": "hotpink"})
    assert "holiday" not in caplog.text
    assert "hotpink" not in caplog.text
