import asyncio
import gzip
import re

import pytest

from cleancut.apps.fetch.get import Fetcher
from cleancut.errors import BadUrl, FetchFailed, QueueFull, TooBig, UrlsOff
from tests.apps.fetch.net import PICTURE, PUBLIC, Names, answer, internet, redirect

pytestmark = pytest.mark.anyio
URL = "http://some.example/a.png"


async def test_nothing_is_fetched_unless_it_is_switched_on():
    names = Names()
    fetcher = Fetcher(on=False, resolve=names)
    with pytest.raises(UrlsOff, match="send the file itself"):
        await fetcher.get(URL, max_bytes=99)
    with pytest.raises(UrlsOff):
        await fetcher.post(URL, b"", {})
    with pytest.raises(UrlsOff):
        fetcher.check(URL)
    assert names.asked == []


async def test_what_is_sent_tells_nothing_of_the_caller(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    async with internet(answer()) as (net, fetcher):
        assert await fetcher.get("http://some.example:80/a%20b.png?q=1#part", max_bytes=99) == PICTURE
    head, *rest = net.asked[0].decode().split("\r\n")
    assert head == "GET /a%20b.png?q=1 HTTP/1.1"
    names = [line.partition(":")[0] for line in rest if line]
    assert names == ["Host", "User-Agent", "Accept-Encoding", "Connection", "Accept"]
    assert {"Host: some.example", "Accept-Encoding: identity"} <= set(rest)


REFUSED = {
    "another scheme": "file:///etc/passwd",
    "ftp": "ftp://some.example/a.png",
    "gopher": "gopher://some.example/a",
    "data": "data:image/png;base64,AA==",
    "no scheme": "//some.example/a.png",
    "no host": "http:///a.png",
    "nothing": "",
    "words": "not an address",
    "control characters": "http://some.example/\r\nX: y",
    "a name and a password": "http://me:secret@some.example/",
    "a trick with @": "http://good.example\\@127.0.0.1/",
    "a port": "http://some.example:22/",
    "port 0": "http://some.example:0/",
    "a port out of range": "http://some.example:99999/",
    "no number for a port": "http://some.example:http/",
    "too long": "http://some.example/" + "a" * 2000,
    "a loopback address": "http://127.0.0.1/",
    "loopback, odd 1": "http://0x7f.1/",
    "loopback, odd 2": "http://2130706433/",
    "loopback, odd 3": "http://0177.0.0.1/",
    "loopback, odd 4": "http://127。0。0。1/",
    "loopback, odd 5": "http://１２７.0.0.1/",
    "loopback of v6": "http://[::1]/",
    "loopback, mapped": "http://[::ffff:7f00:1]/",
    "loopback through NAT64": "http://[64:ff9b::7f00:1]/",
    "metadata": "http://169.254.169.254/latest/meta-data/",
    "a zone": "http://[fe80::1%25eth0]/",
    "localhost": "http://localhost/",
    "half a surrogate": "http://some.example\ud800/",
    "half an IPv6": "http://[::1/",
    "punycode of nothing": "http://xn--/",
}


@pytest.mark.parametrize("url", REFUSED.values(), ids=REFUSED)
async def test_a_bad_address_is_refused_before_anyone_is_asked(url):
    names = Names()
    async with internet(answer(), names=names) as (net, fetcher):
        with pytest.raises(BadUrl):
            await fetcher.get(url, max_bytes=99)
        with pytest.raises(BadUrl):
            fetcher.check(url)
        with pytest.raises(BadUrl):
            await fetcher.post(url, b"", {})
    assert (names.asked, net.connected) == ([], [])


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "data:image/png;base64,AA==", "gopher://some.example/", "http://127.0.0.1/",
     "//169.254.169.254/latest/", "http://0x7f.1/", "http://[::ffff:7f00:1]/", "http://localhost/",
     "http://some.example:22/", "http://me:secret@some.example/", "/" + "a" * 2000],
)  # fmt: skip
async def test_where_a_redirect_leads_is_checked_like_an_address(location):
    async with internet(redirect(location), answer()) as (net, fetcher):
        with pytest.raises(BadUrl):
            await fetcher.get(URL, max_bytes=99)
    assert net.connected == [(PUBLIC, 80)]


