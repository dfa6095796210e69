"""/v1/jobs: work that outlives the request that asked for it."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.responses import Response, StreamingResponse

from cleancut.apps.server import access
from cleancut.apps.server.form import Form, read_form
from cleancut.apps.server.jobs import spec
from cleancut.apps.server.jobs.archive import chunks, packed
from cleancut.apps.server.jobs.desk import Desk, Wanted, opened
from cleancut.apps.server.jobs.events import last_seen, progress
from cleancut.apps.server.jobs.shown import address, picture, revived, shown
from cleancut.apps.server.jobs.webhooks import shown_secret
from cleancut.apps.server.native import fetched
from cleancut.apps.server.native.answers import Accept, disposition, title
from cleancut.apps.server.native.asked import asked
from cleancut.apps.server.problems import JSON
from cleancut.apps.server.service import Caller, Service
from cleancut.errors import BadInput, CleancutError, NoSuchJob, NotDone, NotFound, TooBig, Wiped
from cleancut.jobs.store import Item, Job
from cleancut.pictures.files import shown as printable

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

Who = Annotated[Caller, Depends(access.scoped("jobs"))]

_PLAIN = re.compile(r"[\x21-\x7e]{1,255}")
_NEVER_KEPT = {"Cache-Control": "no-store"}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Work on jobs as long as the service runs."""
    service: Service = app.state.service
    if not service.settings.jobs:
        yield
        return
    async with opened(service) as desk:
        app.state.desk = desk
        yield


def the_desk(request: Request) -> Desk:
    """Give the desk of the service that answers."""
    desk: Desk | None = getattr(request.app.state, "desk", None)
    if desk is None:
        raise NotFound("This service takes no jobs; send pictures to /v1/cut.")
    return desk


At = Annotated[Desk, Depends(the_desk)]


@router.post("", status_code=202, responses=spec.PUT.responses, openapi_extra=spec.PUT.extra)
async def put(request: Request, who: Who, desk: At) -> Response:
    """Hand in a job: one picture or several, sent as to /v1/cut, and perhaps a webhook.

    With an Idempotency-Key a request that is sent twice is one job.
    """
    service: Service = request.app.state.service
    key = _idempotency_key(request)
    wanted = await _wanted(await read_form(request, service.settings), service, desk, who, key)
    job, new = await desk.accepted(wanted)
    desk.runner.wake()
    told = shown(job)
    if wanted.webhook is not None:
        told["webhook"]["secret"] = shown_secret(desk.webhooks.secret(job))
    headers = {"Location": address(job), "Idempotency-Replayed": str(not new).lower()} | _NEVER_KEPT
    return JSON(told, 202, headers=headers)


@router.get("", responses=spec.LIST.responses, openapi_extra=spec.LIST.extra)
async def jobs(request: Request, who: Who, desk: At) -> Response:
    """List the jobs of the caller's key. Without a key a job is known by its id alone, and none is listed."""
    found = await asyncio.to_thread(desk.store.owned, who.key_id) if who.key_id else []
    return JSON({"jobs": [shown(job) for job in found]}, headers=_NEVER_KEPT)


@router.get("/{job_id}", responses=spec.GET.responses, openapi_extra=spec.GET.extra)
async def get(job_id: str, who: Who, desk: At) -> Response:
    """Tell how far a job is."""
    return JSON(shown(await _found(desk, job_id, who)), headers=_NEVER_KEPT)


@router.delete("/{job_id}", status_code=204, responses=spec.DELETE.responses, openapi_extra=spec.DELETE.extra)
async def delete(job_id: str, who: Who, desk: At) -> Response:
    """Cancel a job and wipe its pictures and results. Done twice, an unfinished job is forgotten altogether."""
    await asyncio.to_thread(desk.cancel, job_id, who.key_id or "")
    return Response(status_code=204)


@router.get("/{job_id}/events", responses=spec.EVENTS.responses, openapi_extra=spec.EVENTS.extra)
async def events(request: Request, job_id: str, who: Who, desk: At) -> Response:
    """Follow a job by server-sent events, which end with it; Last-Event-ID goes on where it was left."""
    job = await _found(desk, job_id, who)
    seen = last_seen(request.headers.get("last-event-id", ""))
    if not job.live and seen >= job.revision:
        return Response(status_code=204)  # what tells a browser not to come back
    desk.check_watchers()
    service: Service = request.app.state.service

    async def told() -> AsyncIterator[str]:
        with desk.watching():
            async for text in progress(desk.store, job.id, seen, lambda: service.gate.closing):
                yield text

    headers = _NEVER_KEPT | {"X-Accel-Buffering": "no"}
    return StreamingResponse(told(), media_type="text/event-stream", headers=headers)


