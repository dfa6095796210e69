"""`compare`: one picture cut by several models, beside each other in pictures and figures."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from cleancut.apps.compare.cases import Side
from cleancut.apps.compare.measured import ALONE, BETWEEN, RIGHT, written
from cleancut.apps.notebook.sources import Given, picture_of
from cleancut.errors import BadInput
from cleancut.matting import recipe as recipes
from cleancut.matting.cutout import Cutout
from cleancut.matting.figures import figures
from cleancut.matting.pipeline import cut
from cleancut.models.runtime import Load, engine
from cleancut.pictures.page import figure, table, thumbnail
from cleancut.raster.rows import Rows
from cleancut.types import Picture

Pixels = NDArray[np.uint8]

MOST = 12
"""Models in one comparison at the most."""

_THUMB = 360
_GAP = 12
_LINE = 22
"""Pixels: the longer side of a picture, between pictures, and of a line of text."""

_STYLE = (
    ".cleancut-compare .row{display:flex;flex-wrap:wrap;gap:12px;margin:0 0 8px}"
    ".cleancut-compare figure{margin:0}.cleancut-compare img{max-width:100%;border:1px solid #8888}"
    ".cleancut-compare figcaption{font-size:.85em;opacity:.8}"
    ".cleancut-compare :is(th,td){text-align:right;padding:1px 12px 1px 0}"
    ".cleancut-compare :is(th,td):first-child{text-align:left}"
)


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """One picture cut in several ways; a notebook shows it as a table over pictures.

    Attributes:
        picture: the picture.
        cutouts: by model, in the order they were asked for.
        figures: by model, each figure by its name; None where one does not apply. `pandas.DataFrame(c.figures)` has a
            column a model.
    """

    picture: Picture
    cutouts: Mapping[str, Cutout]
    figures: Mapping[str, Mapping[str, float | None]]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object]:
        """Show itself in a notebook: as HTML, or as a picture where that is not shown."""
        return {"text/html": self._repr_html_(), "image/png": self._repr_png_(), "text/plain": repr(self)}

    def _repr_html_(self) -> str:
        """Show itself as HTML without any script or outside address."""
        shots = "".join(figure(pixels, title) for title, pixels in self._shots())
        names = list(next(iter(self.figures.values())))
        lines = [(name, *(written(found[name]) for found in self.figures.values())) for name in names]
        figured = table(("", *self.figures), lines)
        return f'<div class="cleancut-compare"><style>{_STYLE}</style><div class="row">{shots}</div>{figured}</div>'

    def _repr_png_(self) -> bytes:
        """Show itself as a picture: the cutouts beside each other under their names."""
        shots = list(self._shots())
        width = sum(pixels.shape[1] for _, pixels in shots) + _GAP * (len(shots) - 1)
        height = max(pixels.shape[0] for _, pixels in shots) + _LINE
        sheet = Image.new("RGB", (width, height), "white")
        draw, font, left = ImageDraw.Draw(sheet), ImageFont.load_default(14), 0
        for title, pixels in shots:
            sheet.paste(Image.fromarray(pixels), (left, _LINE))
            draw.text((left, 2), _fitting(title, pixels.shape[1], font), fill="black", font=font)
            left += pixels.shape[1] + _GAP
        stream = io.BytesIO()
        sheet.save(stream, "PNG")
        return stream.getvalue()

    def __repr__(self) -> str:
        return f"Comparison({self.picture.name}: {', '.join(self.cutouts)})"

    def _shots(self) -> Iterator[tuple[str, Pixels]]:
        yield "picture", thumbnail(_whole(self.picture), _THUMB)
        for name, cutout in self.cutouts.items():
            yield name, thumbnail(cutout.rgba(), _THUMB)


def compare(
    picture: Given,
    models: Sequence[str],
    *,
    truth: NDArray[np.float32] | None = None,
    device: str = "auto",
    load: Load | None = None,
    **recipe: object,
) -> Comparison:
    """Cut one picture by several models.

    Args:
        picture: what `Studio.add` takes.
        models: their names; several joined by + are asked together, as in a recipe.
        truth: the true α, (H, W) in [0, 1], for figures of how near each comes to it.
        device: as `Engine` takes it.
        load: what gives a network by name; by default this process's engine on that device.
        recipe: fields of the recipe besides its model, such as `refine="none"`.

    Raises:
        BadInput: the picture cannot be read, there are no models or too many, or the truth has another size.
        WeightsError, Broken: as `cut` says.
    """
    names = list(dict.fromkeys([models] if isinstance(models, str) else models))
    if not 0 < len(names) <= MOST:
        raise BadInput(f"Name 1 to {MOST} models to compare, not {len(names)}.")
    source, load = picture_of(picture), load or engine(device).load
    if truth is not None and truth.shape != source.rgb.shape[:2]:
        width, height = source.size
        raise BadInput(f"The truth has the shape {truth.shape}; give one α a pixel, ({height}, {width}).")
    made = {name: _side(source, name, load, recipe) for name in names}
    sides = {name: side for name, (_, side) in made.items()}
    cutouts = {name: cutout for name, (cutout, _) in made.items()}
    found = {name: _figures(cutouts[name], side, next(iter(sides.values())), truth) for name, side in sides.items()}
    return Comparison(source, MappingProxyType(cutouts), MappingProxyType(found))


def _side(source: Picture, model: str, load: Load, recipe: Mapping[str, object]) -> tuple[Cutout, Side]:
    """Cut by one model; its network is loaded before anything is timed."""
    asked = recipes.make(model=model, **recipe)
    for name in recipes.models(asked):
        load(name)
    begun = time.perf_counter()
    cutout = cut(source, asked, load=load)
    pixels = cutout.rgba()
    return cutout, Side(pixels, colored=True, ms=(time.perf_counter() - begun) * 1000)


def _figures(cutout: Cutout, side: Side, first: Side, truth: NDArray[np.float32] | None) -> dict[str, float | None]:
    """Work out what `cleancut compare` does, of one side: by itself, beside the truth, and beside the first."""
    alone = figures(Rows.of(side.alpha))
    found: dict[str, float | None] = {"confidence": cutout.confidence}
    found |= {name: work(side, alone) for name, work in ALONE.items()}
    if truth is not None:
        right = _masked(truth)
        found |= {name: work(side, right) for name, work in RIGHT.items() if work(side, right) is not None}
    if side.size == first.size:
        beside = {name: None if side is first else work(first.alpha, side.alpha) for name, work in BETWEEN.items()}
        found |= {f"{name} (from the first)": value for name, value in beside.items()}
    return found


def _masked(truth: NDArray[np.float32]) -> Side:
    """Take a true α for one side; its colours say nothing."""
    plane = np.rint(np.clip(truth, 0, 1) * 255).astype(np.uint8)
    return Side(np.repeat(plane[..., None], 4, axis=2), colored=False)


def _whole(picture: Picture) -> Pixels:
    return picture.rgb if picture.alpha is None else np.dstack((picture.rgb, picture.alpha))


def _fitting(title: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """Cut a title short that is wider than its picture."""
    while len(title) > 1 and font.getlength(title) > width:
        title = f"{title[:-2]}…"
    return title
