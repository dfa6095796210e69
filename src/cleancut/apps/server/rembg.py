"""rembg's server, /api/remove, with its parameters: read here, planned as its Python function plans them.

What differs is what strangers may do: limits are those of this service, a model must be on this machine, and what
does not fit is answered with 400 and a sentence. docs/rembg-server.md lists it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response
from starlette.types import Scope

from cleancut.apps.rembg.api import OF_CALLS, Plan, planned
from cleancut.apps.rembg.sessions import Session, known
from cleancut.apps.server import access
from cleancut.apps.server.form import Form, parsed, read_form
from cleancut.apps.server.native.spec import Operation
from cleancut.apps.server.problems import JSON, headers_of
from cleancut.apps.server.service import Caller, Service
from cleancut.errors import BadRecipe, BadSetting, CleancutError, TooBig
from cleancut.limits import ServiceLimits
from cleancut.matting.cutout import Cutout
from cleancut.matting.pipeline import cut
from cleancut.matting.settings import Range, Switch

Who = Annotated[Caller, Depends(access.caller)]

router = APIRouter(prefix="/api", tags=["rembg"])

_ADDRESS = "url"
_FILE = "file"
_BYTE = Range(0, 255, whole=True)


def _switch(text: str) -> object:
    return Switch().read(text)


def _byte(text: str) -> object:
    return _BYTE.read(text)


def _size(text: str) -> object:
    return Range(1, 200, whole=True).read(text)


def _color(text: str) -> object:
    """Read red, green, blue and alpha with commas between them."""
    parts = text.split(",")
    if len(parts) != 4:
        raise ValueError
    return tuple(_BYTE.read(part.strip()) for part in parts)


_PARAMETERS: Mapping[str, tuple[str, Callable[[str], object], str]] = {
    "a": ("alpha_matting", _switch, "Refine the edge by closed-form matting."),
    "af": ("alpha_matting_foreground_threshold", _byte, "Alpha above which a pixel is subject for it, 0 to 255."),
    "ab": ("alpha_matting_background_threshold", _byte, "Alpha below which a pixel is background, 0 to 255."),
    "ae": ("alpha_matting_erode_size", _size, "Pixels by which it takes both back, 1 to 200."),
    "om": ("only_mask", _switch, "Give the mask alone."),
    "ppm": ("post_process_mask", _switch, "Smooth the mask and make it hard."),
    "dc": ("decontaminate", _switch, "Estimate the colours of soft edges."),
    "vm": ("vitmatte", _switch, "Refine the edge by ViTMatte."),
    "bgc": ("bgcolor", _color, "A colour to lay behind: red,green,blue,alpha, each 0 to 255."),
}
"""Each parameter, what rembg's function calls it, what reads it and what it is."""


def _failed() -> dict[int | str, dict[str, Any]]:
    schema = {"type": "object", "properties": {"detail": {"type": "string"}}, "required": ["detail"]}
    content = {"application/json": {"schema": schema}}
    statuses = (400, 402, 403, 408, 413, 415, 429, 500, 503, 504)
    return {status: {"description": "What went wrong.", "content": content} for status in statuses}


def _operation(*, body: bool) -> Operation:
    """Describe the address: with a file in the body, or with the address of one."""
    text = {"type": "string"}
    told = {name: {**text, "description": about} for name, (_, _, about) in _PARAMETERS.items()}
    told |= {"model": {**text, "description": "Name of a model."}, "extras": {**text, "description": "JSON of more."}}
    good = {"description": "The result.", "content": {"image/png": {"schema": {**text, "format": "binary"}}}}
    asked = [{"name": name, "in": "query", "schema": schema} for name, schema in told.items()]
    if not body:
        url = {"name": _ADDRESS, "in": "query", "required": True, "schema": {**text, "format": "uri"}}
        return Operation({200: good, **_failed()}, {"parameters": [url, *asked]})
    parts = {"type": "object", "properties": {_FILE: {**text, "format": "binary"}, **told}, "required": [_FILE]}
    sent = {"required": True, "content": {"multipart/form-data": {"schema": parts}}}
    return Operation({200: good, **_failed()}, {"parameters": asked, "requestBody": sent})


