"""The page and its files: what is sent, how it is kept, what it may do, and that no address leads elsewhere."""

import gzip
import os

import pytest

from cleancut.apps.server import browser, page
from cleancut.apps.server.files import found
from tests.apps.server.conftest import discs

INDEX = b'<!doctype html><script type="module" src="./assets/page-abc.js"></script>'
SCRIPT = b"export const answer = 42;\n" * 100


@pytest.fixture
def built(tmp_path, monkeypatch):
    """A page as a build leaves it; what lies beside the folder is nobody's business."""
    folder = tmp_path / "web"
    (folder / "assets").mkdir(parents=True)
    (folder / ".vite").mkdir()
    (folder / ".vite/manifest.json").write_text("{}")
    (folder / "index.html").write_bytes(INDEX)
    (folder / "sw.js").write_bytes(b"self.skipWaiting();")
    (folder / "manifest.webmanifest").write_text("{}")
    (folder / "assets/page-abc.js").write_bytes(SCRIPT)
    (folder / "assets/page-abc.js.gz").write_bytes(gzip.compress(SCRIPT))
    (folder / "assets/page-abc.js.br").write_bytes(b"pretend")
    (folder / "assets/page-abc.css").write_bytes(b"body { color: red }")
    (tmp_path / "secret.txt").write_text("secret")
    os.symlink(tmp_path / "secret.txt", folder / "assets/secret.txt")
    monkeypatch.setattr(page, "_page", page.Page(folder))
    return folder


def plain(client, path, **headers):
    return client.get(path, headers={"accept-encoding": "identity", **headers})


def test_the_page_is_sent_and_asked_for_again(built, client):
    front = plain(client, "/")
    assert (front.status_code, front.content) == (200, INDEX)
    assert front.headers["content-type"] == "text/html; charset=utf-8"
    assert front.headers["cache-control"] == "no-cache"
    again = plain(client, "/", **{"if-none-match": front.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_what_names_its_content_is_kept_for_ever(built, client):
    script = plain(client, "/assets/page-abc.js")
    assert (script.content, script.headers["content-type"]) == (SCRIPT, "text/javascript; charset=utf-8")
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert plain(client, "/assets/page-abc.css").headers["content-type"] == "text/css; charset=utf-8"


@pytest.mark.parametrize(
    ("path", "kind"), [("/sw.js", "text/javascript"), ("/manifest.webmanifest", "application/man")]
)
def test_what_lies_beside_the_page_is_asked_for_again(built, client, path, kind):
    answer = plain(client, path)
    assert answer.status_code == 200 and answer.headers["content-type"].startswith(kind)
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip", "gzip"),
        ("gzip, deflate, br", "br"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("identity", None),
        ("gzip;q=0.0", None),
    ],
)
def test_files_are_sent_as_they_were_compressed(built, client, accepted, coding):
    with client.stream("GET", "/assets/page-abc.js", headers={"accept-encoding": accepted}) as answer:
        sent = b"".join(answer.iter_raw())
    assert answer.headers.get("content-encoding") == coding
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert {"gzip": gzip.decompress, "br": lambda data: SCRIPT, None: lambda data: data}[coding](sent) == SCRIPT


def test_each_coding_has_a_name_of_its_own(built, client):
    names = {
        client.head("/assets/page-abc.js", headers={"accept-encoding": way}).headers["etag"]
        for way in ("br", "gzip", "x")
    }
    assert len(names) == 3


def test_a_head_has_no_body(built, client):
    answer = client.head("/", headers={"accept-encoding": "identity"})
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", str(len(INDEX)))


@pytest.mark.parametrize("path", ["/", "/assets/page-abc.js", "/sw.js"])
def test_the_page_may_run_its_own_scripts_and_nothing_else(built, client, path):
    headers = plain(client, path).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert (
        "unsafe-inline" not in headers["content-security-policy"] and "http" not in headers["content-security-policy"]
    )
    assert (policy["default-src"], policy["connect-src"], policy["style-src"]) == ("'none'", "'self'", "'self'")
    assert policy["script-src"] == "'self' 'wasm-unsafe-eval'"
    assert "blob:" in policy["img-src"] and "blob:" in policy["worker-src"]
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-embedder-policy"] == "require-corp"
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    ["/assets/secret.txt", "/assets/../../secret.txt", "/assets/%2e%2e/%2e%2e/secret.txt",
     "/assets/..%2f..%2fsecret.txt", "/assets/", "/assets//page-abc.js", "/assets/page-abc.js.gz",
     "/assets/page-abc.js%00", "/.vite/manifest.json", "/assets/%5c..%5csecret.txt", "/local/../secret.txt",
     "/nothing.js", "/index", "/local/"],
)  # fmt: skip
def test_no_address_leads_elsewhere(built, client, path):
    answer = plain(client, path)
    assert answer.status_code == 404 and answer.json()["code"] == "not_found"
    assert b"secret" not in answer.content


