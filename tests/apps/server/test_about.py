"""/v1/service: a page reads off it what it may send."""

import jsonschema
import pytest

from cleancut.apps.server import about
from cleancut.limits import ServiceLimits
from tests.apps.server.conftest import discs

SERVICE = "/v1/service"


def test_a_service_tells_what_it_is(client):
    told = client.get(SERVICE).json()
    schema = client.get("/openapi.json").json()["paths"][SERVICE]["get"]["responses"]["200"]["content"]
    jsonschema.validate(told, schema["application/json"]["schema"])
    assert told["limits"]["max_pixels"] == ServiceLimits().max_pixels
    assert {"image/jpeg", "image/png", "image/webp", "image/tiff"} <= set(told["reads"])
    assert told["writes"] == ["png", "webp", "avif", "tiff", "jpeg"]
    assert (told["model"], told["urls"], told["feedback"]) == ("cleancut-small", False, False)
    assert told["edits"] == {"kept": 16, "seconds": 900}


def test_it_tells_of_its_own_settings(serve, tmp_path):
    client = serve(
        discs(),
        limits={"max_bytes": 5000, "edits_kept": 3, "edit_seconds": 60},
        allow_urls=True,
        feedback_dir=str(tmp_path),
        model="u2netp",
    )
    told = client.get(SERVICE).json()
    assert (told["limits"]["max_bytes"], told["urls"], told["feedback"], told["model"]) == (5000, True, True, "u2netp")
    assert told["edits"] == {"kept": 3, "seconds": 60}


def test_it_is_kept_by_who_asked(client):
    answer = client.get(SERVICE)
    again = client.get(SERVICE, headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("there", [True, False])
def test_heic_is_read_where_its_reader_is_installed(monkeypatch, there):
    monkeypatch.setattr(about, "find_spec", lambda name: object() if there else None)
    assert ("image/heic" in about.reads()) is there
