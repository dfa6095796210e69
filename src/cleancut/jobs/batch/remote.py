"""How addresses are asked, through fsspec (extra `cloud`): S3, Google Cloud Storage, Azure, and the web.

Credentials are those that each provider's own tools find (`AWS_…`, `GOOGLE_…`, `AZURE_…`); none are taken on a command
line. What a backend says of a failure is not repeated, as it may repeat an address that is
signed: messages name the kind of failure.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, TypeVar

from cleancut.errors import BadInput, CleancutError, FetchFailed, TooBig
from cleancut.jobs.batch import addresses
from cleancut.jobs.batch.addresses import SCHEMES, Address
from cleancut.jobs.batch.nouns import Entry
from cleancut.limits import SourceLimits
from cleancut.pictures.files import check_bytes

ATTEMPTS = 3
"""How often a network path is tried in all."""

_PAUSE = 0.5
"""Seconds before the second attempt; twice as many before each further one."""

_CHUNK = 1 << 20
_ABSENT = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)
"""What another attempt would not change."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Network:
    """How addresses are asked.

    Attributes:
        limits: on what is listed and read.
        schemes: what an address may begin with.
        anonymous: whether no credentials are used, as for public buckets.
        pause: waits between attempts; takes seconds.
    """

    limits: SourceLimits = field(default_factory=SourceLimits)
    schemes: Collection[str] = tuple(SCHEMES)
    anonymous: bool = False
    pause: Callable[[float], None] = time.sleep

    def address(self, text: str) -> Address:
        """Read an address, as `addresses.read` does."""
        return addresses.read(text, self.schemes)

    def system(self, address: Address) -> Any:
        """Give the file system of fsspec that an address belongs to.

        Raises:
            BadInput: the extra is missing, or there are no credentials.
        """
        told = address.scheme.anonymous if self.anonymous else {}
        try:
            fsspec = importlib.import_module("fsspec")
            return fsspec.filesystem(address.scheme.protocol, **told)
        except ImportError:
            raise BadInput('Addresses need more packages; run: pip install "cleancut[cloud]"') from None
        except Exception as error:  # noqa: BLE001 - each backend fails in ways of its own
            raise FetchFailed(f"{address.shown} cannot be asked: {_reason(error)}.") from None

    def entry(self, text: str) -> Entry:
        """Make the entry of one picture; nothing is asked before it is read.

        Raises:
            BadUrl, BadInput: it is no address that may be asked.
        """
        address = self.address(text)
        return Entry(address.name, lambda: self.get(address), origin=address.shown)

    def get(self, address: Address, size: int | None = None) -> bytes:
        """Read what is at an address, no more than the limits allow.

        Args:
            address: of a picture.
            size: its bytes, where a listing said so.

        Raises:
            FetchFailed: it is not there, may not be read, or failed each time.
            TooBig, NotAPicture: it has more bytes than allowed, or none.
        """
        if size is not None:
            check_bytes(size, address.shown, self.limits)
        system = self.system(address)
        most = self.limits.max_bytes + 1
        if address.scheme.web:
            data = self.patiently(lambda: _from_web(system, address.url, most), address.shown, "read")
        else:
            data = self.patiently(lambda: from_bucket(system, address.url, most, size), address.shown, "read")
        if len(data) > self.limits.max_bytes:
            raise TooBig(f"{address.shown} has more than {self.limits.max_bytes / 1e6:,.6g} MB.")
        check_bytes(len(data), address.shown, self.limits)
        return data

    def patiently(self, work: Callable[[], T], told: str, done: str) -> T:
        """Try a few times what the network may spoil.

        Args:
            work: what to do, from its beginning each time.
            told: what to call it in messages.
            done: what is done with it: "read", "listed" or "written".

        Raises:
            FetchFailed: it failed each time, or in a way that another attempt would not change.
        """
        reason = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                self.pause(_PAUSE * 2 ** (attempt - 1))
            try:
                return work()
            except CleancutError:
                raise
            except _ABSENT as error:
                raise _absent(told, done, error) from None
            except MemoryError:
                raise TooBig(f"{told} does not fit into memory.") from None
            except Exception as error:  # noqa: BLE001 - each backend fails in ways of its own
                reason = _reason(error)
                if "credential" in reason.lower():
                    raise FetchFailed(
                        f"{told} needs credentials ({reason}); set them as for the provider's own tools, or use "
                        "--anonymous for what is public."
                    ) from None
        raise FetchFailed(f"{told} could not be {done} in {ATTEMPTS} attempts ({reason}); try again later.")


class Absent(FetchFailed):
    """It is not there, or not for us; another attempt would change nothing."""


def from_bucket(system: Any, path: str, most: int, size: int | None = None) -> bytes:
    """Read the first bytes of an object; a range of an empty one cannot be asked for, so its size must be known."""
    size = system.info(path)["size"] if size is None else size
    return bytes(system.cat_file(path, start=0, end=most)) if size else b""


def _from_web(system: Any, url: str, most: int) -> bytes:
    """Read as it comes, so that whoever sends without end is not read without end."""
    data = bytearray()
    with system.open(url, block_size=0, size=1) as stream:  # with a size, the server is not asked for one first
        while len(data) < most and (chunk := stream.read(min(_CHUNK, most - len(data)))):
            data += chunk
    return bytes(data)


def _absent(told: str, done: str, error: OSError) -> Absent:
    if isinstance(error, PermissionError):
        return Absent(f"{told} may not be {done}; check your credentials and its permissions.")
    return Absent(f"{told} does not exist.")


def _reason(error: BaseException) -> str:
    """Name a failure by its class and status; its text may repeat a signed address."""
    status = getattr(error, "status", None)
    return f"{type(error).__name__} {status}" if isinstance(status, int) else type(error).__name__