def test_what_takes_other_methods_still_says_so(built, client):
    assert client.get("/v1/cut").status_code == 405
    assert client.post("/nowhere").status_code == 404
    assert client.get("/openapi.json").status_code == 200 and client.get("/docs.css").status_code == 200


def test_a_page_that_is_built_anew_is_found(built, client):
    plain(client, "/")
    (built / "assets/page-def.js").write_bytes(b"1")
    (built / "index.html").write_bytes(INDEX.replace(b"abc", b"def"))
    os.utime(built / "index.html", ns=(1, 1))
    assert b"page-def" in plain(client, "/").content
    assert plain(client, "/assets/page-def.js").status_code == 200


def test_without_a_page_it_is_said_how_to_build_it(client, monkeypatch, tmp_path):
    monkeypatch.setattr(page, "_page", page.Page(tmp_path / "nothing"))
    answer = client.get("/")
    assert answer.status_code == 200 and "scripts/web" in answer.text and 'href="docs"' in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert client.get("/docs").status_code == 200


def test_where_no_page_is_wanted_there_is_none(built, serve):
    client = serve(discs(), page=False)
    assert [client.get(path).status_code for path in ("/", "/assets/page-abc.js", "/docs")] == [404, 404, 200]


def test_the_page_is_for_everybody_and_its_calls_are_not(built, serve, tmp_path):
    client = serve(discs(), require_keys=True, keys_file=str(tmp_path / "keys"))
    assert plain(client, "/").status_code == plain(client, "/assets/page-abc.js").status_code == 200
    assert client.get("/v1/service").status_code == 403


def test_a_page_of_another_site_gets_none_of_it(built, client):
    assert plain(client, "/assets/page-abc.js", **{"sec-fetch-site": "cross-site"}).status_code == 403


# In the browser alone


@pytest.fixture
def packaged(tmp_path, monkeypatch):
    """The package `cleancut_browser`, with files such as it has."""
    package = tmp_path / "packages/cleancut_browser"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('nobody needs to run it')")
    (package / "ort.wasm.min.mjs").write_text("export {}")
    (package / "ort-wasm-simd-threaded.wasm").write_bytes(b"\0asm")
    monkeypatch.syspath_prepend(str(package.parent))
    browser.files.cache_clear()
    yield package
    browser.files.cache_clear()


def test_the_runtime_and_the_model_are_sent(packaged, client):
    runtime = client.get("/local/ort.wasm.min.mjs")
    assert (runtime.status_code, runtime.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert client.get("/local/ort-wasm-simd-threaded.wasm").headers["content-type"] == "application/wasm"
    assert client.get("/local/__init__.py").status_code == 404
    told = client.get("/v1/service").json()["local"]
    model = client.get(told["model"])
    assert len(model.content) == told["bytes"] and model.headers["cache-control"] == "no-cache"
    assert model.headers["etag"].strip('"') == told["sha256"][:32]
    assert (told["runtime"], told["input"]["size"], told["output"]["squash"]) == ("/local/", [320, 320], "none")
    assert "'wasm-unsafe-eval'" in runtime.headers["content-security-policy"]
    assert runtime.headers["cross-origin-embedder-policy"] == "require-corp"


def test_without_the_package_nothing_is_sent(client, monkeypatch):
    browser.files.cache_clear()
    monkeypatch.setattr(browser, "find_spec", lambda name: None)
    assert client.get("/v1/service").json()["local"] is None
    assert client.get("/local/cleancut-small.onnx").status_code == 404
    browser.files.cache_clear()


def test_an_absent_folder_has_no_files(tmp_path):
    assert found(tmp_path / "nothing") == {}
