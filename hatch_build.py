"""Hatchling's hook: before a wheel or an sdist is made, the page and the notebook's widget are built from web/.

Without npm both are made nevertheless, and a line says that the page is missing; the server says how to build it. An
sdist holds the page, so nobody who installs one needs npm. `CLEANCUT_BUILD_PAGE` chooses otherwise: `never` builds
nothing, and `always` fails where the page cannot be built, as a release must.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = "web"
BUILT = ("src/cleancut/apps/web/index.html", "src/cleancut/apps/notebook/static/widget.js")
"""What the build writes, by which it is told whether and when it did."""

COMMANDS = (("ci", "--ignore-scripts", "--no-audit", "--no-fund"), ("run", "build"))
"""What npm is told: packages as they are locked, none of which runs a script, and then the build."""

_STDERR = 2

CHOICES = ("auto", "never", "always")


class PageBuildHook(BuildHookInterface[Any]):
    """Builds the page; hatchling finds the class by what it inherits."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page, unless what is made is an editable install, which shows the checkout as it is."""
        if version != "editable":
            prepare(Path(self.root), os.environ, self.app.display_warning)


def prepare(root: Path, environ: Mapping[str, str], say: Callable[[str], None]) -> None:
    """See that there is a page.

    Args:
        root: of the checkout, or of an sdist that was unpacked.
        environ: may hold CLEANCUT_BUILD_PAGE; where npm is looked for.
        say: is told what somebody should know.

    Raises:
        SystemExit: the page must be built and cannot.
    """
    choice = environ.get("CLEANCUT_BUILD_PAGE") or "auto"
    if choice not in CHOICES:
        raise SystemExit(f"CLEANCUT_BUILD_PAGE is one of {', '.join(CHOICES)}, not {choice!r}.")
    there = state(root)
    if there == "fresh" or choice == "never":
        return
    failure = _built(root / SOURCE, environ) if (root / SOURCE / "package.json").is_file() else "there is no web/ here"
    if failure is None and state(root) != "missing":
        return
    why = f"cleancut's page was not built ({failure or 'the build wrote nothing'})"
    if choice == "always":
        raise SystemExit(f"{why}, and CLEANCUT_BUILD_PAGE=always asks for it.")
    left = "there is none; the service says how to build it" if state(root) == "missing" else "an older one is taken"
    say(f"{why}: {left}.")


def state(root: Path) -> Literal["fresh", "stale", "missing"]:
    """Tell whether page and widget are there, and no older than what they are built from."""
    files = [root / path for path in BUILT]
    if not all(file.is_file() for file in files):
        return "missing"
    made = min(file.stat().st_mtime for file in files)
    return "stale" if any(path.stat().st_mtime > made for path in _sources(root / SOURCE)) else "fresh"


def _sources(folder: Path) -> Iterator[Path]:
    """Find what the page is built from: what lies in web/ itself, and in web/src but for its tests."""
    yield from (path for path in folder.glob("*.*") if path.is_file() and not path.name.startswith("."))
    yield from (path for path in (folder / "src").rglob("*") if path.is_file() and ".test." not in path.name)


def _built(folder: Path, environ: Mapping[str, str]) -> str | None:
    """Build the page; give why it cannot be, or None."""
    npm = shutil.which("npm", path=environ.get("PATH", ""))
    if npm is None:
        return "npm is not installed"
    for command in COMMANDS:
        # What npm says goes to stderr: stdout belongs to whoever builds.
        done = subprocess.run([npm, *command], cwd=folder, env=dict(environ), stdout=_STDERR, check=False)
        if done.returncode:
            return f"npm {command[0]} ended with {done.returncode}"
    return None
