"""The widget as the build wrote it."""

from __future__ import annotations

from pathlib import Path

from cleancut.errors import BadInput

STATIC = Path(__file__).with_name("static")


def built() -> tuple[str, str]:
    """Read the widget's script and style sheet.

    Raises:
        BadInput: they are not there.
    """
    try:
        return (STATIC / "widget.js").read_text("utf-8"), (STATIC / "widget.css").read_text("utf-8")
    except FileNotFoundError:
        raise BadInput("The notebook's widget is not built; run scripts/web, or install a released wheel.") from None