_GET, _POST = _operation(body=False), _operation(body=True)


@router.get("/remove", responses=_GET.responses, openapi_extra=_GET.extra)
async def remove_of_address(request: Request, who: Who) -> Response:
    """Cut out the picture at an address."""
    return await _removed(request, who)


@router.post("/remove", responses=_POST.responses, openapi_extra=_POST.extra)
async def remove_of_file(request: Request, who: Who) -> Response:
    """Cut out a picture that is sent."""
    return await _removed(request, who)


async def _removed(request: Request, who: Caller) -> Response:
    service: Service = request.app.state.service
    form = await read_form(request, service.settings)
    plan = asked(form, service)
    source = await _source(form, service, request.method)
    first, *others = plan.recipes
    work = partial(_png, plan=plan, others=others, service=service)
    png = await service.run(source, first, work, who, gone=request.is_disconnected)
    return Response(png, media_type="image/png", headers={"Cache-Control": "no-store"})


def asked(form: Form, service: Service) -> Plan:
    """Read rembg's parameters.

    Raises:
        BadSetting, BadRecipe: one does not fit, or is not known.
    """
    model = service.engine.model(form.text("model") or service.settings.model).name
    texts = {name: form.text(name) for name in _PARAMETERS}
    stated = {_PARAMETERS[name][0]: _read(name, text) for name, text in texts.items() if text is not None}
    return planned(Session(model, service.engine, model), stated | _extras(form, service.limits))


def failure(scope: Scope, error: CleancutError) -> Response:
    """Answer a failure as rembg's server does, in a field `detail`."""
    status = 400 if isinstance(error, BadRecipe) else error.http_status
    return JSON({"detail": error.public}, status, headers=headers_of(error))


words = {"/api/remove": failure}


def _read(name: str, text: str) -> object:
    try:
        return _PARAMETERS[name][1](text)
    except (ValueError, OverflowError):
        raise BadSetting(f"The parameter {name} cannot be read. It is: {_PARAMETERS[name][2]}") from None


def _extras(form: Form, limits: ServiceLimits) -> dict[str, Any]:
    """Read what rembg hands to its model; what would choose files or devices is not for strangers."""
    text = form.text("extras")
    if text is None:
        return {}
    given = parsed(text, limits)
    if not isinstance(given, dict):
        raise BadSetting('extras must be a JSON object, such as {"cc": "upper"}.')
    known(given, OF_CALLS)
    if any(isinstance(value, dict | list) for name, value in given.items() if name != "bgcolor"):
        raise BadSetting("The values of extras are words, numbers, true and false; only bgcolor is a list.")
    return given


async def _source(form: Form, service: Service, method: str) -> bytes:
    if method == "GET":
        url = form.text(_ADDRESS)
        if url is None:
            raise BadSetting(f"Name the address of a picture in the parameter {_ADDRESS}.")
        return await service.fetcher.get(url, max_bytes=service.limits.max_bytes)
    files = [file.data for file in form.files if file.field == _FILE]
    if len(files) != 1:
        raise BadSetting(f"Send one picture, in the field {_FILE} of a multipart form.")
    return files[0]


def _png(first: Cutout, plan: Plan, others: list[Any], service: Service) -> bytes:
    """Encode a cutout, or those of all a model's layers, one below the other."""
    width, height = first.size
    if width * height * (1 + len(others)) > service.limits.max_pixels:
        raise TooBig("The layers together have too many pixels; name one of them, or send a smaller picture.")
    more = [cut(first.source, recipe, load=service.load, limits=service.limits) for recipe in others]
    return plan.png([first, *more])
