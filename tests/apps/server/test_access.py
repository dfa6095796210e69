import asyncio
import threading
import time
from contextlib import closing

import pytest
from starlette.requests import Request

from cleancut.apps.keys.keyring import Keyring
from cleancut.apps.keys.store import KeyStore
from cleancut.apps.server import access
from cleancut.apps.server.app import assembled
from cleancut.apps.server.nouns import Caller
from cleancut.apps.server.settings import read_settings
from cleancut.errors import BadSetting
from tests.apps.server.conftest import serving
from tests.stubs import disc, loading

CUT = "/v1/cut"
EVERYWHERE = [CUT, "/v1/models", "/metrics", "/health/live", "/nowhere"]


@pytest.fixture
def keys(tmp_path):
    """A store of keys, and the settings of a service that asks for them."""
    path = tmp_path / "keys.sqlite"
    with closing(KeyStore(path)) as store:
        store.settings = {"require_keys": True, "keys_file": str(path)}
        yield store


def sent(client, photo, path=CUT, **headers):
    return client.post(path, content=photo, headers={"Content-Type": "image/jpeg", **headers})


def asked(settings, peer, headers):
    """The status of GET /v1/models where nothing listens and nothing was started."""
    app, answers = assembled(settings, loading(disc())), []
    scope = {"type": "http", "method": "GET", "path": "/v1/models", "raw_path": b"/v1/models", "query_string": b"",
             "headers": headers, "client": peer, "server": ("0.0.0.0", 7000), "scheme": "http", "http_version": "1.1",
             "root_path": ""}  # fmt: skip

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        answers.append(message)

    asyncio.run(app(scope, receive, send))
    app.state.service.close()
    return answers[0]["status"]


# The manner of access


@pytest.mark.parametrize(
    ("settings", "manner"),
    [
        ({}, "local"),
        ({"host": "::1"}, "local"),
        ({"host": "localhost"}, "local"),
        ({"host": "127.0.0.2"}, "local"),
        ({"require_keys": True}, "keys"),
        ({"host": "0.0.0.0"}, "keys"),
        ({"host": "::"}, "keys"),
        ({"host": "192.168.1.2"}, "keys"),
        ({"host": "localhost.example.com"}, "keys"),
        ({"host": "0.0.0.0", "public": True}, "public"),
        ({"public": True}, "public"),
    ],
)
def test_whoever_is_not_this_machine_needs_a_key_unless_everybody_is_let_in(settings, manner):
    assert access.manner(read_settings(**settings)) == manner


# Local: this machine, by its own names, from no page but our own


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:7000", "127.0.0.1:80", "[::1]:7000", "localhost:1"])
def test_this_machine_is_answered_by_its_names(client, host):
    assert client.get("/v1/models", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example:7000", "127.0.0.1.evil.example", "169.254.169.254", "192.168.0.2",
             "localhost@evil.example", "local host", "[::2]:7000", ":7000", "localhost:7000:7000", "localhost:port"],
)  # fmt: skip
@pytest.mark.parametrize("path", EVERYWHERE)
def test_a_name_that_a_resolver_led_here_is_not_answered(client, host, path):
    """DNS rebinding: the page of evil.example asks evil.example, which by now is 127.0.0.1."""
    answer = client.get(path, headers={"Host": host})
    assert answer.status_code == 403
    assert answer.json()["detail"].endswith("use that name in the address.")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://localhost:1"},
        {"Origin": "http://localhost.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", EVERYWHERE)
def test_a_page_of_another_site_is_not_answered(client, photo, headers, path):
    answer = sent(client, photo, path, **headers)
    assert answer.status_code == 403
    assert "another site" in answer.json()["detail"]
    assert "access-control-allow-origin" not in answer.headers


