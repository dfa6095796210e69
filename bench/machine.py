"""What a figure was measured on."""

from __future__ import annotations

import platform
from pathlib import Path

import numpy as np

from cleancut.limits import processors


def machine() -> str:
    """Name the processor, how many of it may be used, and the versions."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    cpu = names[0] if names else platform.processor()
    return f"{cpu}, {processors()} processors, Python {platform.python_version()}, numpy {np.__version__}"
