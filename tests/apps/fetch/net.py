"""An internet of one server on this machine: every address leads to it, and who asked for which is noted."""

import asyncio
import re
from contextlib import asynccontextmanager

import httpcore

from cleancut.apps.fetch.get import Fetcher

PUBLIC = "93.184.215.14"
PICTURE = b"\x89PNG and what follows"


def answer(body=PICTURE, status="200 OK", **headers):
    """A whole answer of HTTP, as bytes."""
    headers = {"Content_Type": "image/png", "Content_Length": len(body), **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items() if value is not None]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("latin-1") + body


def redirect(to, status="302 Found"):
    return answer(b"", status, Location=to)


class Stream(httpcore.AsyncNetworkStream):
    """A connection on which TLS is only said to be: whose name would be proved is noted."""

    def __init__(self, inner, proved):
        self.read, self.write, self.aclose, self.get_extra_info = (
            inner.read,
            inner.write,
            inner.aclose,
            lambda info: None,
        )
        self.proved = proved

    async def start_tls(self, ssl_context, server_hostname=None, timeout=None):
        self.proved.append((server_hostname, ssl_context.check_hostname))
        return self


class Net(httpcore.AnyIOBackend):
    """What Pinned connects through.

    Attributes:
        replies: what is answered: bytes, or a function of the writer; the last one again and again.
        asked: the requests, as bytes.
        connected: (address, port) of each connection.
        proved: (name, whether it is checked) of each certificate that would be asked for.
        dead: addresses where nobody answers.
    """

    def __init__(self, *replies):
        self.replies = list(replies)
        self.asked, self.connected, self.proved, self.dead = [], [], [], set()
        self.port = 0

    async def connect_tcp(self, host, port, *rest):
        self.connected.append((host, port))
        if host in self.dead:
            raise httpcore.ConnectError
        return Stream(await super().connect_tcp("127.0.0.1", self.port, *rest), self.proved)

    async def serve(self, reader, writer):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            self.asked.append(head + await reader.readexactly(int(length[1]) if length else 0))
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
            if callable(reply):
                await reply(writer)
            else:
                writer.write(reply)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


class Names:
    """A resolver: what it answers to each question in turn, the last again and again; every question is noted."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers or [[PUBLIC]]), []

    async def __call__(self, host):
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@asynccontextmanager
async def internet(*replies, names=None, **settings):
    """Give a net whose server answers so, and a fetcher that lives in it."""
    net = Net(*replies)
    server = await asyncio.start_server(net.serve, "127.0.0.1", 0)
    net.port = server.sockets[0].getsockname()[1]
    fetcher = Fetcher(on=True, resolve=names or Names(), network=net, **settings)
    try:
        yield net, fetcher
    finally:
        server.close()
        await server.wait_closed()
