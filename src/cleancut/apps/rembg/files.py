"""`cleancut rembg i` and `b`: one picture, and a stream of frames."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from cleancut.apps.files import STANDARD, make_folder, read_stdin, write_stdout
from cleancut.apps.rembg.api import Plan, complete, planned
from cleancut.apps.rembg.sessions import OF_SESSIONS, opened
from cleancut.errors import BadInput, BadSetting, TooBig
from cleancut.limits import Limits
from cleancut.pictures import images
from cleancut.pictures.files import replacing
from cleancut.types import Picture

_NUMBER = re.compile(r"%(?:%|(0?\d{0,2})[diu])")
"""Where a pattern holds a number, or a percent sign of its own."""


def plan_of(model: str, extras: str | None, **asked: Any) -> Plan:
    """Turn a command's flags into a plan; what `-x` holds goes before the flags.

    Raises:
        BadSetting: `-x` is no object of JSON, or names what there is not.
        BadRecipe, WeightsError, Broken: as `remove` and `new_session` say.
    """
    asked |= _parsed(extras)
    wanted = {name: asked.pop(name) for name in OF_SESSIONS if name in asked}
    return complete(planned(opened(model, wanted, say=_say), asked), say=_say)


def _parsed(extras: str | None) -> dict[str, Any]:
    if not extras:
        return {}
    try:
        found = json.loads(extras)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BadSetting(f"-x takes an object of JSON, such as '{{\"putalpha\": true}}', not {extras[:100]!r}.")
    return found


def cut_one(*, source: str, result: str | None, **given: Any) -> int:
    """Cut one picture; say what should be known of it to stderr."""
    limits = Limits.from_env()
    plan = plan_of(**given)
    if source == STANDARD:
        picture = images.read(read_stdin(limits), name="stdin", limits=limits)
    else:
        picture = images.read(Path(source), limits=limits)
    png = cut_to_png(plan, picture, _say)
    if result is None and source != STANDARD and sys.stdout.isatty():
        result = str(Path(source).with_suffix(".out.png"))
        _say(result)
    if result in {None, STANDARD}:
        write_stdout(png)
    else:
        write(png, Path(str(result)))
    return 0


def cut_to_png(plan: Plan, picture: Picture, say: Callable[[str], None]) -> bytes:
    """Cut a picture, and say what should be known of it."""
    cutouts = plan.run(picture)
    png = plan.png(cutouts)
    for note in cutouts[0].notes:
        say(f"{picture.name}: {note}")
    return png


def write(png: bytes, path: Path, *, overwrite: bool = True) -> None:
    """Write a result, whole or not at all.

    Raises:
        CannotWrite: it exists and `overwrite` is off, or cannot be written.
    """
    with replacing(path, overwrite) as stream:
        stream.write(png)


def _say(line: str) -> None:
    click.echo(line, err=True)


def cut_frames(*, image_width: int, image_height: int, output_specifier: str | None, **given: Any) -> int:
    """Cut every frame of stdin.

    Raises:
        BadSetting: the pattern does not number the files.
        BadInput: stdin ends inside a frame.
    """
    if output_specifier is not None:
        check_pattern(output_specifier)
    plan = plan_of(**given)
    for number, frame in enumerate(_frames(image_width, image_height)):
        picture = images.from_array(frame, name=f"frame {number}")
        png = plan.png(plan.run(picture))
        if output_specifier is None:
            write_stdout(png)
            continue
        path = Path(output_specifier % number).expanduser()
        make_folder(path.parent)
        write(png, path)
    return 0


def check_pattern(pattern: str) -> None:
    """Refuse a pattern of names that does not hold exactly one number.

    Raises:
        BadSetting: it does not.

    >>> check_pattern("out-%03u.png")
    """
    numbers = [match for match in _NUMBER.finditer(pattern) if match[0] != "%%"]
    if len(numbers) != 1 or "%" in _NUMBER.sub("", pattern):
        raise BadSetting(f"-o takes a pattern with one number, such as out-%03u.png, not {pattern!r}.")


def _frames(width: int, height: int) -> Iterator[NDArray[np.uint8]]:
    """Read frames (height, width, 3) uint8 until stdin ends."""
    limits = Limits.from_env()
    if width * height > limits.max_pixels:
        raise TooBig(f"Frames of {width} × {height} pixels are larger than the limit of {limits.max_pixels:,} pixels.")
    size, number = width * height * 3, 0
    while data := sys.stdin.buffer.read(size):
        if len(data) < size:
            raise BadInput(
                f"stdin ends inside frame {number}: {len(data):,} of {size:,} bytes; check WIDTH and HEIGHT."
            )
        yield np.frombuffer(data, np.uint8).reshape(height, width, 3)
        number += 1
