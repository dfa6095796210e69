"""One connection to a Triton server for all threads of this process: in time, bounded, and with our errors."""

from __future__ import annotations

import atexit
import functools
import importlib
import importlib.util
import os
import random
import time
from collections.abc import Callable
from typing import Any

from cleancut.errors import DeviceFailed, ModelFailed, ModelServerFailed, ModelServerSlow
from cleancut.models.triton.address import Address

_MOST_BYTES = 256_000_000
"""Size of one answer at the most: four layers of 4096 × 4096 in float32."""

_WAIT = 0.1
"""Seconds before the second try; each further one waits twice as long, and up to half as much again by chance."""

_OPTIONS = [
    ("grpc.max_send_message_length", _MOST_BYTES),
    ("grpc.max_receive_message_length", _MOST_BYTES),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.service_config_disable_resolution", 1),  # else a name is asked for in DNS a second time, as TXT
]


class NotServed(ModelServerFailed):
    """The server has no such model, or no longer that version of it."""


def installed() -> bool:
    """Tell whether NVIDIA's client is installed, without importing it."""
    return importlib.util.find_spec("tritonclient") is not None


def client() -> Any:
    """Import NVIDIA's client for gRPC.

    Raises:
        DeviceFailed: it is not installed.
    """
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # it would print to stderr what we say in one sentence
    try:
        return importlib.import_module("tritonclient.grpc")
    except ImportError as error:
        raise DeviceFailed('Asking a Triton server needs more packages; run: pip install "cleancut[triton]"') from error


def connection(address: Address) -> Connection:
    """Give this process's connection to a server; the same one every time.

    Raises:
        DeviceFailed: NVIDIA's client is not installed.
    """
    return _connection(address, os.getpid())  # a connection does not survive a fork


@functools.lru_cache(maxsize=16)
def _connection(address: Address, process: int) -> Connection:
    return Connection(address)


class Connection:
    """A connection that threads may share.

    Args:
        address: of the server, and how patient to be.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self.grpc = client()
        self._client = self.grpc.InferenceServerClient(address.place, ssl=address.secure, channel_args=_OPTIONS)
        atexit.register(self.close)
        self._failure = importlib.import_module("tritonclient.utils").InferenceServerException

    def close(self) -> None:
        """Let go of the connection before the process ends: later its destructor finds half of gRPC gone."""
        self._client = None

    def asked(self, method: str, what: str, **given: Any) -> Any:
        """Call a method of NVIDIA's client; where the server is away, try again within the time there is.

        Args:
            method: its name.
            what: the model it is about, for messages.
            given: its arguments.

        Raises:
            NotServed: the server has no such model or version.
            ModelServerSlow: it did not answer in time.
            ModelServerFailed: it is away, or failed.
            ModelFailed: the model there does not take what it was given.
        """
        call: Callable[..., Any] = getattr(self._client, method)
        ends = time.monotonic() + self.address.timeout
        for number in range(1, self.address.tries + 1):
            left = ends - time.monotonic()
            try:
                return call(**given, client_timeout=max(left, 0.001))
            except self._failure as error:
                wait = _WAIT * 2 ** (number - 1) * random.uniform(1, 1.5)
                last = number == self.address.tries or time.monotonic() + wait >= ends
                if str(error.status()) != "StatusCode.UNAVAILABLE" or last:
                    raise self._told(error, what) from error
                time.sleep(wait)
        raise AssertionError("the last try returns or raises")

    def _told(self, error: Any, what: str) -> Exception:
        """Say in one sentence what a status means."""
        server, status = f"The Triton server at {self.address}", str(error.status()).removeprefix("StatusCode.")
        if status == "UNAVAILABLE":
            reason = "is away, too busy, or speaks no gRPC at that port (Triton's is 8001)"
            return ModelServerFailed(f"{server} {reason}; {what} was not run.")
        if status == "NOT_FOUND":
            told = "does not serve it; make its repository with cleancut models export-triton"
            return NotServed(f"{server} was asked for {what} and {told}.")
        if status == "DEADLINE_EXCEEDED":
            return ModelServerSlow(f"{server} did not run {what} within {self.address.timeout:g} s.")
        if status == "INVALID_ARGUMENT":
            return ModelFailed(f"{server} refuses what {what} is given; its configuration is not that of the export.")
        if status == "RESOURCE_EXHAUSTED":
            return ModelFailed(f"{server} answers for {what} with more than {_MOST_BYTES / 1e6:g} MB, or has no room.")
        return ModelServerFailed(f"{server} failed while it ran {what} ({status.lower()}); its own log says why.")
