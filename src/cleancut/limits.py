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
from dataclasses import dataclass, fields
from pathlib import Path

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
        for field in fields(self):
            if getattr(self, field.name) < 1:
                raise BadSetting(f"The limit {field.name} must be at least 1.")

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Limits:
        """Take what `CLEANCUT_MAX_BYTES` and `CLEANCUT_MAX_PIXELS` set, the rest at its default.

        Raises:
            BadSetting: a variable is not a number of at least 1.
        """
        environ = os.environ if environ is None else environ
        found: dict[str, int] = {}
        for field in fields(cls):
            variable = f"CLEANCUT_{field.name.upper()}"
            if text := environ.get(variable, "").strip():
                try:
                    found[field.name] = int(float(text))
                except (ValueError, OverflowError):
                    raise BadSetting(f"{variable} must be a number, not {text!r}.") from None
        return cls(**found)


@functools.cache
def processors() -> int:
    """Count the processors this process may use, the container's CPU limit included.

    Affinity and the limits of cgroup v2 (`cpu.max`) and v1 (`cpu.cfs_quota_us`) are honoured, as a thread
    more than the limit costs more than it brings.
    """
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
