"""A cutout: the subject under its alpha, what lies beneath it, and how it shows itself.

A cutout is a stack of layers on one canvas, bottom to top: a backdrop that fills the canvas (a colour, a
picture), the source's background as an effect changed it, layers beneath the subject (a shadow, an outline),
and the subject. Nothing is mixed before it is asked for: `painted` composites a strip, once, and `rgba`,
`image` and `save` are that, strip by strip.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cleancut.matting.backdrop import Backdrop, colored, pictured
from cleancut.matting.band.trimap import certainty, trimap
from cleancut.matting.figures import box_of, figures
from cleancut.matting.settings import Color
from cleancut.matting.stopwatch import Stopwatch
from cleancut.pictures.showing import bundle
from cleancut.raster.blend import mix
from cleancut.raster.color import rows_to_srgb
from cleancut.raster.layer import Layer
from cleancut.raster.rows import Rows
from cleancut.types import Box, Bundle, Picture, Ran, Recipe, Report

if TYPE_CHECKING:
    from PIL import Image

    from cleancut.matting.scribbles.heed import Hand


@dataclass(frozen=True, slots=True, eq=False)
class Cutout:
    """A subject cut out of its picture, at full resolution.

    An effect is a function from one of these to another. Sizes and boxes are in the canvas's pixels; `source`
    alone keeps the picture as it was read.

    Attributes:
        source: the picture.
        scene: the source's own colours as they lie on the canvas; its alpha is 0 where it does not reach.
        subject: foreground F, straight, and α.
        recipe: what was asked for.
        under: layers beneath the subject, the lowest first.
        scenery: the source's background as an effect changed it, beneath those; None: it is not shown.
        backdrop: what fills the canvas beneath them all, or None: transparent.
        profile: ICC profile of every layer; None is sRGB.
        confidence, model, sha256, provider, precision, models, refined, notes: see `Report`.
        band: the source under its trimap as alpha: 0, 1, and between them where α was unknown before it was refined.
        hand: what it takes to correct it by hand; None where `cut` did not make it.
        stopwatch: what each stage took so far.

    >>> import cleancut
    >>> photo = cleancut.Picture(np.zeros((120, 160, 3), np.uint8))
    >>> cut = cleancut.cut(photo)
    >>> cut.rgba().shape, cut.alpha.dtype, cut.box
    ((120, 160, 4), dtype('float32'), None)
    """

    source: Picture
    scene: Layer
    subject: Layer
    recipe: Recipe
    confidence: float = 1.0
    model: str = ""
    sha256: str = ""
    provider: str = ""
    precision: str = ""
    models: tuple[Ran, ...] = ()
    under: tuple[Layer, ...] = ()
    scenery: Layer | None = None
    backdrop: Backdrop | None = None
    profile: bytes | None = None
    refined: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    band: Layer | None = None
    hand: Hand | None = None
    stopwatch: Stopwatch = field(default_factory=Stopwatch)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the canvas in pixels."""
        return self.subject.size

    @property
    def alpha(self) -> NDArray[np.float32]:
        """The subject's α, (H, W) float32 in [0, 1]; computed anew each time."""
        return self.subject.alpha.whole()

    @property
    def trimap(self) -> NDArray[np.uint8]:
        """What was certain before the edge was refined, (H, W) uint8: 0 background, 255 subject, 128 neither."""
        return self.marked.whole()

    @property
    def marked(self) -> Rows:
        """`trimap` as rows; of a cutout that `cut` did not make, that of its α."""
        return trimap(self.subject.alpha) if self.band is None else self.band.alpha.map(certainty)

    @property
    def foreground(self) -> NDArray[np.uint8]:
        """The subject's F, (H, W, 3) uint8, straight; 0 where written alpha is 0. Computed anew each time."""
        return Rows((*self.subject.alpha.shape, 3), self.seen).whole()

    @property
    def box(self) -> Box | None:
        """The smallest box that holds every pixel of α ≥ 5 %; None without one."""
        return box_of(self.subject.alpha)

    @property
    def report(self) -> Report:
        """What was done, with the milliseconds of each stage so far."""
        found = figures(self.subject.alpha)
        return Report(
            name=self.source.name,
            size=self.size,
            box=found.box,
            confidence=self.confidence,
            softness=found.softness,
            uncertain=found.uncertain,
            model=self.model,
            sha256=self.sha256,
            provider=self.provider,
            precision=self.precision,
            models=self.models,
            refine=self.refined,
            ms=self.stopwatch.ms(),
            notes=self.notes,
        )

    def moved(self, change: Callable[[Layer], Layer]) -> Cutout:
        """Change every layer's geometry alike; the backdrop fills whatever canvas comes of it."""
        return replace(
            self,
            scene=change(self.scene),
            subject=change(self.subject),
            scenery=None if self.scenery is None else change(self.scenery),
            band=None if self.band is None else change(self.band),
            under=tuple(change(layer) for layer in self.under),
        )

    def in_srgb(self) -> Cutout:
        """Convert every layer to sRGB; needed before a colour or picture from elsewhere joins them."""
        if self.profile is None:
            return self
        profile = self.profile
        converted = self.moved(lambda layer: Layer(rows_to_srgb(layer.color, profile), layer.alpha))
        return replace(converted, profile=None)

    def over(self, background: str | Picture) -> Cutout:
        """Lay a colour (`"white"`, `"#1e90ff"`) or a picture, which covers the canvas, beneath everything.

        Raises:
            BadSetting: the colour is none.
        """
        fill = (
            pictured(background)
            if isinstance(background, Picture)
            else colored(*Color.channels(Color.named(background)))
        )
        laid = replace(self.in_srgb(), backdrop=fill)
        hand = self.hand
        if hand is None:
            return laid
        return replace(laid, hand=replace(hand, remake=lambda marks: hand.remake(marks).over(background)))

    def painted(self, top: int, bottom: int) -> NDArray[np.uint8]:
        """Composite rows top to bottom − 1 into (h, W, 4) uint8, straight: this is what is written.

        Where the subject's written alpha is 255 its colour stands bit for bit; where the result's is 0, RGB
        is 0.
        """
        opacity = written(self.subject.alpha.read(top, bottom))
        color = self.subject.color.read(top, bottom)
        backdrop = None if self.backdrop is None else self.backdrop(*self.size)
        layers = [layer for layer in (backdrop, self.scenery, *self.under) if layer is not None]
        below = [(layer.color.read(top, bottom), layer.alpha.read(top, bottom)) for layer in layers]
        with self.stopwatch.stage("composite"):
            return mix(below, color, opacity, linear=self.recipe.blend == "linear")

    def seen(self, top: int, bottom: int) -> NDArray[np.uint8]:
        """Give rows of the subject's colour, (h, W, 3) uint8, straight; 0 where the written alpha is 0."""
        there = written(self.subject.alpha.read(top, bottom)) > 0
        return np.asarray(self.subject.color.read(top, bottom) * there[..., None])

    def rgba(self) -> NDArray[np.uint8]:
        """Composite everything: (H, W, 4) uint8, straight colour, in the space of `profile`."""
        return Rows((*self.subject.alpha.shape, 4), self.painted).whole()

    def image(self) -> Image.Image:
        """Show what `save` would write as a Pillow image: RGBA, or L where the recipe shows the alpha."""
        from cleancut.matting.write import image  # noqa: PLC0415 - writing stands on this module

        return image(self)

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the result, in the recipe's format or else by the extension; whole or not at all.

        Raises:
            CannotWrite: the path exists and `overwrite` is off, or cannot be written.
            BadSetting: the extension is of no format.
        """
        from cleancut.matting.write import save  # noqa: PLC0415

        return save(self, Path(path), overwrite=overwrite)

    def _repr_png_(self) -> bytes:
        """Show what `save` would write, in small and over a checkerboard where it is clear."""
        png: bytes = self._repr_mimebundle_()[0]["image/png"]
        return png

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Bundle:
        """Show itself in a notebook."""
        shown = self.image()
        text = f"<Cutout {self.source.name}, {shown.width} × {shown.height}, confidence {self.confidence:.2f}>"
        return bundle(np.asarray(shown), shown.info.get("icc_profile"), text)


def written(alpha: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Quantise α in [0, 1] to the 8 bits that are written.

    >>> written(np.array([0, 0.5, 1], np.float32)).tolist()
    [0, 128, 255]
    """
    return (alpha * np.float32(255) + np.float32(0.5)).astype(np.uint8)
