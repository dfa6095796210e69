"""rembg's Python interface, spelled as recipes: change the import and keep the rest of a program.

Parameters, defaults and meanings are those of rembg 2.0.86; docs/rembg.md says what is better here and what differs.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from cleancut.apps.rembg.sessions import OF_SESSIONS, Session, known, load, new_session, no_more
from cleancut.errors import BadRecipe, BadSetting
from cleancut.limits import Limits
from cleancut.matting.cutout import Cutout, written
from cleancut.matting.pipeline import cut
from cleancut.matting.recipe import make, models
from cleancut.matting.write import encoded
from cleancut.models.runtime import Load, Loaded
from cleancut.pictures import images
from cleancut.pictures.png import write_png
from cleancut.raster.rows import Rows
from cleancut.types import Picture, Recipe

if TYPE_CHECKING:
    from PIL import Image

_POLISH = ("opening:radius=1", "feather:radius=2", f"threshold:at={127 / 255}")
"""What rembg calls post-processing: an opening by a cross, a Gaussian of 2 px, a hard edge at 127."""

_GARMENTS = {"upper": "upper", "lower": "lower", "full": "full", "attire": None}
"""What `cc` may be, and the layer it names; attire is everything."""

_VITMATTE = tuple(f"{size}-{data}" for size in ("small", "base") for data in ("distinctions-646", "composition-1k"))
"""rembg's names of its refiners, its default first; ours are vitmatte- and these."""

_LATER = {"sam_prompt": "A prompt for SAM (sam_prompt)"}

_UNMIXING = ("alpha_matting", "vitmatte", "decontaminate")
"""What comes with estimated colours of soft edges."""

_BAND = {"foreground_threshold": 240, "background_threshold": 10, "erode_size": 10}
"""rembg's defaults for the band that alpha matting solves for."""

OF_CALLS: Final[tuple[str, ...]] = (
    "alpha_matting", "alpha_matting_foreground_threshold", "alpha_matting_background_threshold",
    "alpha_matting_erode_size", "only_mask", "post_process_mask", "decontaminate", "vitmatte", "vitmatte_model",
    "bgcolor", "putalpha", "sam_prompt", "cc", "cloth_category",
)  # fmt: skip
"""What says how a picture is cut; `putalpha` and those after it are rembg's unnamed extras."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a call of `remove` asks for, checked before any picture is read.

    Attributes:
        session: the model.
        recipes: one for each mask that the model gives, top to bottom in the result.
        bare: whether the colours under alpha 0 stay in the result (`putalpha`).
    """

    session: Session
    recipes: tuple[Recipe, ...]
    bare: bool

    def run(self, picture: Picture, limits: Limits | None = None) -> list[Cutout]:
        """Cut a picture, once for each mask; the network is asked once."""
        loading: Load = self.session.engine.load
        if len(self.recipes) > 1:
            loading = _asking_once(loading, self.session.model)
        return [cut(picture, recipe, load=loading, limits=limits) for recipe in self.recipes]

    def png(self, cutouts: Sequence[Cutout]) -> bytes:
        """Encode what `run` gave as PNG."""
        if len(cutouts) == 1 and not self.bare:
            return encoded(cutouts[0])
        stream = io.BytesIO()
        first = cutouts[0]
        profile = None if first.recipe.show == "alpha" else first.profile
        write_png(stream, Rows.of(self.pixels(cutouts)), profile=profile, dpi=first.source.dpi)
        return stream.getvalue()

    def image(self, cutouts: Sequence[Cutout]) -> Image.Image:
        """Give what `run` gave as a Pillow image, RGBA or L, with its profile and resolution."""
        first = cutouts[0].image()
        if len(cutouts) == 1 and not self.bare:
            return first
        from PIL import Image  # noqa: PLC0415

        image = Image.fromarray(self.pixels(cutouts))
        image.info.update(first.info)
        return image

    def pixels(self, cutouts: Sequence[Cutout]) -> NDArray[np.uint8]:
        """Give what `run` gave as an array, (H, W, 4) or (H, W) uint8."""
        return np.concatenate([_pixels(cutout, self.bare) for cutout in cutouts])


