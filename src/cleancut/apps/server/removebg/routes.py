"""remove.bg's three addresses: /removebg, /account and /improve."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from cleancut.apps.feedback.store import keep
from cleancut.apps.server import access
from cleancut.apps.server.form import read_form
from cleancut.apps.server.problems import JSON
from cleancut.apps.server.removebg import account, parameters, sources, spec
from cleancut.apps.server.removebg.answers import success, wants_json
from cleancut.apps.server.removebg.errors import bad
from cleancut.apps.server.removebg.plan import BACKGROUND, head, planned
from cleancut.apps.server.removebg.render import rendered
from cleancut.apps.server.removebg.sources import Given
from cleancut.apps.server.service import Caller, Service
from cleancut.errors import BadUrl, FetchFailed, TooBig, UrlsOff
from cleancut.pictures.images import Header

router = APIRouter(prefix="/v1.0", tags=["remove.bg"])

Who = Annotated[Caller, Depends(access.caller)]

_NOT_FETCHED: Mapping[str, tuple[str, str]] = {
    "image_url": ("invalid_image_url", "failed_image_download"),
    "bg_image_url": ("invalid_bg_image_url", "failed_bg_download"),
}
"""The codes for an address that may not be fetched, and for one that could not."""


@router.post("/removebg", responses=spec.REMOVEBG.responses, openapi_extra=spec.REMOVEBG.extra)
async def removebg(request: Request, who: Who) -> Response:
    """Cut the subject out of a picture, by remove.bg's parameters."""
    service: Service = request.app.state.service
    form = await read_form(request, service.settings)
    source = await anyio.to_thread.run_sync(sources.source, form)
    asked = parameters.asked(form)
    behind = sources.background(form, asked.color)
    data = await _data(service, source)
    background = None if behind is None else await _data(service, behind)
    beneath = None if background is None else await _head(service, background)
    plan = planned(asked, await _head(service, data), beneath, service.settings.model)
    result = await service.run(
        data,
        plan.recipe,
        partial(rendered, plan=plan),
        who,
        assets={} if background is None else {BACKGROUND: background},
        gone=request.is_disconnected,
    )
    answered = partial(
        success,
        result,
        asked,
        as_json=wants_json(request.headers.get("accept", "")),
        emulate_credits=service.settings.emulate_credits,
    )
    answer = await anyio.to_thread.run_sync(answered)
    answer.headers.update(await account.rate(service, who))
    return answer


@router.get("/account", responses=spec.ACCOUNT.responses)
async def balance(request: Request, who: Who) -> Response:
    """Tell what is left of the key's quota, in credits."""
    return JSON(await account.told(request.app.state.service, who), headers={"Cache-Control": "no-store"})


@router.post("/improve", responses=spec.IMPROVE.responses, openapi_extra=spec.IMPROVE.extra)
async def improve(request: Request, who: Who) -> Response:
    """Keep a picture that was cut badly, where whoever runs the service wants such pictures."""
    service: Service = request.app.state.service
    form = await read_form(request, service.settings)
    if service.settings.feedback_dir is None:
        raise bad("feedback_off")
    data = await _data(service, await anyio.to_thread.run_sync(sources.source, form))
    await _head(service, data)
    about = {name: parameters.given(form, name) or "" for name in ("image_filename", "tag")}
    folder = Path(service.settings.feedback_dir)
    kept = await anyio.to_thread.run_sync(keep, folder, about, data)
    return JSON({"id": kept}, headers={"Cache-Control": "no-store"})


async def _data(service: Service, given: Given) -> bytes:
    """Give a picture's bytes, fetched where only their address was given.

    Raises:
        BadCall: the address may not be fetched, or could not.
    """
    if not given.url:
        return given.data
    refused, failed = _NOT_FETCHED[given.field]
    try:
        return await service.fetcher.get(given.url, max_bytes=service.limits.max_bytes)
    except BadUrl:
        raise bad(refused) from None
    except (FetchFailed, UrlsOff) as error:
        raise bad(failed, reason=error.public) from None
    except TooBig as error:
        raise bad("file_too_large", limit=f"{service.limits.max_bytes / 1e6:,.4g}MB") from error


async def _head(service: Service, data: bytes) -> Header:
    """Read a picture's header in a thread: parsers are quick, and yet not for the event loop."""
    return await anyio.to_thread.run_sync(head, data, "The picture", service.limits)
