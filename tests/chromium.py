"""The browser that tests and benchmarks drive, and where the front end lies."""

from __future__ import annotations

import shutil
from pathlib import Path

ROOT = Path(__file__).parents[1]
WEB = ROOT / "web"
VITE = WEB / "node_modules/.bin/vite"
CHROMIUM = shutil.which("chromium")
TIMEOUT = 120_000
"""Milliseconds; a machine may be many times slower than it looks."""

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--force-color-profile=srgb"]  # fmt: skip