def remove(
    data: bytes | Image.Image | NDArray[Any],
    alpha_matting: bool = False,
    alpha_matting_foreground_threshold: int = 240,
    alpha_matting_background_threshold: int = 10,
    alpha_matting_erode_size: int = 10,
    session: Session | None = None,
    only_mask: bool = False,
    post_process_mask: bool = False,
    decontaminate: bool = False,
    vitmatte: bool = False,
    vitmatte_model: str | None = None,
    bgcolor: Sequence[int] | None = None,
    force_return_bytes: bool = False,
    *args: Any,
    **extras: Any,
) -> bytes | Image.Image | NDArray[np.uint8]:
    """Remove the background of a picture, as rembg's function of this name does.

    Args:
        data: the bytes of a picture file, a Pillow image, or an array (H, W), (H, W, 3) or (H, W, 4) of uint8, uint16
            or floats in [0, 1].
        alpha_matting: refine the edge by closed-form matting, and estimate its colours; needs cleancut[matting].
        alpha_matting_foreground_threshold: α, of 255, above which a pixel is subject for it.
        alpha_matting_background_threshold: α, of 255, below which a pixel is background for it.
        alpha_matting_erode_size: width in pixels by which it takes both back, to find the unknown band.
        session: from `new_session`; by default this process's engine with our small model, loaded once.
        only_mask: give the alpha instead of the cut-out.
        post_process_mask: smooth the alpha and make it hard: each pixel is 0 or 255.
        decontaminate: estimate the colours of soft edges.
        vitmatte: refine the edge by ViTMatte in the same band, and estimate its colours; goes before `alpha_matting`.
        vitmatte_model: small-distinctions-646 (the default), small-composition-1k, base-distinctions-646 or
            base-composition-1k; its weights are downloaded where they are missing.
        bgcolor: (red, green, blue, alpha), 0 to 255, to lay behind the subject.
        force_return_bytes: give PNG bytes whatever `data` is.
        args: none; rembg hands them to its model.
        extras: `putalpha` (keep the colours under alpha 0), `cc` or `cloth_category` (upper, lower, full or attire, of
            u2net_cloth_seg), and without a session whatever `new_session` takes.

    Returns:
        PNG bytes for bytes, a Pillow image for one, an array (H, W, 4) uint8 for one, with straight colour; L or (H, W)
        with `only_mask`. A model of several layers gives one below the other.

    Raises:
        BadSetting: a parameter is unknown or does not fit.
        BadRecipe: it asks for what this version cannot do.
        BadInput: the picture cannot be read.
        WeightsError, Broken: as `new_session` says.

    >>> remove(np.zeros((30, 40, 3), np.uint8)).shape
    (30, 40, 4)
    """
    no_more(args)
    chosen = session or new_session(**{name: extras[name] for name in OF_SESSIONS if name in extras})
    asked = {
        "alpha_matting": alpha_matting,
        "alpha_matting_foreground_threshold": alpha_matting_foreground_threshold,
        "alpha_matting_background_threshold": alpha_matting_background_threshold,
        "alpha_matting_erode_size": alpha_matting_erode_size,
        "only_mask": only_mask,
        "post_process_mask": post_process_mask,
        "decontaminate": decontaminate,
        "vitmatte": vitmatte,
        "vitmatte_model": vitmatte_model,
        "bgcolor": bgcolor,
    }
    plan = complete(planned(chosen, asked | extras))
    cutouts = plan.run(_picture(data))
    if force_return_bytes or isinstance(data, bytes | bytearray | memoryview):
        return plan.png(cutouts)
    return plan.pixels(cutouts) if isinstance(data, np.ndarray) else plan.image(cutouts)


def planned(session: Session, asked: Mapping[str, Any]) -> Plan:
    """Check what a call asks for by the names of `OF_CALLS`; what it leaves out is at its default.

    Raises:
        BadSetting, BadRecipe: as `remove` says.
    """
    if not isinstance(session, Session):
        raise BadSetting("The session must be one of cleancut.rembg.new_session, not of another package.")
    known(asked, (*OF_CALLS, *OF_SESSIONS))
    for name, what in _LATER.items():
        if asked.get(name):
            raise BadRecipe(f"{what} comes with a later version of cleancut; leave it out until then.")
    if asked.get("vitmatte_model") not in {None, *_VITMATTE}:
        raise BadSetting(f"vitmatte_model must be one of {', '.join(_VITMATTE)}.")
    color = _color(asked.get("bgcolor"))
    base = {
        "model": session.model,
        "refine": [*(_POLISH if asked.get("post_process_mask") else ()), *_matting(asked)] or "none",
        "foreground": "multilevel" if any(asked.get(name) for name in _UNMIXING) else "source",
        "effects": [] if color is None else [f"color:{color}"],
        "show": "alpha" if asked.get("only_mask") else "cutout",
        "no_subject": "keep",
    }
    recipes = tuple(make(**base, layer=layer) for layer in _layers(session, asked))
    bare = bool(asked.get("putalpha")) and color is None and not asked.get("only_mask")
    return Plan(session, recipes, bare)


