"""A contact sheet of every stage of one picture, with what each cost."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from cleancut.matting.cutout import Cutout
from cleancut.matting.ensemble import asked
from cleancut.matting.figures import figures
from cleancut.matting.predict import fit_of, members, seen
from cleancut.matting.stopwatch import Stopwatch
from cleancut.models.runtime import Load
from cleancut.raster.checkerboard import over_checkerboard

_TILE = 420
_COLUMNS = 4
_CAPTION = 46
_GAP = 12

Tile = tuple[str, str, NDArray[np.uint8]]
"""Name, what it cost or says, and the picture, (H, W), (H, W, 3) or (H, W, 4)."""


def sheet(cutout: Cutout, load: Load) -> Image.Image:
    """Draw the stages of a cutout, in the order they ran, on one sheet."""
    tiles = [(name, note, _tile(picture)) for name, note, picture in _stages(cutout, load)]
    lines = [tiles[index : index + _COLUMNS] for index in range(0, len(tiles), _COLUMNS)]
    heights = [_CAPTION + _GAP + max(tile.height for _, _, tile in line) for line in lines]
    page = Image.new("RGB", (_COLUMNS * (_TILE + _GAP) + _GAP, _GAP + sum(heights) + 30), "white")
    draw = ImageDraw.Draw(page)
    y = _GAP
    for line, height in zip(lines, heights, strict=True):
        for index, (name, note, tile) in enumerate(line):
            x = _GAP + index * (_TILE + _GAP)
            page.paste(tile, (x, y + _CAPTION))
            draw.text((x, y), name, "black", ImageFont.load_default(18))
            draw.text((x, y + 24), note, "#555555", ImageFont.load_default(14))
        y += height
    total = ", ".join(f"{stage} {ms:.0f}" for stage, ms in cutout.stopwatch.ms().items())
    footer = f"{cutout.model} on {cutout.provider}, confidence {cutout.confidence:.2f}; ms: {total}"
    draw.text((_GAP, page.height - 28), footer, "black", ImageFont.load_default(14))
    return page


def _stages(cutout: Cutout, load: Load) -> list[Tile]:
    """Give every stage's picture; the networks are asked again, as their own answers are not kept."""
    source, ms = cutout.source, cutout.stopwatch.ms()
    answer = asked(source, cutout.recipe, load, Stopwatch())
    given = load(members(cutout.recipe.model)[0]).model.input
    fit = fit_of(source, given)
    error = answer.prediction.error
    doubt: list[Tile] = [] if error is None else [("doubt", "how far alpha may be off", _grey(error))]
    found = figures(cutout.subject.alpha)
    edge = f"{found.softness:.1f} px wide, {found.uncertain:.1%} of the picture"
    w, h = source.size

    def took(stage: str) -> str:
        return f"{ms.get(stage, 0):.0f} ms"

    return [
        ("read", f"{w} x {h}, {took('read')}", source.rgb),
        ("shrink", f"{fit.size[0]} x {fit.size[1]}, {took('shrink')}", seen(source, fit, given.color)),
        ("network", took("network"), _grey(answer.plane)),
        *doubt,
        ("alpha", f"{' '.join(cutout.refined) or 'not refined'}, {took('alpha')}", _grey(cutout.alpha)),
        ("soft edge", edge, _soft(cutout.alpha)),
        ("foreground", f"{cutout.recipe.foreground}, {took('foreground')}", cutout.foreground),
        _timed("composite", cutout.rgba),
    ]


def _timed(name: str, make: Callable[[], NDArray[np.uint8]]) -> Tile:
    start = time.perf_counter()
    picture = make()
    return name, f"{(time.perf_counter() - start) * 1000:.0f} ms with all before it", picture


def _grey(alpha: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.rint(alpha * 255).astype(np.uint8)


def _soft(alpha: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.where((alpha > 0.05) & (alpha < 0.95), np.uint8(255), np.uint8(0))


def _tile(picture: NDArray[np.uint8]) -> Image.Image:
    image = Image.fromarray(picture)
    image.thumbnail((_TILE, _TILE), reducing_gap=2)
    small = np.asarray(image)
    return Image.fromarray(over_checkerboard(small, 10)) if small.ndim == 3 and small.shape[2] == 4 else image
