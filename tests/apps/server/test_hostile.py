"""Everything a stranger may send: never a 500, never a word of ours that is none of his, and the next one is served."""

import asyncio
import contextlib
import json
import socket
import struct
import threading
import zlib

import httpx
import pytest

from tests.apps.server.conftest import SECONDS, discs, encoded, until

CUT = "/v1/cut"
JPEG = {"content-type": "image/jpeg"}
SMALL = {"max_body": 300_000, "max_bytes": 200_000, "max_pixels": 1_000_000, "body_seconds": 1, "max_fields": 50}

HEAD = b"POST /v1/cut HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"

BOUNDARY = {"content-type": "multipart/form-data; boundary=b"}
AS_JSON = {"content-type": "application/json"}
AS_FORM = {"content-type": "application/x-www-form-urlencoded"}


def png(width, height, *chunks):
    """A PNG whose header says what it likes."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(chunk(*c) for c in chunks) + chunk(b"IEND", b"")


@pytest.fixture(scope="module")
def small():
    """A service of small limits, shared: what it is sent must leave it as it was."""
    from tests.apps.server.conftest import serving

    with serving(discs(), limits=SMALL) as client:
        yield client


@pytest.fixture(autouse=True)
def next_one_is_served(request, photo):
    """After every test here, a good request is answered, and nothing is held."""
    yield
    if "small" in request.fixturenames:
        client = request.getfixturevalue("small")
        assert client.post(CUT, content=photo, headers=JPEG).status_code == 200


def refused(answer, *statuses):
    """What was sent is refused in a sentence of ours, without a word about how we are made."""
    assert answer.status_code in statuses, answer.text
    told = answer.json()
    assert told["detail"].endswith((".", "!")) or told["detail"]
    assert not any(word in answer.text for word in ("Traceback", "site-packages", ".py", "cleancut.apps"))
    return told


def part(disposition, data=b"x", more=b""):
    return b"--b\r\nContent-Disposition: form-data; " + disposition + b"\r\n" + more + b"\r\n" + data + b"\r\n"


BAD_PICTURES = {
    "nothing": b"",
    "text": b"not a picture",
    "html": b"<!doctype html><html></html>",
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
    "zeros": bytes(1000),
    "a gzip bomb": zlib.compress(bytes(10_000_000), 9),
    "a head of JPEG": b"\xff\xd8\xff\xe0",
    "a head of PNG": b"\x89PNG\r\n\x1a\n",
    "a PNG of 4 billion pixels": png(65_535, 65_535),
    "a PNG of no pixels": png(0, 0),
    "a PNG with a bomb of text": png(8, 8, (b"zTXt", b"a\0\0" + zlib.compress(bytes(80_000_000), 9))),
    "a PNG that ends early": png(500, 500, (b"IDAT", zlib.compress(bytes(10)))),
    "a GIF of 65535 a side": b"GIF89a\xff\xff\xff\xff\0\0\0;",
    "a TIFF that points nowhere": b"II*\0\xff\xff\xff\xff",
    "a WebP that lies": b"RIFF\xff\xff\xff\xffWEBPVP8X\x0a\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff",
}


@pytest.mark.parametrize("data", BAD_PICTURES.values(), ids=BAD_PICTURES)
def test_what_is_no_picture(small, data):
    refused(small.post(CUT, content=data, headers=JPEG), 400, 413)


def test_a_picture_that_ends_in_the_middle(small, photo):
    refused(small.post(CUT, content=photo[: len(photo) // 2], headers=JPEG), 400)


BAD_BODIES = {
    "multipart without a boundary": (b"", {"content-type": "multipart/form-data"}),
    "multipart of another boundary": (part(b'name="a"'), {"content-type": "multipart/form-data; boundary=c"}),
    "multipart of an endless boundary": (b"", {"content-type": f"multipart/form-data; boundary={'b' * 500}"}),
    "multipart that is none": (b"hello", BOUNDARY),
    "multipart without an end": (part(b'name="image"; filename="a"', bytes(1000)), BOUNDARY),
    "a part without a name": (part(b"") + b"--b--\r\n", BOUNDARY),
    "a part without a disposition": (b"--b\r\n\r\nx\r\n--b--\r\n", BOUNDARY),
    "a part with a hundred headers": (part(b'name="a"', more=b"X-A: b\r\n" * 100) + b"--b--\r\n", BOUNDARY),
    "a part with an endless header": (part(b'name="a"', more=b"X-A: " + b"b" * 9000 + b"\r\n"), BOUNDARY),
    "10,000 fields": (b"".join(part(b'name="a%d"' % i) for i in range(5_000)) + b"--b--\r\n", BOUNDARY),
    "too many files": (b"".join(part(b'name="image"; filename="a"') for _ in range(30)) + b"--b--\r\n", BOUNDARY),
    "a charset of nonsense": (
        part(b'name="image"') + b"--b--\r\n",
        {"content-type": "multipart/form-data; boundary=b; charset=zz"},
    ),
    "10,000 fields of a form": (b"&".join(b"a%d=1" % i for i in range(10_000)), AS_FORM),
    "a form of half a character": (b"effects=%ff%fe%80", AS_FORM),
    "a form of nulls": (b"effects=%00&model=%00", AS_FORM),
    "JSON that is none": (b"{", AS_JSON),
    "JSON in another encoding": ('{"image": "é"}'.encode("utf-16"), AS_JSON),
    "a list": (b"[]", AS_JSON),
    "a word": (b"null", AS_JSON),
    "deep JSON": (b'{"a":' * 20 + b"1" + b"}" * 20, AS_JSON),
    "JSON without a bottom": (b"[" * 9_000, AS_JSON),
    "JSON of many values": (b"[" + b"1," * 100_000 + b"1]", AS_JSON),
    "JSON with a key twice": (b'{"image": "aGk=", "image": "aGk="}', AS_JSON),
    "JSON with NaN": (b'{"quality": NaN}', AS_JSON),
    "JSON with half a character": (b'{"image": "aGk=", "model": "\\ud800"}', AS_JSON),
    "JSON with a number without end": (b'{"image": "aGk=", "quality": 1' + b"0" * 5_000 + b"}", AS_JSON),
    "JSON with a huge power": (b'{"image": "aGk=", "quality": 1e999}', AS_JSON),
    "a step of the wrong kind": (b'{"image": "aGk=", "effects": [[]]}', AS_JSON),
    "a step without a name": (b'{"image": "aGk=", "effects": [{}]}', AS_JSON),
    "a model that is an object": (b'{"image": "aGk=", "model": {"a": 1}}', AS_JSON),
    "a path for a model": (b'{"image": "aGk=", "model": "/etc/passwd"}', AS_JSON),
    "a file for a model": (b'{"image": "aGk=", "model": "../../x.onnx"}', AS_JSON),
    "a path for a picture": (b'{"image": "aGk=", "effects": [{"name": "behind", "picture": "/etc/passwd"}]}', AS_JSON),
    "100 steps": (b'{"image": "aGk=", "effects": [' + b",".join([b'"blur"'] * 100) + b"]}", AS_JSON),
    "two sources": (b'{"image": "aGk=", "url": "http://a.example"}', AS_JSON),
    "text": (b"hello", {"content-type": "text/plain"}),
    "XML": (b"<a/>", {"content-type": "application/xml"}),
    "a type of nonsense": (b"hello", {"content-type": b"\xff;;;="}),
    "a body in gzip": (zlib.compress(bytes(1_000_000)), JPEG | {"content-encoding": "gzip"}),
    "a body in two codings": (b"x", JPEG | {"content-encoding": "identity, br"}),
}  # fmt: skip


@pytest.mark.parametrize(("body", "headers"), BAD_BODIES.values(), ids=BAD_BODIES)
def test_what_is_badly_written(small, body, headers):
    refused(small.post(CUT, content=body, headers=headers), 400, 413, 415, 422)


def test_a_long_address(small):
    refused(small.post(f"{CUT}?effects={'x' * 5_000}"), 400)
    refused(small.get("/" + "x" * 5_000), 400)
    refused(small.post(f"{CUT}?{'&'.join(f'a{i}' for i in range(200))}"), 413)


@pytest.mark.parametrize(
    "path", ["/v1/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/v1/cut/../../x", "/%00", "/%ff"]
)
def test_a_path_that_leads_nowhere(small, path):
    refused(small.get(path), 404, 405)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "NONSENSE"])
def test_another_method(small, method):
    refused(small.request(method, CUT), 405)


def test_a_large_body_is_refused_by_its_head(small):
    reply = spoken(small, b"POST /v1/cut HTTP/1.1\r\nHost: localhost\r\nContent-Length: 300000000\r\n\r\n")
    assert reply.startswith(b"HTTP/1.1 413 ") and b"0.3 MB" in reply


@pytest.mark.parametrize("length", [b"-1", b"1e9", b"99999999999999999999999", b"5, 6", b"0x10", b""])
def test_a_length_that_is_none(small, length):
    reply = spoken(small, b"POST /v1/cut HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + length + b"\r\n\r\n")
    assert reply.split(b" ")[1] in {b"400", b"413"}


def test_a_body_without_end_is_cut_off(small):
    sent = []

    def body():
        with contextlib.suppress(GeneratorExit):
            while len(sent) < 4_000:
                sent.append(1)
                yield bytes(75_000)

    with contextlib.suppress(httpx.TransportError):  # the connection may be closed while it still sends
        refused(small.post(CUT, content=body(), headers=JPEG), 413)
    assert 0 < len(sent) < 4_000
    assert small.app.state.intake.bytes == 0


@pytest.mark.parametrize(
    "head",
    [
        b"POST /v1/cut HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nx",
        b"POST /v1/cut HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
        b"POST /v1/cut HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        b"Content-Length: 1000\r\n\r\n--b\r\n",
    ],
    ids=["raw", "chunked", "multipart"],
)
def test_a_body_that_trickles_is_given_up(small, head):
    assert spoken(small, head).startswith(b"HTTP/1.1 408 ")


def test_a_head_that_trickles_is_given_up(small, monkeypatch):
    monkeypatch.setattr("cleancut.apps.server.running._HEAD_SECONDS", 0.2)
    assert spoken(small, b"POST /v1/cut HTT") == b""
    assert spoken(small, b"") == b""
    after = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\nGET /he"
    assert spoken(small, after).startswith(b"HTTP/1.1 200 ")


def test_a_head_without_end_is_refused(small):
    reply = spoken(small, b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X-A: b\r\n" * 20_000)
    assert reply == b"" or reply.startswith(b"HTTP/1.1 4")


@pytest.mark.parametrize("garbage", [b"\0" * 100, b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"POST / HTTP/9.9\r\n\r\n"])
def test_what_is_not_http(small, garbage):
    assert b"500" not in spoken(small, garbage).split(b"\r\n")[0]


def test_a_body_that_stops_is_forgotten(small, photo):
    for cut_off in (b"", photo[:10], photo[:-1]):
        with connected(small) as connection:
            connection.sendall(HEAD % len(photo) + cut_off)
    until(lambda: small.app.state.intake.bytes == 0)


def test_who_leaves_while_waiting_gives_its_place_up(serve, photo):
    go, begun = threading.Event(), threading.Event()

    client = serve(limits={"workers": 1}, cache="off")
    until(lambda: client.service.ready)
    client.service.load = discs(before=lambda: (begun.set(), go.wait(SECONDS)))
    with contextlib.ExitStack() as left:
        for side in range(3):
            connection = left.enter_context(connected(client))
            connection.sendall((HEAD % len(photo)).replace(b"cut", b"cut?max_side=%d" % (50 + side), 1) + photo)
        until(lambda: client.service.gate.waiting >= 2)
        assert begun.wait(SECONDS)
    until(lambda: client.service.gate.waiting == 0)
    go.set()
    until(lambda: client.service.gate.busy == 0)
    assert client.post(CUT, content=photo, headers=JPEG).status_code == 200


NAMES = [
    "../../../etc/passwd",
    "a\0b.png",
    'a"; filename="b',
    "a\r\nX-Injected: yes\r\n\r\n",
    "…" * 5_000,
    "CON",
    "%00",
    "",
]


@pytest.mark.parametrize("name", NAMES, ids=map(repr, range(len(NAMES))))
def test_names_reach_no_header_and_no_path(small, photo, name):
    raw = name.replace('"', "%22").encode()
    body = part(b'name="image"; filename="' + raw + b'"', photo, b"Content-Type: x/y\r\n") + b"--b--\r\n"
    answer = small.post(CUT, content=body, headers=BOUNDARY)
    assert answer.status_code in {200, 400}
    assert "x-injected" not in answer.headers
    assert "/" not in answer.headers.get("content-disposition", "").replace("UTF-8''", "")


def test_accept_headers_of_nonsense(small, photo):
    for accept in ("," * 5_000, "a/b;q=" + "9" * 500, ";;;", "*", "image/png;q=nan", "\xe9"):
        headers = JPEG | {"accept": accept.encode("latin-1")}
        assert small.post(CUT, content=photo, headers=headers).status_code == 200


def test_results_too_large_for_one_answer(serve, photo):
    client = serve(limits={"max_answer": 1_000})
    refused(client.post(CUT, files=[("image", photo)] * 2), 413)


def test_an_effect_that_makes_the_picture_too_large(small, photo):
    answer = small.post(CUT, content=photo, headers=JPEG, params={"effects": "canvas:width=9000,height=9000"})
    refused(answer, 413, 422)


def test_all_bodies_together_are_bounded(serve, photo):
    client = serve(limits={"max_bodies": 100_000})
    with connected(client) as connection:
        connection.sendall(HEAD % 95_000 + bytes(90_000))
        until(lambda: client.app.state.intake.bytes >= 90_000)
        told = client.post(CUT, content=bytes(50_000), headers=JPEG)
        assert refused(told, 429)["code"] == "queue_full"
        assert int(told.headers["retry-after"]) >= 1
    until(lambda: client.app.state.intake.bytes == 0)
    assert client.post(CUT, content=photo, headers=JPEG).status_code == 200


def test_a_crowd_is_served_or_asked_to_come_back(serve, photo):
    client = serve(limits={"waiting": 16}, cache="off")
    statuses = asyncio.run(crowd(client, photo, 400))
    assert set(statuses) <= {200, 429, 504} and statuses.count(200) >= 16
    until(lambda: (client.service.gate.busy, client.service.gate.waiting) == (0, 0))
    assert client.post(CUT, content=photo, headers=JPEG).status_code == 200


async def crowd(client, photo, count):
    """So many callers at once, each with a request of its own; give their statuses."""
    url = client.base_url

    async def one(number):
        reader, writer = await asyncio.open_connection(url.host, url.port)
        writer.write(
            f"POST /v1/cut?max_side={number + 20} HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n"
            f"Connection: close\r\nContent-Length: {len(photo)}\r\n\r\n".encode()
            + photo
        )
        answer = await reader.read()
        writer.close()
        return int(answer.split(b" ", 2)[1])

    return await asyncio.gather(*(one(number) for number in range(count)))


def test_nothing_of_a_failure_of_ours_is_told(serve, photo, caplog):
    def load(name):
        raise RuntimeError("secret /srv/models")

    client = serve(load)
    answer = client.post(CUT, content=photo, headers=JPEG)
    assert refused(answer, 500)["code"] == "broken"
    assert "secret" not in answer.text and "RuntimeError" not in answer.text


def connected(client):
    url = client.base_url
    return socket.create_connection((url.host, url.port), timeout=SECONDS)


def spoken(client, data):
    """Say something over a connection of one's own; give all that comes back until the other side closes."""
    with connected(client) as connection:
        reply = b""
        try:
            connection.sendall(data)
            while more := connection.recv(65_536):
                reply += more
                if complete(reply):
                    break
        except ConnectionError:
            pass
        return reply


def complete(reply):
    head, end, body = reply.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    return bool(end) and bool(lengths) and len(body) >= int(lengths[0])


def test_problems_are_ascii_whatever_they_quote(small):
    answer = small.post(CUT, content=b'{"image": "aGk=", "colour\\ud800": 1}', headers=AS_JSON)
    assert answer.content.isascii() and json.loads(answer.content)


def test_a_large_picture_is_encoded_as_sent(small):
    import numpy as np

    data = encoded(np.zeros((1100, 1000, 3), np.uint8), "PNG")
    assert refused(small.post(CUT, content=data, headers=JPEG), 413)["code"] == "too_big"