def complete(plan: Plan, say: Callable[[str], None] = lambda _: None) -> Plan:
    """Download the weights of a refiner that a plan needs and this machine lacks, as users of rembg expect.

    Raises:
        WeightsError: they cannot be had.
    """
    for name in models(plan.recipes[0]):
        if name != plan.session.model:
            load(plan.session.engine, name, say)
    return plan


def _matting(asked: Mapping[str, Any]) -> Sequence[str]:
    """Write ViTMatte or closed-form matting as a step of ours; like rembg, a mask alone is refined by neither."""
    if asked.get("only_mask"):
        return ()
    solid, clear, size = (asked.get(f"alpha_matting_{name}", default) for name, default in _BAND.items())
    if asked.get("vitmatte"):
        model = f"vitmatte-{asked.get('vitmatte_model') or _VITMATTE[0]}"
        return (f"trimap:model={model},tiles=1,erode={_half(size)},solid={solid},clear={clear}",)
    return (f"matting:erode={_half(size)},solid={solid},clear={clear}",) if asked.get("alpha_matting") else ()


def _half(size: Any) -> float:
    """Turn the side of rembg's square into the radius of our disc."""
    if type(size) is not int or size < 1:
        raise BadSetting(f"alpha_matting_erode_size must be a whole number of at least 1, not {size!r}.")
    return size / 2


def _layers(session: Session, asked: Mapping[str, Any]) -> Sequence[str | None]:
    """Name the layer of each mask; without a choice every layer is one."""
    garment = asked.get("cc") or asked.get("cloth_category")
    if garment is None:
        return session.engine.model(session.model).layers or (None,)
    if garment not in _GARMENTS:
        raise BadSetting(f"cc must be one of {', '.join(_GARMENTS)}, not {garment!r}.")
    return (_GARMENTS[garment],)


def _color(given: Any) -> str | None:
    """Write a background colour as our effects read it; None where nothing of it would show."""
    if given is None:
        return None
    channels = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else []
    if len(channels) not in {3, 4} or not all(type(c) is int and 0 <= c <= 255 for c in channels):
        raise BadSetting(f"bgcolor must be four whole numbers from 0 to 255 (red, green, blue, alpha), not {given!r}.")
    return None if channels[3:] == [0] else f"#{bytes(channels).hex()}"


def _asking_once(loading: Load, model: str) -> Load:
    """Load a network that answers again what it answered first, for several cuts of one picture; others as they are."""
    kept: list[Loaded] = []

    def once(name: str) -> Loaded:
        if name != model:
            return loading(name)
        if not kept:
            kept.append(_remembering(loading(name)))
        return kept[0]

    return once


def _remembering(loaded: Loaded) -> Loaded:
    answer: dict[str, NDArray[Any]] = {}

    def network(inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        if not answer:
            answer.update(loaded.network(inputs))
        return answer

    return replace(loaded, network=network)


def _picture(data: Any) -> Picture:
    limits = Limits.from_env()
    if isinstance(data, bytes | bytearray | memoryview):
        return images.read(bytes(data), limits=limits)
    if isinstance(data, np.ndarray):
        return images.from_array(data, limits=limits)
    if hasattr(data, "getbands"):
        return images.from_image(data, limits=limits)
    raise BadSetting(f"data must be the bytes of a picture, a Pillow image or an array, not {type(data).__name__}.")


def _pixels(cutout: Cutout, bare: bool) -> NDArray[np.uint8]:
    if cutout.recipe.show == "alpha":
        return written(cutout.alpha)
    return np.dstack((cutout.source.rgb, written(cutout.alpha))) if bare else cutout.rgba()
