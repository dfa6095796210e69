"""A form in remove.bg's words → a frozen request: each parameter has one reader, and one code for what it cannot read.

An empty field counts as absent, and unknown ones are ignored, as the service they belong to does. docs/removebg.md
says what was decided where its description leaves something open.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from cleancut.apps.server.form import Form
from cleancut.apps.server.removebg.errors import bad
from cleancut.matting.settings import Color, Switch

SIZES: Final[Mapping[str, float]] = {
    "preview": 0.25, "small": 0.25, "regular": 0.25,
    "medium": 1.5, "hd": 4, "full": 25, "4k": 25, "auto": 25, "50mp": 50,
}  # fmt: skip
"""Megapixels that a result has at most."""

PNG_MEGAPIXELS: Final = 10
"""Megapixels that a PNG has at most, whatever the size says."""

TYPES: Final = ("auto", "person", "product", "car", "animal", "graphic", "graphics", "transportation", "other")
FORMATS: Final = ("auto", "png", "jpg", "zip", "webp")

SHADOWS: Final[Mapping[str, str | None]] = {
    "auto": "contact", "car": "contact", "3d": "contact", "drop": "drop", "none": None,
}  # fmt: skip
"""The kind of our shadow that each of theirs is."""

SHADOW_OPACITY: Final = 0.45
_MOST_MARGIN: Final = {"%": 50, "px": 500}


class Length(NamedTuple):
    """Pixels, or a percentage of a whole."""

    number: float
    unit: Literal["%", "px"]

    def of(self, whole: float) -> float:
        """Give pixels.

        >>> Length(10, "%").of(250), Length(30, "px").of(250)
        (25.0, 30)
        """
        return self.number / 100 * whole if self.unit == "%" else self.number


class Region(NamedTuple):
    """What may hold the subject: everything outside is background."""

    left: Length
    top: Length
    right: Length
    bottom: Length


class Margins(NamedTuple):
    """What is left around a subject that is cropped; in percent of its height or width."""

    top: Length
    right: Length
    bottom: Length
    left: Length


Position: TypeAlias = tuple[float, float] | None
"""Where the subject goes, across and down: 0 at the left and top, 1 at the right and bottom; None leaves it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The parameters of one call but for its pictures, by their names, as they were read.

    Attributes:
        scale: share of the canvas that the subject is fitted into, 0.1 to 1; None leaves it.
        position: see `Position`; "" where it was not given, so that a scale decides.
        bg_color: `#rrggbb` or `#rrggbbaa`.
        shadow_opacity: in [0, 1].
    """

    size: str = "preview"
    type: str = "auto"
    type_level: str = "1"
    format: str = "auto"
    roi: Region | None = None
    crop: bool = False
    crop_margin: Margins = Margins(*[Length(0, "px")] * 4)
    scale: float | None = None
    position: Position | Literal[""] = ""
    channels: str = "rgba"
    add_shadow: bool = False
    shadow_type: str = ""
    shadow_opacity: float = SHADOW_OPACITY
    semitransparency: bool = True
    bg_color: str | None = None

    @property
    def color(self) -> str | None:
        """The colour to lay beneath; None where nothing of it would show."""
        return None if self.bg_color is None or Color.channels(self.bg_color)[3] == 0 else self.bg_color

    @property
    def shadow(self) -> str | None:
        """The kind of our shadow; None for none."""
        return SHADOWS[self.shadow_type or ("auto" if self.add_shadow else "none")]

    @property
    def place(self) -> Position:
        """Where the subject goes; a scale without a position centres it."""
        if self.position == "":
            return None if self.scale is None else (0.5, 0.5)
        return self.position


def asked(form: Form) -> Asked:
    """Read the parameters of a form.

    Raises:
        BadCall: one cannot be read; the code names it.

    >>> asked(Form((("size", "full"), ("crop", ""), ("bg_color", "81d4fa")))).bg_color
    '#81d4fa'
    """
    stated = {name: given(form, name) for name in _READERS}
    return Asked(**{name: _read(name, text, _READERS[name]) for name, text in stated.items() if text is not None})


def given(form: Form, name: str) -> str | None:
    """Give the text of one field; None where it is absent or empty.

    Raises:
        BadCall: it is no scalar.
        BadInput: it is given twice.
    """
    if form.json is not None and isinstance(form.json.get(name), dict | list):
        raise bad(f"invalid_{name}")
    return (form.text(name) or "").strip() or None


def _read(name: str, text: str, reader: Callable[[str], Any]) -> Any:
    try:
        return reader(text)
    except ValueError:
        raise bad(f"invalid_{name}") from None


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.lower() not in words:
            raise ValueError
        return text.lower()

    return read


def _switch(text: str) -> bool:
    return bool(Switch().read(text))


def _color(text: str) -> str:
    return str(Color().read(text))


def _length(text: str) -> Length:
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)(px|%)?", text)
    if not match:
        raise ValueError
    return Length(float(match[1]), "%" if match[2] == "%" else "px")


def _region(text: str) -> Region:
    lengths = [_length(part) for part in text.split()]
    if len(lengths) != 4:
        raise ValueError
    return Region(*lengths)


def _margins(text: str) -> Margins:
    """Read one margin, two (vertical, horizontal) or four (top, right, bottom, left)."""
    lengths = [_length(part) for part in text.split()]
    if len(lengths) not in {1, 2, 4} or any(length.number > _MOST_MARGIN[length.unit] for length in lengths):
        raise ValueError
    return Margins(*(lengths * (4 // len(lengths))))


def _scale(text: str) -> float | None:
    if text == "original":
        return None
    share = _share(text)
    if share < 0.1:
        raise ValueError
    return share


def _position(text: str) -> Position:
    """Read a word, one percentage for both ways, or two (across, down)."""
    words: Mapping[str, Position] = {"original": None, "center": (0.5, 0.5)}
    if text in words:
        return words[text]
    shares = [_share(part) for part in text.split()]
    if len(shares) not in {1, 2}:
        raise ValueError
    return shares[0], shares[-1]


def _share(text: str) -> float:
    length = _length(text)
    if length.unit != "%" or length.number > 100:
        raise ValueError
    return length.number / 100


def _opacity(text: str) -> float:
    if text == "auto":
        return SHADOW_OPACITY
    length = _length(text)
    if length.number > 100:
        raise ValueError
    return length.number / 100


_READERS: Mapping[str, Callable[[str], Any]] = {
    "size": _one_of(*SIZES),
    "type": _one_of(*TYPES),
    "type_level": _one_of("none", "1", "2", "latest"),
    "format": _one_of(*FORMATS),
    "roi": _region,
    "crop": _switch,
    "crop_margin": _margins,
    "scale": _scale,
    "position": _position,
    "channels": _one_of("rgba", "alpha"),
    "add_shadow": _switch,
    "shadow_type": _one_of(*SHADOWS),
    "shadow_opacity": _opacity,
    "semitransparency": _switch,
    "bg_color": _color,
}
"""What reads each parameter; what raises ValueError is answered with the code `invalid_` and its name."""