async def test_a_port_that_is_allowed_is_asked():
    async with internet(answer(), ports=[8080]) as (net, fetcher):
        await fetcher.get("http://some.example:8080/", max_bytes=99)
        with pytest.raises(BadUrl, match="port 80 "):
            await fetcher.get("http://some.example/", max_bytes=99)
    assert net.connected == [(PUBLIC, 8080)]


async def test_a_server_here_is_reached_by_who_allows_it():
    """What the checks stand between: with them out of the way the connection is a real one."""
    async with internet(answer()) as (net, _):
        open_to_all = Fetcher(on=True, ports=[net.port], allowed=lambda address: True)
        assert await open_to_all.get(f"http://127.0.0.1:{net.port}/", max_bytes=99) == PICTURE
        with pytest.raises(BadUrl):
            await Fetcher(on=True, ports=[net.port]).get(f"http://127.0.0.1:{net.port}/", max_bytes=99)
        open_to_all.close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_followed(status):
    async with internet(redirect("//other.example/b.png", f"{status} Moved"), answer()) as (net, fetcher):
        assert await fetcher.get(URL, max_bytes=99) == PICTURE
    assert [re.search(rb"Host: (\S+)", request)[1] for request in net.asked] == [b"some.example", b"other.example"]


async def test_three_redirects_are_followed_and_a_fourth_is_not():
    async with internet(*[redirect("/x")] * 3, answer()) as (net, fetcher):
        assert await fetcher.get(URL, max_bytes=99) == PICTURE
    async with internet(redirect("/x")) as (net, fetcher):
        with pytest.raises(FetchFailed, match="more than 3"):
            await fetcher.get(URL, max_bytes=99)
    assert len(net.asked) == 4


async def test_a_redirect_from_https_to_http_is_not_followed():
    async with internet(redirect("http://some.example/b.png")) as (net, fetcher):
        with pytest.raises(FetchFailed, match="from https to http"):
            await fetcher.get("https://some.example/a.png", max_bytes=99)
    assert len(net.asked) == 1


async def trickle(writer):
    writer.write(answer(b"", Content_Length=1000))
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)


async def silence(writer):
    await asyncio.sleep(30)


async def endless_headers(writer):
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-Y: " + b"z" * 5000 + b"\r\n")
        await writer.drain()


async def endless_continues(writer):
    while True:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.001)


FAILS = {
    "404": (answer(status="404 Not Found"), "status 404"),
    "500": (answer(status="500 Broken"), "status 500"),
    "204": (answer(b"", status="204 None", Content_Length=None), "status 204"),
    "206": (answer(status="206 Part"), "status 206"),
    "a redirect to nowhere": (answer(b"", status="302 Found"), "redirects to nowhere"),
    "a redirect to nonsense": (redirect("http://[::"), "not an address"),
    "a page": (answer(b"<html>", Content_Type="text/html; charset=utf-8"), "'text/html', which is not a picture"),
    "gzip": (answer(gzip.compress(bytes(9)), Content_Encoding="gzip"), "compressed"),
    "a coding of two": (answer(Content_Encoding="br, gzip"), "compressed"),
    "a body that is cut off": (answer(Content_Length=1200), "not whole HTTP"),
    "no HTTP": (b"220 ftp.example ready\r\n", "not whole HTTP"),
    "nothing": (b"", "not whole HTTP"),
    "a length that is no number": (answer(Content_Length="many"), "not whole HTTP"),
    "a length without end": (answer(Content_Length="9" * 5000), "not whole HTTP"),
    "two lengths": (answer(content_length=3), "not whole HTTP"),
    "a bad chunk": (answer(b"zz\r\n", Content_Length=None, Transfer_Encoding="chunked"), "not whole HTTP"),
    "endless headers": (endless_headers, "not whole HTTP"),
    "endless continues": (endless_continues, "within 0.3 seconds"),
    "a trickle": (trickle, "within 0.3 seconds"),
    "silence": (silence, "within 0.3 seconds"),
}


