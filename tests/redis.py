"""Debian's redis-server on a loopback port and in a folder of its own; it may be killed, and come back with or without
its data.
"""

import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

SECONDS = 30
PROGRAM = shutil.which("redis-server")

needed = pytest.mark.skipif(PROGRAM is None, reason="redis-server is not installed (apt-get install redis-server)")


class Redis:
    """A server that a test starts, kills and asks."""

    def __init__(self, folder, *flags, port=None):
        self.folder, self.flags = Path(folder), flags
        self.port = port or _free()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process = None

    def start(self):
        flags = ("--port", self.port, "--bind", "127.0.0.1", "--dir", self.folder, "--save", "", "--appendonly", "yes")
        command = [PROGRAM, *map(str, flags), "--appendfsync", "always", "--loglevel", "warning", *self.flags]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with self.client() as client:
            until = time.monotonic() + SECONDS
            while True:
                try:
                    client.ping()
                    return self
                except Exception:
                    if time.monotonic() > until or self.process.poll() is not None:
                        raise
                    time.sleep(0.02)

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def forget(self):
        """Remove its data; it must not run."""
        shutil.rmtree(self.folder / "appendonlydir", ignore_errors=True)

    @contextmanager
    def client(self):
        import redis

        with redis.Redis.from_url(self.url, decode_responses=True) as client:
            yield client


def _free():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextmanager
def server(*flags):
    """A server of a test's own."""
    with tempfile.TemporaryDirectory(prefix="cleancut-redis-") as folder:
        it = Redis(folder, *flags)
        try:
            yield it.start()
        finally:
            it.kill()