def test_our_own_page_and_programs_are_answered(client, photo):
    ours = f"http://{client.base_url.netloc.decode()}"
    for headers in (
        {},
        {"Origin": ours},
        {"Origin": ours, "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ):
        assert sent(client, photo, **headers).status_code == 200, headers


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Host"])
def test_a_proxy_that_brings_others_to_a_local_service_is_not_answered(client, name):
    answer = client.get("/v1/models", headers={name: "203.0.113.9"})
    assert answer.status_code == 403
    assert "--require-keys" in answer.json()["detail"]


@pytest.mark.parametrize("peer", [("192.168.0.7", 4000), ("203.0.113.9", 4000), ("::ffff:203.0.113.9", 4000), None])
def test_a_local_service_that_was_bound_elsewhere_answers_nobody_else(peer):
    """Such as: uvicorn --factory cleancut.apps.server:create_app --host 0.0.0.0, which tells our settings nothing."""
    assert asked(read_settings(), peer, [(b"host", b"localhost")]) == 403


def test_a_local_service_needs_no_key_and_minds_none(client, photo):
    """Clients of remove.bg always send one."""
    assert sent(client, photo, **{"X-Api-Key": "whatever"}).status_code == 200
    assert client.app.state.service.keys is None


def test_a_refusal_speaks_the_words_of_the_address(client):
    answer = client.post("/v1.0/removebg", headers={"Host": "evil.example"})
    assert answer.status_code == 403
    assert list(answer.json()) == ["errors"]


# Keys


@pytest.mark.parametrize("name", ["X-API-Key", "x-api-key"])
def test_a_key_opens_by_its_header(serve, keys, photo, name):
    _, text = keys.create("shop")
    assert sent(serve(**keys.settings), photo, **{name: text}).status_code == 200


@pytest.mark.parametrize("kind", ["Bearer", "bearer", "BEARER "])
def test_a_key_opens_as_a_bearer_token(serve, keys, photo, kind):
    _, text = keys.create("shop")
    assert sent(serve(**keys.settings), photo, Authorization=f"{kind} {text}").status_code == 200


def test_a_service_with_keys_answers_by_any_name_and_lets_no_page_in_without_one(serve, keys, photo):
    _, text = keys.create("shop")
    client = serve(**keys.settings)
    headers = {"Host": "cut.example.com", "Origin": "https://shop.example", "X-Forwarded-For": "203.0.113.9"}
    assert sent(client, photo, **headers, **{"X-API-Key": text}).status_code == 200
    assert sent(client, photo, **headers).status_code == 403


NONE = {
    "nothing": {},
    "an empty header": {"X-API-Key": ""},
    "another manner": {"Authorization": "Basic Y2M6eA=="},
    "an empty token": {"Authorization": "Bearer"},
}


@pytest.mark.parametrize("headers", NONE.values(), ids=NONE)
def test_without_a_key_nothing_is_cut(serve, keys, photo, headers):
    answer = sent(serve(**keys.settings), photo, **headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "no_key")


def test_a_wrong_key_is_told_from_none(serve, keys, photo):
    good, text = keys.create("shop")
    expired = keys.create("old", expires=time.time() - 1)[1]
    client = serve(**keys.settings)
    assert sent(client, photo, **{"X-API-Key": text}).status_code == 200
    keys.revoke(good.id)
    for wrong in (
        "rubbish",
        text,
        expired,
        f"{text[:-1]}x",
        "cc_" + 12 * "0" + "_" + 48 * "0",
        "é".encode(),
        "x" * 9000,
    ):
        answer = sent(client, photo, **{"X-API-Key": wrong})
        assert (answer.status_code, answer.json()["code"]) == (403, "wrong_key"), wrong


def test_two_keys_in_one_request_are_none(serve, keys, photo):
    one, other = keys.create("one")[1], keys.create("other")[1]
    client = serve(**keys.settings)
    both = {"X-API-Key": one, "Authorization": f"Bearer {other}"}
    assert sent(client, photo, **both).json()["code"] == "wrong_key"
    assert sent(client, photo, **{**both, "X-API-Key": other}).status_code == 200


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [({"cut"}, {CUT: 200, "/metrics": 403, "/v1/jobs": 403}),
     ({"metrics"}, {CUT: 403, "/metrics": 200, "/v1/jobs": 403}),
     ({"jobs"}, {CUT: 403, "/metrics": 403}),
     (set(), {CUT: 403, "/metrics": 403, "/v1/jobs": 403})],
)  # fmt: skip
def test_a_key_does_what_its_scopes_say(serve, keys, photo, scopes, allowed):
    _, text = keys.create("x", scopes=frozenset(scopes))
    client = serve(**keys.settings)
    for path, status in allowed.items():
        headers = {"X-API-Key": text}
        answer = client.get(path, headers=headers) if path == "/metrics" else sent(client, photo, path, **headers)
        assert answer.status_code == status, path
        assert status != 403 or answer.json()["code"] == "not_allowed"


def test_health_is_told_without_a_key(serve, keys):
    client = serve(**keys.settings)
    assert client.get("/health/live").status_code == 200
    assert client.get("/v1/models").status_code == 403
    assert client.get("/metrics").status_code == 403


def test_a_rate_is_held_and_told(serve, keys, photo):
    _, text = keys.create("shop", rate=2)
    client = serve(**keys.settings)
    statuses = [sent(client, photo, **{"X-API-Key": text}) for _ in range(3)]
    assert [answer.status_code for answer in statuses] == [200, 200, 429]
    assert 1 <= int(statuses[2].headers["retry-after"]) <= 60
    assert statuses[2].json()["code"] == "too_many_requests"


def test_a_quota_is_held_and_what_fails_is_not_counted(serve, keys, photo):
    key, text = keys.create("shop", quota=2)
    client = serve(**keys.settings)
    assert sent(client, b"no picture", **{"X-API-Key": text}).status_code == 400
    answers = [sent(client, photo, **{"X-API-Key": text}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 402]
    assert keys.spent(key.id, time.strftime("%Y-%m", time.gmtime())) == 2


def test_what_was_used_is_written_down_at_the_end_of_the_service(keys, photo):
    key, text = keys.create("shop")
    with serving(loading(disc()), **keys.settings) as client:
        assert sent(client, photo, **{"X-API-Key": text}).status_code == 200
    ((at, use),) = keys.usage("0", "9").items()
    assert at[0] == key.id
    assert (use.pictures, use.megapixels) == (1, pytest.approx(96 * 120 / 1e6))


def test_a_store_that_fails_is_not_an_open_door(serve, keys, photo, monkeypatch):
    _, text = keys.create("shop")
    client = serve(**keys.settings)
    keys._base.execute("DROP TABLE keys")
    answer = sent(client, photo, **{"X-API-Key": text})
    assert answer.status_code == 503
    assert "sqlite" not in answer.text


def test_a_service_that_has_not_started_lets_nobody_in(keys):
    headers = [(b"host", b"localhost"), (b"x-api-key", keys.create("shop")[1].encode())]
    assert asked(read_settings(**keys.settings), ("127.0.0.1", 4000), headers) == 503


# Public


def test_everybody_may_cut_where_that_is_said_and_nothing_else(serve, keys, photo):
    client = serve(**{**keys.settings, "public": True, "host": "127.0.0.1"})
    assert sent(client, photo, Host="cut.example.com", Origin="https://evil.example").status_code == 200
    assert sent(client, photo, **{"X-API-Key": "of another service"}).status_code == 200
    assert client.get("/metrics").status_code == 403


def test_a_key_of_ours_counts_where_nobody_needs_one(serve, keys, photo):
    metrics, text = keys.create("prometheus", scopes=frozenset({"metrics"}))
    shop = keys.create("shop", quota=1)[1]
    client = serve(**{**keys.settings, "public": True})
    assert client.get("/metrics", headers={"X-API-Key": text}).status_code == 200
    assert sent(client, photo, **{"X-API-Key": text}).status_code == 403
    assert [sent(client, photo, **{"X-API-Key": shop}).status_code for _ in range(2)] == [200, 402]
    keys.revoke(metrics.id)
    assert client.get("/metrics", headers={"X-API-Key": text}).status_code == 403


@pytest.mark.parametrize(
    ("peer", "network"),
    [
        (("203.0.113.5", 4000), "203.0.113.5"),
        (("2001:db8:1:2:3:4:5:6", 4000), "2001:db8:1:2::/64"),
        (("/run/cleancut.sock", 0), ""),
        (None, ""),
    ],
)
def test_strangers_without_a_key_take_turns_by_where_they_call_from(peer, network):
    assert access.network_of(Request({"type": "http", "client": peer})) == network
    assert Caller(network=network).turn == network
    assert Caller(key_id="k1", network=network).turn == "k1"


# What stands on every answer


def answers(client, photo):
    yield client.get("/health/live")
    yield client.get("/nowhere")
    yield client.get(CUT)
    yield client.get("/docs")
    yield client.get("/openapi.json")
    yield client.options(CUT)
    yield client.head("/v1/models")
    yield client.post(CUT, content=b"rubbish")
    yield client.get("/v1/models", headers={"Host": "evil.example"})
    yield sent(client, photo)
    yield sent(client, photo, "/v1.0/removebg")


def test_the_headers_of_safety_stand_on_every_answer_and_no_cookie(client, photo):
    for answer in answers(client, photo):
        for name, value in access.HEADERS.items():
            page = answer.url.path == "/docs" and name == "referrer-policy"  # its form must be sent from our origin
            if name != "content-security-policy":
                assert answer.headers.get_list(name) == ["same-origin" if page else value], (answer.url, name)
        (policy,) = answer.headers.get_list("content-security-policy")
        assert {"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"} <= set(policy.split("; ")), (
            answer.url
        )
        assert "unsafe" not in policy
        assert "set-cookie" not in answer.headers
        assert "access-control-allow-origin" not in answer.headers


def test_the_page_of_docs_may_have_its_style_and_its_form_and_nothing_else(client):
    page = client.get("/docs")
    assert set(page.headers["content-security-policy"].split("; ")) == {
        "default-src 'none'", "style-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
    }  # fmt: skip
    assert "<script" not in page.text
    assert "<style" not in page.text
    assert "style=" not in page.text


def test_a_failure_that_nobody_expected_is_sealed_too(serve, photo):
    def broken(name):
        raise ZeroDivisionError

    answer = sent(serve(load=broken), photo)
    assert answer.status_code == 500
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "Zero" not in answer.text


# CORS

PAGE = "https://shop.example"


def preflight(client, origin, **headers):
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
    return client.options(CUT, headers={"Origin": origin, **asked, **headers})


def test_a_listed_origin_may_ask_and_read(serve, photo):
    client = serve(cors_origins=PAGE)
    asked = preflight(client, PAGE, **{"Access-Control-Request-Private-Network": "true"})
    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == PAGE
    assert asked.headers["access-control-allow-private-network"] == "true"
    assert "access-control-allow-credentials" not in asked.headers
    answer = sent(client, photo, Origin=PAGE, **{"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, PAGE)
    assert "Origin" in answer.headers["vary"]
    assert "ETag" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "https://shop.example.evil.example", "http://shop.example", "null"]
)
def test_an_origin_that_is_not_listed_is_not_let_in(serve, photo, origin):
    client = serve(cors_origins=PAGE)
    assert "access-control-allow-origin" not in preflight(client, origin).headers
    answer = sent(client, photo, Origin=origin)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_every_origin_may_be_listed_where_there_are_keys(serve, keys, photo):
    _, text = keys.create("shop")
    client = serve(**keys.settings, cors_origins="*")
    answer = sent(client, photo, Origin="https://any.example", **{"X-API-Key": text})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")


@pytest.mark.parametrize(
    "origins", ["*", "shop.example", "https://shop.example/", "https://a.example, ftp://b.example"]
)
def test_an_origin_that_is_none_is_refused_at_the_start(origins):
    with pytest.raises(BadSetting, match="CLEANCUT_CORS_ORIGINS"):
        assembled(read_settings(cors_origins=origins), loading(disc()))


def test_the_documentation_says_how_keys_are_shown(serve, keys):
    told = serve(**keys.settings).get("/openapi.json").json()
    kinds = {
        (kind["type"], kind.get("name") or kind.get("scheme"))
        for kind in told["components"]["securitySchemes"].values()
    }
    assert kinds == {("apiKey", "X-API-Key"), ("http", "bearer")}
    assert len(told["paths"][CUT]["post"]["security"]) == 2


def test_the_event_loop_hashes_nothing(serve, keys, photo, monkeypatch):
    """scrypt takes a while; while it runs, others must be answered."""
    _, text = keys.create("shop")
    client = serve(**keys.settings)
    where = []
    proves = Keyring._on

    async def on(self, threads, work, *values):
        return await proves(self, threads, lambda: (where.append(threading.current_thread().name), work(*values))[1])

    monkeypatch.setattr(Keyring, "_on", on)
    assert sent(client, photo, **{"X-API-Key": text}).status_code == 200
    assert where
    assert all(name.startswith(("cleancut-keys", "cleancut-hashing")) for name in where)
