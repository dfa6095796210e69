"""The nouns: what is handed from one floor to the next. Frozen, and no work is done here.

α is coverage in [0, 1]; colour is straight (not multiplied by α): `I = αF + (1 − α)B` (Porter & Duff 1984).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Network: TypeAlias = "Callable[[Mapping[str, NDArray[Any]]], Mapping[str, NDArray[Any]]]"
"""Named arrays in, named arrays out. In life a session of onnxruntime, in tests any function."""

Box: TypeAlias = tuple[int, int, int, int]
"""left, top, right, bottom in pixels, right and bottom outside: `picture[top:bottom, left:right]`."""

Value: TypeAlias = bool | int | float | str
"""What a setting may be: it must survive JSON."""


Bundle: TypeAlias = tuple[dict[str, Any], dict[str, Any]]
"""What a notebook shows and how, by media type."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture as seen: upright, 8 bits a channel, in the colour space of its source.

    Attributes:
        rgb: (H, W, 3) uint8, in the space that `profile` describes. Not to be written to.
        alpha: (H, W) uint8, the source's own alpha, or None where it had none.
        profile: the ICC profile of `rgb`; None is sRGB.
        name: what to call it in messages and reports.
        dpi: resolution in dots per inch (x, y), or None where the source does not state it.
        exif: metadata that may go into the result, never personal; None unless it was asked for.
        notes: what the reader of a result should know ("the first of 12 frames").
    """

    rgb: NDArray[np.uint8]
    alpha: NDArray[np.uint8] | None = None
    profile: bytes | None = None
    name: str = "picture"
    dpi: tuple[float, float] | None = None
    exif: bytes | None = None
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.rgb.shape[1], self.rgb.shape[0]

    def _repr_png_(self) -> bytes:
        """Show itself, in small and over a checkerboard where it is clear."""
        png: bytes = self._repr_mimebundle_()[0]["image/png"]
        return png

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Show itself in a notebook."""
        # A noun does no work; what draws it is imported when someone looks. pyproject.toml excuses this one import.
        import numpy as np  # noqa: PLC0415

        from cleancut.pictures.showing import bundle  # noqa: PLC0415

        pixels = self.rgb if self.alpha is None else np.dstack((self.rgb, self.alpha))
        return bundle(pixels, self.profile, f"<Picture {self.name}, {self.size[0]} × {self.size[1]}>")


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What a network says of a picture, at the network's own size.

    Attributes:
        alpha: (K, h, w) float32 in [0, 1], one plane a layer.
        confidence: how far to trust it, in [0, 1]; near 0 where there is no subject.
        subject: whether there is a subject at all.
        notes: what the reader of a result should know of how it came about.
        error: (h', w') float32, how far alpha is expected to be off, in [0, 1]; None where the network does not say.
    """

    alpha: NDArray[np.float32]
    confidence: float
    subject: bool
    notes: tuple[str, ...] = ()
    error: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One effect or refinement with its settings, sorted by name.

    >>> Step("blur", (("radius", 12.0),))
    Step(name='blur', settings=(('radius', 12.0),))
    """

    name: str
    settings: tuple[tuple[str, Value], ...] = ()


@dataclass(frozen=True, slots=True)
class Stroke:
    """A brush stroke that says what belongs to the subject, or does not.

    Attributes:
        points: (x, y) along its line, in shares of the picture's width and height, from 0 to 1.
        radius: a share of the picture's longer side, above 0 and up to 0.5.
        keep: whether what it covers belongs to the subject.

    >>> Stroke(((0.5, 0.25), (0.6, 0.3)), 0.02).keep
    True
    """

    points: tuple[tuple[float, float], ...]
    radius: float
    keep: bool = True


def option(default: Any, doc: str, **more: Any) -> Any:
    """Declare a field of a recipe; flags, forms, the schema and the docs are read off it.

    Args:
        default: the field's default.
        doc: what it does, as the help says it.
        more: `flags` (command-line names), `choices`, `low` and `high`, `metavar`.
    """
    return field(default=default, metadata={"doc": doc, **more})


