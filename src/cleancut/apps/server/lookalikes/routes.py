"""Each row of the table as an address."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response
from starlette.types import Scope

from cleancut.apps.server import access
from cleancut.apps.server.form import Form, from_base64, read_form
from cleancut.apps.server.lookalikes.rows import ROWS, Call, Given, Row
from cleancut.apps.server.native.spec import Operation
from cleancut.apps.server.problems import JSON, headers_of
from cleancut.apps.server.service import MEDIA_TYPES, Caller, Service
from cleancut.errors import BadCall, BadRecipe, BadSetting, CleancutError
from cleancut.matting.settings import Kind
from cleancut.pictures import images

Who = Annotated[Caller, Depends(access.caller)]

router = APIRouter(tags=["look-alikes"])


def _source(form: Form, row: Row) -> bytes:
    files = [file.data for file in form.files if file.field == row.field]
    if len(files) == 1:
        return files[0]
    if row.raw and form.raw is not None:
        return form.raw
    if row.raw and form.json is not None and (text := form.text(row.field)) is not None:
        return from_base64(text, row.field)
    raise BadCall(f"Send one picture, in the field {row.field} of a multipart form.", "missing_image")


def _given(form: Form, row: Row) -> Given:
    """Read a row's parameters; those that are absent are at their defaults."""
    given = {name: default for name, (_, default) in row.parameters.items()}
    for name, (kind, _) in row.parameters.items():
        if (text := form.text(name)) is not None:
            given[name] = _read(name, kind, text.strip())
    return given


def _read(name: str, kind: Kind, text: str) -> Any:
    try:
        return kind.read(text)
    except ValueError:
        raise BadSetting(f"{name} must be {kind}, not {text[:100]!r}.") from None


async def _answered(request: Request, who: Caller, row: Row) -> Response:
    service: Service = request.app.state.service
    form = await read_form(request, service.settings)
    given, accept = _given(form, row), request.headers.get("accept", "")
    source = await anyio.to_thread.run_sync(_source, form, row)
    header = await anyio.to_thread.run_sync(partial(images.header, source, limits=service.limits))
    call = Call(source, header, given, accept, row.in_json(form, accept), service)
    recipe = service.recipe(row.recipe(call))
    made = await service.run(source, recipe, partial(row.make, call=call), who, gone=request.is_disconnected)
    headers = {**made.headers, "Cache-Control": "no-store"}
    if call.as_json:
        return await anyio.to_thread.run_sync(JSON, made.told, 200, headers)
    return Response(made.data, media_type=made.media_type, headers=headers)


def _failed(row: Row, scope: Scope, error: CleancutError) -> Response:
    status = 400 if isinstance(error, BadRecipe) else error.http_status
    return JSON(row.fail(error, status, scope), status, headers=headers_of(error))


def _operation(row: Row) -> Operation:
    """Describe a row in OpenAPI."""
    binary = {"type": "string", "format": "binary"}
    fields = {name: kind.schema() for name, (kind, _) in row.parameters.items()}
    kinds: dict[str, Any] = {"multipart/form-data": {"type": "object", "properties": {row.field: binary, **fields}}}
    if row.raw:
        as_text = {row.field: {"type": "string", "contentEncoding": "base64"}, **fields}
        kinds |= {"image/*": binary, "application/octet-stream": binary}
        kinds["application/json"] = {"type": "object", "properties": as_text}
    told = {"application/json": {"schema": {"type": "object"}}}
    good = {MEDIA_TYPES[format]: {"schema": binary} for format in row.formats} | told
    failed = (400, 402, 403, 408, 413, 415, 429, 500, 503, 504)
    return Operation(
        {
            200: {"description": "The result.", "content": good},
            **{status: {"description": "What went wrong.", "content": told} for status in failed},
        },
        {"requestBody": {"required": True, "content": {kind: {"schema": schema} for kind, schema in kinds.items()}}},
    )


def _endpoint(row: Row) -> Callable[..., Awaitable[Response]]:
    async def answer(request: Request, who: Who) -> Response:
        return await _answered(request, who, row)

    return answer


for _row in ROWS:
    _told = _operation(_row)
    router.add_api_route(
        _row.path,
        _endpoint(_row),
        methods=["POST"],
        name=_row.path,
        summary="Cut the subject out of a picture.",
        responses=_told.responses,
        openapi_extra=_told.extra,
    )

words = {row.path: partial(_failed, row) for row in ROWS}
"""Failures at each address, in the words spoken there."""
