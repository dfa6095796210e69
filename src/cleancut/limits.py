"""How much is too much: limits on what is read and how many processors are used.

Every limit is checked before the work it bounds. The defaults suit a command line and a library; a service
takes smaller ones. Each field can be set by an environment variable, `CLEANCUT_` and its name in capitals.

>>> Limits().max_pixels
250000000
>>> Limits.from_env({"CLEANCUT_MAX_PIXELS": "50e6"}).max_pixels
50000000
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from cleancut.errors import BadSetting


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on one picture.

    Attributes:
        max_bytes: size of an encoded picture, in bytes.
        max_pixels: width times height, as the header states it.
    """

    max_bytes: int = 1_000_000_000
    max_pixels: int = 250_000_000

    def __post_init__(self) -> None:
        for limit in fields(self):
            if getattr(self, limit.name) < 1:
                raise BadSetting(f"The limit {limit.name} must be at least 1.")

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Take what variables such as `CLEANCUT_MAX_BYTES` set, the rest at its default.

        Raises:
            BadSetting: a variable is not a number of at least 1.
        """
        environ = os.environ if environ is None else environ
        found: dict[str, int] = {}
        for limit in fields(cls):
            variable = f"CLEANCUT_{limit.name.upper()}"
            if text := environ.get(variable, "").strip():
                try:
                    found[limit.name] = int(float(text))
                except (ValueError, OverflowError):
                    raise BadSetting(f"{variable} must be a number, not {text!r}.") from None
        return cls(**found)


def limit(default: int, doc: str) -> Any:
    """Declare a limit; flags, `doctor` and the docs are read off it."""
    return field(default=default, metadata={"doc": doc})


@dataclass(frozen=True, slots=True)
class ServiceLimits(Limits):
    """Limits of a service in front of strangers; those on one picture are smaller than a command line's."""

    max_bytes: int = limit(32_000_000, "Size of an encoded picture, in bytes.")
    max_pixels: int = limit(50_000_000, "Width times height, as the header states it.")
    max_frames: int = limit(1_000, "Frames or pages that a file may have; the first is cut.")
    max_files: int = limit(20, "Pictures in one request, those a recipe needs included.")
    max_fields: int = limit(200, "Fields in one request, those of the address included.")
    max_field_bytes: int = limit(100_000, "Size of a field that is no picture, in bytes.")
    max_depth: int = limit(8, "Objects and lists within each other in JSON.")
    max_items: int = limit(20_000, "Values in JSON; a recipe with as many strokes as there may be has 13,000.")
    max_url: int = limit(2_000, "Characters of an address.")
    max_answer: int = limit(256_000_000, "Bytes of the results in one answer that holds several.")
    max_body: int = limit(64_000_000, "Bytes of a request's body.")
    max_bodies: int = limit(512_000_000, "Bytes of all bodies that are held at once.")
    body_seconds: int = limit(10, "Time for a body to begin to come; more is given by `body_rate`.")
    body_rate: int = limit(20_000, "Bytes a second at which a body comes at least.")
    workers: int = limit(2, "Pictures that are worked on at once.")
    waiting: int = limit(64, "Requests that wait for a worker.")
    deadline: int = limit(30, "Seconds from a request's admission to its answer.")
    max_megapixels: int = limit(100, "Megapixels that are worked on at once; a larger picture is worked on alone.")
    drain_seconds: int = limit(25, "Time to finish what was admitted, once the service is told to end.")
    cache_bytes: int = limit(128_000_000, "Results that are kept, in bytes.")
    cache_seconds: int = limit(900, "How long a result is kept.")
    loaded_bytes: int = limit(2_000_000_000, "Memory of the networks that are kept loaded, as estimated.")
    edits_kept: int = limit(64, "Pictures that are kept while they are corrected.")
    edits_per_key: int = limit(16, "Of those, one key's, or those of one address that has none.")
    edit_bytes: int = limit(512_000_000, "What is kept for all of them, in bytes.")
    edit_seconds: int = limit(900, "How long one is kept after it was asked for last.")
    url_seconds: int = limit(15, "Time to fetch a picture by its address, redirects included.")
    urls_at_once: int = limit(16, "Addresses that are asked at once.")
    job_pictures: int = limit(20, "Pictures in one job.")
    job_attempts: int = limit(3, "How often work on a picture of a job is begun, if the process dies of it.")
    job_lease: int = limit(20, "Seconds after which a process that does not answer loses the pictures it works on.")
    job_deadline: int = limit(3_600, "Seconds that a job may take, waiting included.")
    job_retention: int = limit(900, "Seconds for which a job and its results are kept after it ended.")
    job_workers: int = limit(2, "Pictures of jobs that are worked on at once.")
    jobs_per_key: int = limit(1_000, "Jobs that one key has, those that are kept included.")
    jobs_watched: int = limit(100, "Callers that follow the progress of jobs at once.")
    spool_bytes: int = limit(10_000_000_000, "Bytes of all pictures and results of jobs.")
    spool_bytes_per_key: int = limit(1_000_000_000, "Bytes of one key's.")
    spool_spare: int = limit(100_000_000, "Bytes of the disk that jobs leave free.")


@dataclass(frozen=True, slots=True)
class SourceLimits(Limits):
    """Limits of what lists pictures: archives, buckets, lists and tables."""

    max_entries: int = limit(200_000, "Pictures in one archive, bucket, list or table.")
    max_unpacked: int = limit(1_000_000_000_000, "Bytes of all files of an archive, unpacked.")
    max_table: int = limit(200_000_000, "Bytes of a list or table.")


_share: ContextVar[int] = ContextVar("processors", default=0)


def processors() -> int:
    """Count the processors that the calling thread may use: all of this process's, or its share of them.

    Affinity and the limits of cgroup v2 (`cpu.max`) and v1 (`cpu.cfs_quota_us`) are honoured, as a thread
    more than the limit costs more than it brings.
    """
    return _share.get() or _processors()


def share_processors(count: int) -> None:
    """Let the calling thread, from here on, use only so many: others work on pictures of their own beside it."""
    _share.set(max(1, count))


@functools.cache
def _processors() -> int:
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(allowed, _cgroup_processors(Path("/sys/fs/cgroup")) or allowed))


def _cgroup_processors(root: Path) -> int | None:
    """Processors that the cgroup at `root` allows, rounded up; None where it sets no limit."""
    for files in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
        try:
            quota, period = " ".join((root / name).read_text() for name in files).split()
            return None if quota in {"max", "-1"} else -(-int(quota) // int(period))
        except (OSError, ValueError):
            continue
    return None
