"""A Redis of one script: it keeps the window of `limits`, on this machine, and can be told to be silent."""

import asyncio
from contextlib import asynccontextmanager


class Redis:
    """Answers what redis-py and `limits` ask; windows are lists of times, the newest first."""

    def __init__(self):
        self.windows, self.asked = {}, []

    async def serve(self, reader, writer):
        try:
            while line := await reader.readline():
                command = [await self.bulk(reader) for _ in range(int(line[1:]))]
                self.asked.append(command)
                writer.write(self.answer(*command))
                await writer.drain()
        finally:
            writer.close()

    async def bulk(self, reader):
        size = int((await reader.readline())[1:])
        return (await reader.readexactly(size + 2))[:-2].decode()

    def answer(self, name, *rest):
        if name.upper() == "HELLO":
            return b"%1\r\n+proto\r\n:3\r\n"
        if name.upper() != "EVALSHA":
            return b"+OK\r\n"
        _, _, key, first, second, *more = rest
        window = self.windows.setdefault(key, [])
        if not more:  # moving_window.lua: from when, and how many at most
            good = [at for at in window[: int(second)] if at >= float(first)]
            return f"*2\r\n+{good[-1]}\r\n:{len(good)}\r\n".encode() if good else b"_\r\n"
        now, limit, expiry, amount = float(first), int(second), int(more[0]), int(more[1])
        if len([at for at in window if at >= now - expiry]) + amount > limit:
            return b"_\r\n"
        window[:0] = [now] * amount
        return b":1\r\n"

    def pass_time(self, seconds):
        for window in self.windows.values():
            window[:] = [at - seconds for at in window]


@asynccontextmanager
async def redis(kind=Redis):
    """Give a Redis and its address."""
    made = kind()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    try:
        yield made, f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
    finally:
        server.close()
