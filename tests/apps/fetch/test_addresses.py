from ipaddress import ip_address

import pytest

from cleancut.apps.fetch.addresses import _SET_ASIDE, literal, public
from cleancut.errors import BadUrl

OURS = {
    "loopback": "127.0.0.1",
    "loopback, another": "127.255.255.254",
    "this host": "0.0.0.0",
    "this network": "0.1.2.3",
    "private 10": "10.0.0.1",
    "private 172": "172.16.0.1",
    "private 172, last": "172.31.255.255",
    "private 192": "192.168.1.1",
    "link-local": "169.254.1.1",
    "metadata of most clouds": "169.254.169.254",
    "metadata of containers": "169.254.170.2",
    "metadata in CGNAT": "100.100.100.200",
    "metadata among the protocols": "192.0.0.192",
    "host agent": "168.63.129.16",
    "CGNAT": "100.64.0.1",
    "CGNAT, last": "100.127.255.255",
    "benchmarks": "198.18.0.1",
    "documentation 1": "192.0.2.1",
    "documentation 2": "198.51.100.1",
    "documentation 3": "203.0.113.1",
    "6to4 relay": "192.88.99.1",
    "multicast": "224.0.0.1",
    "multicast, global": "233.252.0.1",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
    "v6 unspecified": "::",
    "v6 loopback": "::1",
    "v6 mapped loopback": "::ffff:127.0.0.1",
    "v6 mapped public": "::ffff:93.184.215.14",
    "v6 compatible": "::127.0.0.1",
    "v6 translated": "::ffff:0:127.0.0.1",
    "NAT64": "64:ff9b::7f00:1",
    "NAT64 of a public one": "64:ff9b::5db8:d70e",
    "NAT64, local": "64:ff9b:1::7f00:1",
    "discard": "100::1",
    "Teredo": "2001::1",
    "Teredo with loopback inside": "2001:0:7f00:1::",
    "ORCHID": "2001:20::1",
    "v6 benchmarks": "2001:2::1",
    "v6 documentation": "2001:db8::1",
    "v6 documentation, new": "3fff::1",
    "6to4 of loopback": "2002:7f00:1::",
    "6to4 of a public one": "2002:5db8:d70e::",
    "unique local": "fd00::1",
    "metadata over v6": "fd00:ec2::254",
    "metadata over v6, another": "fd20:ce::254",
    "v6 link-local": "fe80::1",
    "v6 link-local with a zone": "fe80::1%eth0",
    "v6 public with a zone": "2606:4700::1111%eth0",
    "site-local": "fec0::1",
    "v6 multicast": "ff02::1",
    "v6 multicast, global": "ff0e::1",
    "segment routing": "5f00::1",
    "not given out": "4000::1",
}


@pytest.mark.parametrize("text", OURS.values(), ids=OURS)
def test_an_address_that_only_we_reach_is_not_public(text):
    assert not public(ip_address(text))


@pytest.mark.parametrize(
    "text",
    ["1.1.1.1", "8.8.8.8", "93.184.215.14", "100.63.255.255", "100.128.0.1", "172.15.255.255", "172.32.0.1", "11.0.0.1",
     "192.169.0.1", "169.253.0.1", "223.255.255.255", "126.255.255.255", "168.63.129.17",
     "2606:4700:4700::1111", "2a00:1450:4001:82a::200e", "2003::1"],
)  # fmt: skip
def test_an_address_of_the_internet_is_public(text):
    assert public(ip_address(text))


@pytest.mark.parametrize("network", _SET_ASIDE, ids=str)
def test_every_network_is_refused_from_its_first_address_to_its_last(network):
    assert not public(network[0])
    assert not public(network[-1])


def test_nothing_that_python_knows_as_private_is_public():
    """Python's table is another hand's; where it refuses we do, in a sample of every /8."""
    every = [ip_address(f"{first}.{second}.1.1") for first in range(256) for second in range(0, 256, 16)]
    wrong = [address for address in every if public(address) and (not address.is_global or address.is_multicast)]
    assert len(every) == 4096
    assert wrong == []


@pytest.mark.parametrize(
    "host",
    ["0x7f.1", "0x7f000001", "2130706433", "0177.0.0.1", "127.1", "127.0.1", "127.0.0.1.", "0", "1", "0x", "0X7F.0.0.1",
     "127.0.0.0x1", "256.256.256.256", "1.2.3.4.5", "010.0.0.1", "localhost", "metadata", "redis", "ex%61mple.com",
     "localhost%00.example.com", "a b.com", "...", "", ".", "a..b", "xn--", f"{'a' * 64}.com", f"{'a.' * 130}com",
     "::1]", "1::2::3", "exa\u00admple.com", "＠.com"],
)  # fmt: skip
def test_a_host_that_is_neither_a_usual_address_nor_a_full_name_is_refused(host):
    with pytest.raises(BadUrl, match="host"):
        literal(host)


@pytest.mark.parametrize(
    "host", ["example.com", "www.example.com.", "xn--bcher-kva.example", "a_b.example.com", "1a.com"]
)
def test_a_name_is_no_address(host):
    assert literal(host) is None


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "93.184.215.14"])
def test_an_address_in_its_usual_spelling_is_read(host):
    assert literal(host) == ip_address(host)
