"""withoutBG's, Photoroom's and Clipdrop's wire formats, a row each.

A row says where the picture is, how its parameters are read to a recipe, what is made of the cutout, and how a failure
is told. docs/rembg-server.md lists what is read.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias

from starlette.datastructures import Headers
from starlette.types import Scope

from cleancut.apps.server.form import Form
from cleancut.apps.server.native.answers import Accept
from cleancut.apps.server.problems import code
from cleancut.apps.server.removebg.answers import wants_json
from cleancut.apps.server.removebg.geometry import max_side
from cleancut.apps.server.service import MEDIA_TYPES, Service
from cleancut.errors import CleancutError
from cleancut.matting.colors.despill import despilled
from cleancut.matting.cutout import Cutout
from cleancut.matting.pipeline import cut
from cleancut.matting.settings import Choice, Color, Kind, Switch
from cleancut.matting.write import encoded
from cleancut.pictures import images
from cleancut.raster.layer import Layer

Given: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One request as it was read.

    Attributes:
        source: the encoded picture.
        header: what the picture says of itself.
        given: the parameters.
        accept: the header of that name.
        as_json: whether the answer is JSON.
        service: that was asked.
    """

    source: bytes
    header: images.Header
    given: Given
    accept: str
    as_json: bool
    service: Service


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """What came of a picture.

    Attributes:
        data: the encoded result.
        media_type: of the data.
        headers: that go with it.
        told: the answer, where it is JSON.
    """

    data: bytes
    media_type: str
    headers: Mapping[str, str]
    told: Given


class Make(Protocol):
    """Makes an answer of a cutout."""

    def __call__(self, cutout: Cutout, call: Call) -> Made:
        """Make it."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One wire format.

    Attributes:
        path: where it is spoken.
        field: the part of a form that is the picture.
        raw: whether the picture may also be the body itself, or base64 in JSON.
        parameters: each with its kind and default; other fields are ignored.
        in_json: whether the answer is JSON, by the form and the header Accept.
        recipe: the fields of a recipe that a call asks for.
        make: turns the cutout into the answer, in a worker's thread.
        fail: the JSON of a failure with its status.
        formats: that a picture in the answer may have.
    """

    path: str
    field: str
    raw: bool
    parameters: Mapping[str, tuple[Kind, Any]]
    in_json: Callable[[Form, str], bool]
    recipe: Callable[[Call], Given]
    make: Make
    fail: Callable[[CleancutError, int, Scope], Given]
    formats: Sequence[str]


def _withoutbg_recipe(call: Call) -> Given:
    return {"show": "alpha" if call.given["output"] == "matte" and not call.as_json else "cutout", "format": "png"}


def _withoutbg(cutout: Cutout, call: Call) -> Made:
    data = encoded(cutout)
    matte = encoded(replace(cutout, recipe=replace(cutout.recipe, show="alpha"))) if call.as_json else b""
    urls = {name: f"data:image/png;base64,{_base64(png)}" for name, png in (("processed", data), ("alphaMatte", matte))}
    spent = round(sum(cutout.stopwatch.ms().values()))
    return Made(data, "image/png", {"X-Latency-Ms": str(spent)}, {**urls, "latencyMs": spent})


def _withoutbg_failure(error: CleancutError, status: int, scope: Scope) -> Given:
    as_json = Headers(scope=scope).get("content-type", "").startswith("application/json")
    return {"detail" if as_json else "error": error.public}


_PHOTOROOM_MEGAPIXELS = {"preview": 0.25, "medium": 1.5, "hd": 4.0, "full": 36.0}
_PHOTOROOM_FORMATS = {"png": "png", "jpg": "jpeg", "webp": "webp"}
_GREEN = (0.0, 255.0, 0.0)


def _photoroom_recipe(call: Call) -> Given:
    given = call.given
    trim, color = ["trim"] if given["crop"] else [], [f"color:{given['bg_color']}"] if given["bg_color"] else []
    return {
        "format": _PHOTOROOM_FORMATS[given["format"]],
        "show": "alpha" if given["channels"] == "alpha" else "cutout",
        "effects": [*trim, *color],
        "max_side": max_side(call.header.upright, _PHOTOROOM_MEGAPIXELS[given["size"]]),
    }


def _photoroom(cutout: Cutout, call: Call) -> Made:
    if call.given["despill"]:
        subject = cutout.subject
        cutout = replace(cutout, subject=Layer(despilled(subject.color, subject.alpha, _GREEN), subject.alpha))
    data = encoded(cutout)
    uncertain = {"x-uncertainty-score": f"{1 - cutout.confidence:.3f}"}
    return Made(data, MEDIA_TYPES[cutout.recipe.format or "png"], uncertain, {"base64img": _base64(data)})


def _photoroom_failure(error: CleancutError, status: int, scope: Scope) -> Given:
    return {"detail": error.public, "status_code": status, "type": getattr(error, "code", "") or code(error)}


def _clipdrop_recipe(call: Call) -> Given:
    media = Accept(call.accept).best([MEDIA_TYPES[format] for format in _CLIPDROP_FORMATS])
    return {"format": next(format for format in _CLIPDROP_FORMATS if MEDIA_TYPES[format] == media)}


def _clipdrop(cutout: Cutout, call: Call) -> Made:
    """Give back a picture that is translucent already, unless its alpha is to be discarded; then it is cut without."""
    headers = {"x-credits-consumed": "0"}
    if cutout.source.alpha is not None and call.given["transparency_handling"] == "return_input_if_non_opaque":
        return Made(call.source, f"image/{call.header.format.lower()}", headers, {})
    if cutout.source.alpha is not None:
        opaque = replace(cutout.source, alpha=None)
        cutout = cut(opaque, cutout.recipe, load=call.service.load, limits=call.service.limits)
    return Made(encoded(cutout), MEDIA_TYPES[cutout.recipe.format or "png"], headers, {})


def _clipdrop_failure(error: CleancutError, status: int, scope: Scope) -> Given:
    return {"error": error.public}


_CLIPDROP_FORMATS = ("png", "webp", "jpeg")
_TRANSPARENCY = ("return_input_if_non_opaque", "discard_alpha_layer")

ROWS: Sequence[Row] = (
    Row(
        path="/v1/remove-background",
        field="image",
        raw=True,
        parameters={"output": (Choice(("cutout", "matte", "processed")), "cutout")},
        in_json=lambda form, accept: form.json is not None,
        recipe=_withoutbg_recipe,
        make=_withoutbg,
        fail=_withoutbg_failure,
        formats=("png",),
    ),
    Row(
        path="/v1/segment",
        field="image_file",
        raw=False,
        parameters={
            "format": (Choice(tuple(_PHOTOROOM_FORMATS)), "png"),
            "channels": (Choice(("rgba", "alpha")), "rgba"),
            "bg_color": (Color(), None),
            "size": (Choice(tuple(_PHOTOROOM_MEGAPIXELS)), "full"),
            "crop": (Switch(), False),
            "despill": (Switch(), False),
        },
        in_json=lambda form, accept: wants_json(accept),
        recipe=_photoroom_recipe,
        make=_photoroom,
        fail=_photoroom_failure,
        formats=tuple(_PHOTOROOM_FORMATS.values()),
    ),
    Row(
        path="/remove-background/v1",
        field="image_file",
        raw=False,
        parameters={"transparency_handling": (Choice(_TRANSPARENCY), _TRANSPARENCY[0])},
        in_json=lambda form, accept: False,
        recipe=_clipdrop_recipe,
        make=_clipdrop,
        fail=_clipdrop_failure,
        formats=_CLIPDROP_FORMATS,
    ),
)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
