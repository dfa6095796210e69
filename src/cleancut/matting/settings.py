"""What a setting may be: how it reads from text or JSON, what it refuses and how a form shows it.

>>> Range(0, 200, "px").read("12px")
12.0
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Protocol

from cleancut.errors import BadSetting
from cleancut.types import Value


class Kind(Protocol):
    """A kind of setting: how it reads, what it refuses and how a form shows it."""

    def read(self, given: object) -> Value:
        """Take a value from text or JSON; raise ValueError where it does not fit."""
        ...

    def schema(self) -> dict[str, Any]:
        """Describe it in JSON schema."""
        ...

    def __str__(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Range:
    """A number from `low` to `high`; the ends of the slider."""

    low: float
    high: float
    unit: str = ""
    whole: bool = False

    def read(self, given: object) -> Value:
        """Read a number; True and False are none."""
        if isinstance(given, bool) or not isinstance(given, int | float | str):
            raise ValueError
        text = given.removesuffix(self.unit) if isinstance(given, str) and self.unit else given
        value = float(text)
        if not self.low <= value <= self.high or (self.whole and value != int(value)):
            raise ValueError
        return int(value) if self.whole else value

    def schema(self) -> dict[str, Any]:
        """Give a number with its ends and unit."""
        kind = {"type": "integer" if self.whole else "number", "minimum": self.low, "maximum": self.high}
        return {**kind, "x-unit": self.unit} if self.unit else kind

    def __str__(self) -> str:
        noun = "a whole number" if self.whole else "a number"
        return f"{noun} from {self.low:g} to {self.high:g} {self.unit}".rstrip()


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]

    def read(self, given: object) -> Value:
        """Read one of the words."""
        if given not in self.words:
            raise ValueError
        return str(given)

    def schema(self) -> dict[str, Any]:
        """Give an enumeration."""
        return {"enum": list(self.words)}

    def __str__(self) -> str:
        return f"one of {', '.join(self.words)}"


@dataclass(frozen=True, slots=True)
class Switch:
    """Yes or no."""

    def read(self, given: object) -> Value:
        """Read a boolean, or the words that mean one."""
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        if isinstance(given, bool):
            return given
        try:
            return words[str(given).lower()]
        except KeyError:
            raise ValueError from None

    def schema(self) -> dict[str, Any]:
        """Give a boolean."""
        return {"type": "boolean"}

    def __str__(self) -> str:
        return "true or false"


@dataclass(frozen=True, slots=True)
class Length:
    """Pixels (`30px` or `30`) or a share of the whole (`10%`); of an area, that many of its pixels."""

    most_px: int = 100_000
    most_percent: int = 1000
    area: bool = False

    def read(self, given: object) -> Value:
        """Read a length; the answer ends in `px` or `%`."""
        match = re.fullmatch(r"\s*(\d{1,7}(?:\.\d{1,4})?)\s*(px|%)?\s*", str(given))
        if not match or isinstance(given, bool):
            raise ValueError
        number, unit = float(match[1]), match[2] or "px"
        if number > (self.most_px if unit == "px" else self.most_percent):
            raise ValueError
        return f"{number:g}{unit}"

    def schema(self) -> dict[str, Any]:
        """Give text with a pattern."""
        return {"type": "string", "pattern": r"^\d{1,7}(\.\d{1,4})?(px|%)?$", "x-length": True}

    def __str__(self) -> str:
        return "a length such as 30px or 10%"

    @staticmethod
    def pixels(length: str, whole: float) -> int:
        """Turn a length that was read into pixels; a percentage is one of `whole`.

        >>> Length.pixels("10%", 250), Length.pixels("30px", 250)
        (25, 30)
        """
        return round(float(length[:-1]) / 100 * whole) if length.endswith("%") else round(float(length[:-2]))


@dataclass(frozen=True, slots=True)
class Color:
    """A colour: a CSS name or hex digits; read to `#rrggbb` or `#rrggbbaa`."""

    def read(self, given: object) -> Value:
        """Read a colour, with or without the sign #."""
        from PIL import ImageColor  # noqa: PLC0415 - a recipe without colours needs no Pillow

        text = str(given).strip().lower()
        if re.fullmatch(r"[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8}", text):
            text = f"#{text}"
        if not re.fullmatch(r"#[0-9a-f]{3,8}|[a-z]{3,20}", text):
            raise ValueError
        return "#" + "".join(f"{part:02x}" for part in ImageColor.getrgb(text))

    def schema(self) -> dict[str, Any]:
        """Give text that a form shows as a colour."""
        return {"type": "string", "format": "color"}

    def __str__(self) -> str:
        return "a colour such as white or #1e90ff"

    @classmethod
    def named(cls, text: str) -> str:
        """Read a colour that a caller gives; raise our error where it is none.

        Raises:
            BadSetting: it is no colour.
        """
        try:
            return str(cls().read(text))
        except ValueError:
            raise BadSetting(f"{text!r} is not {cls()}.") from None

    @staticmethod
    def channels(color: str) -> tuple[int, int, int, int]:
        """Split a colour that was read into red, green, blue and alpha, 0 to 255.

        >>> Color.channels("#1e90ff")
        (30, 144, 255, 255)
        """
        red, green, blue, alpha = bytes.fromhex(f"{color[1:]}ff"[:8])
        return red, green, blue, alpha


@dataclass(frozen=True, slots=True)
class Asset:
    """The name of a picture that is handed over beside the recipe; never a path."""

    def read(self, given: object) -> Value:
        """Read a name."""
        if not isinstance(given, str) or not given or len(given) > 255:
            raise ValueError
        return given

    def schema(self) -> dict[str, Any]:
        """Give text that a form shows as a choice of picture."""
        return {"type": "string", "x-asset": True}

    def __str__(self) -> str:
        return "a picture"
