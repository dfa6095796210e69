"""Puts onnxruntime-web's files into the package: from web/node_modules in a checkout, or as the sdist has them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = Path("src", "cleancut_browser")
BUILT = Path("web", "node_modules", "onnxruntime-web", "dist")


class Files(BuildHookInterface[Any]):
    """Adds the files to whatever is built; a wheel that lacks one is never made."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the files and where they go.

        Raises:
            FileNotFoundError: one is neither in the sdist nor in web/node_modules.
        """
        root = Path(self.root)
        target = PACKAGE if self.target_name == "sdist" else Path(PACKAGE.name)
        for name in named(root):
            build_data["force_include"][str(found(root, name))] = str(target / name)


def named(root: Path) -> tuple[str, ...]:
    """Read the names in `FILES` without importing the package, which a build need not be able to."""
    text = (root / PACKAGE / "__init__.py").read_text(encoding="utf-8")
    listed = re.search(r"^FILES = \((.*?)^\)", text, re.MULTILINE | re.DOTALL)
    return tuple(re.findall(r'"([^"]+)"', listed[1] if listed else ""))


def found(root: Path, name: str) -> Path:
    """Find a file: the checkout's, or the sdist's."""
    for place in (root.parent / BUILT, root / PACKAGE):
        if (place / name).is_file():
            return place / name
    raise FileNotFoundError(f"{name} is missing; run npm --prefix web ci in the checkout, then build again.")
