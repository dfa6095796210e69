"""Connections to public addresses only: a name is resolved once, and what was checked is what is connected to.

A resolver that answers otherwise the next time it is asked (DNS rebinding) gains nothing, as there is no next time.
The name stays what TLS proves and what the Host header says.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address

import httpcore

from cleancut.apps.fetch.addresses import Address, literal, public
from cleancut.errors import BadUrl

Resolve = Callable[[str], Awaitable[Sequence[str]]]
"""A host's name → its addresses; none where there is no such name."""

_MOST_TRIED = 4
_CONNECT_SECONDS = 5.0


class Resolver:
    """The system's resolver, in threads of its own: a server of names that is slow keeps nothing else waiting."""

    def __init__(self, at_once: int) -> None:
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="cleancut-names")

    async def __call__(self, host: str) -> Sequence[str]:
        """Give the addresses of a name."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, _resolved, host)

    def close(self) -> None:
        """End its threads as soon as they are idle."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _resolved(host: str) -> Sequence[str]:
    absolute = f"{host.rstrip('.')}."  # no search list: "metadata" or "redis.default" are names of nobody's
    try:
        found = socket.getaddrinfo(absolute, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Pinned(httpcore.AsyncNetworkBackend):
    """What httpcore connects through.

    Args:
        resolve: a name → its addresses.
        allowed: which addresses may be connected to.
        inner: makes the connection, to an address.
    """

    def __init__(
        self,
        resolve: Resolve,
        allowed: Callable[[Address], bool] = public,
        inner: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._resolve = resolve
        self._allowed = allowed
        self._inner = inner or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of a host that answers.

        Raises:
            BadUrl: the host has no address, or one that may not be connected to.
            httpcore.NetworkError, httpcore.TimeoutException: none answers.
        """
        failed: Exception = httpcore.ConnectError("no address")
        seconds = min(timeout or _CONNECT_SECONDS, _CONNECT_SECONDS)
        for address in (await self._checked(host))[:_MOST_TRIED]:
            try:
                return await self._inner.connect_tcp(str(address), port, seconds, local_address, socket_options)
            except (httpcore.NetworkError, httpcore.TimeoutException) as error:
                failed = error
        raise failed

    async def _checked(self, host: str) -> list[Address]:
        """Give a host's addresses, all of which may be connected to.

        A name that leads both to a public address and to another is refused whole. One sentence answers every kind of
        refusal, so that nobody learns from it which names exist inside.
        """
        stated = literal(host)
        found = [stated] if stated else [ip_address(text.partition("%")[0]) for text in await self._resolve(host)]
        if not found or not all(self._allowed(address) for address in found):
            raise BadUrl(f"The host {host} has no public address, and no other is fetched.")
        return found
