import socket

import pytest

from cleancut.apps.fetch.pinned import Pinned, Resolver, _resolved
from cleancut.errors import BadUrl, FetchFailed
from tests.apps.fetch.net import PICTURE, PUBLIC, Names, answer, internet, redirect

pytestmark = pytest.mark.anyio
ANOTHER = "93.184.215.15"


async def test_a_name_is_resolved_once_and_what_was_checked_is_connected_to():
    """DNS rebinding: the resolver answers with a public address first and with this machine's next."""
    names = Names([PUBLIC], ["127.0.0.1"])
    async with internet(answer(), names=names) as (net, fetcher):
        assert await fetcher.get("http://rebind.example/a.png", max_bytes=99) == PICTURE
    assert names.asked == ["rebind.example"]
    assert net.connected == [(PUBLIC, 80)]


async def test_the_second_hop_to_the_same_name_is_checked_anew():
    names = Names([PUBLIC], ["127.0.0.1"])
    async with internet(redirect("/b.png"), answer(), names=names) as (net, fetcher):
        with pytest.raises(BadUrl, match="no public address"):
            await fetcher.get("http://rebind.example/a.png", max_bytes=99)
    assert len(net.asked) == 1
    assert net.connected == [(PUBLIC, 80)]


@pytest.mark.parametrize("found", [[], ["127.0.0.1"], [PUBLIC, "10.0.0.1"], ["10.0.0.1", PUBLIC], ["fe80::1%eth0"]])
async def test_a_name_without_an_address_and_one_with_ours_are_refused_in_one_sentence(found):
    async with internet(answer(), names=Names(found)) as (net, fetcher):
        with pytest.raises(BadUrl) as refused:
            await fetcher.get("http://some.example/a.png", max_bytes=99)
    assert str(refused.value) == "The host some.example has no public address, and no other is fetched."
    assert net.connected == []


async def test_the_next_address_is_tried_where_one_does_not_answer():
    async with internet(answer(), names=Names([PUBLIC, ANOTHER])) as (net, fetcher):
        net.dead.add(PUBLIC)
        assert await fetcher.get("http://some.example/a.png", max_bytes=99) == PICTURE
    assert net.connected == [(PUBLIC, 80), (ANOTHER, 80)]


async def test_not_every_address_of_a_name_of_thousands_is_tried():
    many = [f"93.184.215.{n}" for n in range(1, 250)]
    async with internet(answer(), names=Names(many)) as (net, fetcher):
        net.dead.update(many)
        with pytest.raises(FetchFailed, match=r"could not be asked: the connection failed\.$"):
            await fetcher.get("http://some.example/a.png", max_bytes=99)
    assert len(net.connected) == 4


async def test_an_address_is_not_resolved():
    names = Names([ANOTHER])
    async with internet(answer(), names=names) as (net, fetcher):
        await fetcher.get(f"http://{PUBLIC}/a.png", max_bytes=99)
    assert (names.asked, net.connected) == ([], [(PUBLIC, 80)])


async def test_tls_and_host_keep_the_name():
    async with internet(answer()) as (net, fetcher):
        assert await fetcher.get("https://some.example/a.png", max_bytes=99) == PICTURE
    assert net.connected == [(PUBLIC, 443)]
    assert net.proved == [("some.example", True)]
    assert b"\r\nHost: some.example\r\n" in net.asked[0]


async def test_a_socket_of_this_machine_is_no_address():
    with pytest.raises(NotImplementedError):
        await Pinned(Names()).connect_unix_socket("/run/some.sock")


def test_names_are_asked_for_as_they_stand(monkeypatch):
    """No search list: in a cluster it would make "redis.default" a name of the inside."""
    asked = []

    def getaddrinfo(host, port, type):
        asked.append(host)
        return [(0, 0, 0, "", (PUBLIC, 0)), (0, 0, 0, "", (PUBLIC, 0)), (0, 0, 0, "", ("2606::1", 0, 0, 0))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert _resolved("redis.default") == [PUBLIC, "2606::1"]
    assert asked == ["redis.default."]


@pytest.mark.parametrize("error", [socket.gaierror(-2, "no"), UnicodeError("label too long")])
async def test_a_name_that_does_not_resolve_has_no_address(monkeypatch, error):
    def getaddrinfo(*_, **__):
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    resolver = Resolver(1)
    assert list(await resolver("some.example")) == []
    resolver.close()
