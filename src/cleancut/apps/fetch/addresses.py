"""Which addresses are public: those that anyone on the internet reaches as well as we do.

The rule is the one that lets in least. Of IPv6, only what is given out as global unicast (2000::/3), less the parts of
it that carry an IPv4 address inside (6to4, Teredo) or are set aside; IPv4-mapped, NAT64, unique local, link-local and
multicast addresses lie outside of it. Of IPv4, all but the special-purpose registry (RFC 6890 and IANA's list) and
the one address inside a cloud that looks public.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

from cleancut.errors import BadUrl

Address: TypeAlias = IPv4Address | IPv6Address

_GLOBAL_UNICAST = IPv6Network("2000::/3")

_SET_ASIDE = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",  # this host; many systems connect it to themselves
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by carriers (RFC 6598); a cloud's metadata at 100.100.100.200
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a cloud's host agent, which answers its guests only
        "169.254.0.0/16",  # link-local; the metadata of most clouds at 169.254.169.254
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; a cloud's metadata at 192.0.0.192
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks of networks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address of any kind inside
        "3fff::/20",  # documentation
    )
)

_LONGEST_NAME = 254
_A_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)
_A_NAME = re.compile(r"([a-z0-9_-]{1,63}\.)+[a-z0-9_-]{1,63}\.?", re.IGNORECASE)


def public(address: Address) -> bool:
    """Tell whether an address is one that anyone on the internet may ask.

    >>> [public(ip_address(text)) for text in ("93.184.215.14", "127.0.0.1", "::ffff:93.184.215.14", "64:ff9b::1")]
    [True, False, False, False]
    """
    if isinstance(address, IPv6Address) and (address not in _GLOBAL_UNICAST or address.scope_id):
        return False
    return address.is_global and not any(address in network for network in _SET_ASIDE)


def literal(host: str) -> Address | None:
    """Read the host of a URL that is an address; None where it is a name.

    Systems read 0x7f.1, 2130706433 and 0177.0.0.1 as addresses too; a host that ends in a number is never a name
    (WHATWG URL, "ends in a number"), so all but four decimal numbers are refused. So are names without a dot, which
    are nobody's but this network's.

    Args:
        host: as ASCII, without brackets.

    Raises:
        BadUrl: it is neither an address in its usual spelling nor a full name.

    >>> literal("::1"), literal("example.com")
    (IPv6Address('::1'), None)
    """
    try:
        return ip_address(host)
    except ValueError:
        pass
    if _A_NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        raise BadUrl("The host of the address is a number in an unusual spelling; write a name, or four numbers.")
    if len(host) > _LONGEST_NAME or not _A_NAME.fullmatch(host):
        raise BadUrl("The host of the address is not a full name such as www.example.com.")
    return None