AUTO = (Step("auto"),)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to do to a picture. Frozen, plain data, the same in every way in.

    It never holds a path, a handle or an array, so it can cross a wire; a picture that an effect needs is named here
    and handed over beside it. `matting.recipe` reads it from and writes it to text and JSON.

    >>> Recipe(model="u2netp").show
    'cutout'
    """

    model: str = option(
        "cleancut-small",
        "Model that finds the subject; of several, as in a+b, the answers are averaged.",
        flags=("-m",),
        metavar="NAME",
    )
    tta: Literal["flip", "scale", "flip,scale"] | None = option(
        None,
        "Ask about more views and average them: mirrored, closer to the subject, or both.",
        choices=("flip", "scale", "flip,scale"),
    )
    layer: str | None = option(None, "Layer of a model that has several.", metavar="NAME")
    refine: tuple[Step, ...] = option(
        AUTO,
        "What is done to the edge, in order: auto, none or steps such as feather:radius=2.",
        metavar="STEP",
        steps="refine",
    )
    strokes: tuple[Stroke, ...] = option(
        (),
        "Correct by hand: keep or remove, a radius, and a line's points, such as keep:0.02:0.41,0.3:0.44,0.35; repeat "
        "for more.",
        flags=("--stroke",),
        metavar="STROKE",
    )
    opaque: bool = option(False, "Leave no partial alpha inside the subject, as of glass or a veil; edges stay soft.")
    budget: int = option(
        128,
        "Tiles at the most when edges are looked at from close up; counted, not timed, so equal recipes give equal "
        "results.",
        low=0,
        high=4096,
        metavar="TILES",
    )
    foreground: Literal["pyramid", "multilevel", "source"] = option(
        "pyramid",
        "Colour of soft edges: pyramid takes the old background's colour out, multilevel does so with more care for "
        "hair and more time, source keeps the picture's.",
        choices=("pyramid", "multilevel", "source"),
    )
    effects: tuple[Step, ...] = option(
        (),
        "Effect, such as blur:radius=12; repeat for more.",
        flags=("-e", "--effect"),
        metavar="EFFECT",
        steps="effects",
    )
    blend: Literal["srgb", "linear"] = option(
        "srgb", "Space in which colours are mixed over a new background.", choices=("srgb", "linear")
    )
    show: Literal["cutout", "alpha", "foreground", "trimap"] = option(
        "cutout",
        "What is written; trimap is what was certain before the edge was refined.",
        choices=("cutout", "alpha", "foreground", "trimap"),
    )
    no_subject: Literal["empty", "keep"] = option(
        "empty",
        "Where no subject is found: empty leaves nothing, keep shows what the model made of it.",
        choices=("empty", "keep"),
    )
    max_side: int | None = option(
        None,
        "Reduce the picture first, so that its longer side has this many pixels at most.",
        low=1,
        metavar="PX",
    )
    format: Literal["png", "webp", "avif", "tiff", "jpeg"] | None = option(
        None,
        "Format of the result; by the output's extension, else png.",
        flags=("-f",),
        choices=("png", "webp", "avif", "tiff", "jpeg"),
    )
    quality: int | None = option(
        None,
        "Quality of lossy formats, 1 to 100; without it WebP is lossless.",
        low=1,
        high=100,
        metavar="1-100",
    )
    keep_metadata: bool = option(False, "Keep metadata that is not personal (camera, exposure, copyright).")
    provenance: bool = option(True, "Note the recipe, the model's sha256 and our version in a PNG.")


@dataclass(frozen=True, slots=True)
class Ran:
    """A model's part in a result.

    Attributes:
        model: its name; `license` of its weights and their `sha256`; `provider` that ran it, in this `precision`.
        confidence: how far to trust what it said, in [0, 1]; None where it refined what another found.
        ms: milliseconds it took, all views together.
    """

    model: str
    license: str
    sha256: str
    provider: str
    precision: str
    confidence: float | None
    ms: float


@dataclass(frozen=True, slots=True)
class Report:
    """What was done to one picture, and how it went.

    Attributes:
        name: the picture's name.
        size: (width, height) of the result in pixels.
        box: the smallest box that holds the subject, in the result's pixels; None without a subject.
        confidence: how far to trust the result, in [0, 1].
        softness: mean width in pixels of the way from α = 0.05 to 0.95 along the outline; 0 without one.
        uncertain: share of the pixels that lie on it, 0.05 < α < 0.95.
        model: name of the model; `sha256` of its weights; `provider` that ran it, in this `precision`. Where several
            ran, each is joined by +.
        models: each model that ran by itself, in the order they ran.
        refine: the steps that ran on the edge.
        ms: milliseconds by stage so far, summed over threads.
        notes: what the reader should know.
    """

    name: str
    size: tuple[int, int]
    box: Box | None
    confidence: float
    softness: float
    uncertain: float
    model: str
    sha256: str
    provider: str
    precision: str
    models: tuple[Ran, ...]
    refine: tuple[str, ...]
    ms: Mapping[str, float]
    notes: tuple[str, ...]