@pytest.mark.parametrize(("reply", "reason"), FAILS.values(), ids=FAILS)
async def test_an_answer_that_is_of_no_use_fails_in_one_sentence(reply, reason):
    patient = 0.3 if "0.3" in reason else 10
    async with internet(reply, seconds=patient) as (_, fetcher):
        with pytest.raises(FetchFailed, match=reason) as failed:
            await fetcher.get(URL, max_bytes=1500)
    assert failed.value.public.endswith(".")
    assert "127.0.0.1" not in failed.value.public


async def test_a_name_that_is_looked_up_for_ever_fails_in_time():
    async def slow(host):
        await asyncio.sleep(30)

    with pytest.raises(FetchFailed, match="within 0.05 seconds"):
        await Fetcher(on=True, resolve=slow, seconds=0.05).get(URL, max_bytes=99)


async def test_a_body_that_is_stated_too_long_is_not_read():
    async with internet(answer(bytes(100))) as (_, fetcher):
        with pytest.raises(TooBig, match=r"larger than 5e-05 MB|larger than 0.00005 MB"):
            await fetcher.get(URL, max_bytes=50)


async def test_a_body_without_a_length_is_cut_off_at_the_limit():
    sent = []

    async def endless(writer):
        writer.write(answer(b"", Content_Length=None))
        while True:
            writer.write(bytes(4096))
            sent.append(4096)
            await writer.drain()

    async with internet(endless) as (_, fetcher):
        with pytest.raises(TooBig):
            await fetcher.get(URL, max_bytes=100_000)
    assert sum(sent) < 20_000_000


async def test_a_body_of_exactly_the_limit_is_taken():
    async with internet(answer(bytes(1000), Content_Length=None), answer(bytes(1000))) as (_, fetcher):
        assert len(await fetcher.get(URL, max_bytes=1000)) == 1000
        assert len(await fetcher.get(URL, max_bytes=1000)) == 1000


@pytest.mark.parametrize(
    "kind", ["image/png", "IMAGE/JPEG; q=1", "application/octet-stream", "binary/octet-stream", None]
)
async def test_what_may_be_a_picture_is_taken(kind):
    async with internet(answer(Content_Type=kind or None)) as (_, fetcher):
        assert await fetcher.get(URL, max_bytes=99) == PICTURE


async def test_no_more_are_fetched_at_once_than_allowed():
    async with internet(silence, at_once=1, seconds=10) as (net, fetcher):
        first = asyncio.ensure_future(fetcher.get(URL, max_bytes=99))
        while not net.connected:
            await asyncio.sleep(0)
        with pytest.raises(QueueFull):
            await fetcher.get(URL, max_bytes=99)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        net.replies = [answer()]
        assert await fetcher.get(URL, max_bytes=99) == PICTURE


async def test_news_are_posted_and_the_answer_is_not_read():
    async with internet(answer(bytes(1000), "202 Accepted", Content_Length=10**9)) as (net, fetcher):
        status = await fetcher.post(URL, b'{"done": true}', {"Content-Type": "application/json", "X-Signature": "t=1"})
    assert status == 202
    head, _, body = net.asked[0].partition(b"\r\n\r\n")
    assert body == b'{"done": true}'
    assert head.startswith(b"POST /a.png HTTP/1.1\r\n")
    assert {b"Content-Length: 14", b"X-Signature: t=1"} <= set(head.split(b"\r\n"))


async def test_news_are_not_carried_where_a_redirect_leads():
    async with internet(redirect("http://other.example/", "307 Moved")) as (net, fetcher):
        assert await fetcher.post(URL, b"{}", {}) == 307
    assert len(net.asked) == 1