@router.get("/{job_id}/result", responses=spec.RESULT.responses, openapi_extra=spec.RESULT.extra)
async def result(job_id: str, who: Who, desk: At) -> Response:
    """Give the result of a job that has ended; of several pictures a ZIP of those that were done."""
    job = await _found(desk, job_id, who)
    if job.state == "cancelled":
        raise Wiped("The job was cancelled; nothing of it is kept.")
    if job.live:
        raise NotDone(f"The job is {job.state}; ask for its result when it has ended.")
    if len(job.items) == 1:
        return await _one(desk, job.items[0])
    if job.state == "failed":
        raise _why(job.items[0])
    return await _all(desk, job)


@router.get("/{job_id}/result/{number}", responses=spec.RESULT.responses, openapi_extra=spec.RESULT.extra)
async def result_of_one(job_id: str, number: str, who: Who, desk: At) -> Response:
    """Give the result of one picture, counted from 1, as soon as it is done."""
    job = await _found(desk, job_id, who)
    if job.state == "cancelled":
        raise Wiped("The job was cancelled; nothing of it is kept.")
    for item in job.items:
        if str(item.number) == number:
            return await _one(desk, item)
    raise NoSuchJob(f"The job has {len(job.items)} pictures; count from 1.")


async def _found(desk: Desk, id: str, who: Caller) -> Job:
    return await asyncio.to_thread(desk.find, id, who.key_id or "")


def _idempotency_key(request: Request) -> str | None:
    given = request.headers.getlist("idempotency-key")
    if not given:
        return None
    if len(given) > 1 or not _PLAIN.fullmatch(given[0]):
        raise BadInput("An Idempotency-Key is 1 to 255 letters, digits and signs, given once.")
    return given[0]


async def _wanted(form: Form, service: Service, desk: Desk, who: Caller, key: str | None) -> Wanted:
    webhook, form = _without_webhook(form)
    if webhook is not None:
        desk.webhooks.check(webhook)
    wanted = asked(form, service, Accept("").completed)
    most = service.limits.job_pictures
    if len(wanted.sources) > most:
        raise TooBig(f"There are {len(wanted.sources)} pictures; {most} are the most in one job.")
    pictures = [(printable(source.name), await fetched(service, source)) for source in wanted.sources]
    return Wanted(who.key_id or "", pictures, wanted.recipe, wanted.assets, webhook, key)


def _without_webhook(form: Form) -> tuple[str | None, Form]:
    """Take out of a form what is a job's and no recipe's."""
    webhook = form.text("webhook")
    if form.json is not None and not isinstance(form.json.get("webhook", ""), str | None):
        raise BadInput("The webhook is an address.")
    fields = tuple((name, value) for name, value in form.fields if name != "webhook")
    json = form.json and {name: value for name, value in form.json.items() if name != "webhook"}
    return webhook, replace(form, fields=fields, json=json)


async def _one(desk: Desk, item: Item) -> Response:
    if item.result is None:
        raise _why(item)
    (stream,) = await asyncio.to_thread(desk.results, [item.result])
    kind = item.result.media_type
    headers = {"Content-Disposition": disposition(item.name, kind), "Content-Length": str(item.result.bytes)}
    return StreamingResponse(chunks(stream), media_type=kind, headers=headers | _NEVER_KEPT)


async def _all(desk: Desk, job: Job) -> Response:
    done = {item.number: item.result for item in job.items if item.result is not None}
    streams = await asyncio.to_thread(desk.results, done.values())
    names = {item.number: item.name for item in job.items}
    titles = {n: title(n, len(job.items), names[n], found.media_type) for n, found in done.items()}
    report = [picture(job, item) | {"file": titles.get(item.number)} for item in job.items]
    files = [*zip(titles.values(), streams, strict=True), ("report.json", io.BytesIO(JSON(report).body))]
    headers = {"Content-Disposition": 'attachment; filename="cleancut.zip"'} | _NEVER_KEPT
    return StreamingResponse(packed(files), media_type="application/zip", headers=headers)


def _why(item: Item) -> CleancutError:
    """Say why a picture has no result."""
    if item.failure is not None:
        return revived(item.failure)
    return NotDone(f"The picture is {item.state}; ask for its result when it is done.")
