"""/v1/edits: one picture under correction. The models are asked once; every stroke after that is cheap.

An edit is only a cache. One that is unknown, idle for too long, dropped for others or another caller's answers 410,
and the caller sends the picture again: all that a person did is in the recipe, which the caller keeps.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.responses import Response

from cleancut.apps.gate import unless_gone
from cleancut.apps.server import access
from cleancut.apps.server.edits import spec
from cleancut.apps.server.edits.previews import media_type, previewed
from cleancut.apps.server.edits.shelf import Edit, Shelf
from cleancut.apps.server.form import Form, read_form
from cleancut.apps.server.native import fetched
from cleancut.apps.server.native.answers import Accept, etag, kept, matches, one
from cleancut.apps.server.native.asked import asked, check_assets, handed, stated_in
from cleancut.apps.server.problems import JSON
from cleancut.apps.server.service import Caller, Service
from cleancut.errors import BadInput, BadSetting, TooBig
from cleancut.matting.proof import Proof, asking, question
from cleancut.pictures.files import shown as printable
from cleancut.types import Recipe

router = APIRouter(prefix="/v1/edits", tags=["edits"])

Who = Annotated[Caller, Depends(access.caller)]

_NEVER_KEPT = {"Cache-Control": "no-store"}
_SWEEPS = 4
"""How often it is looked for idle edits while one may be idle."""


def install(app: FastAPI) -> None:
    """Begin without any edit."""
    app.state.edits = Shelf(app.state.service.limits)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Drop idle edits as long as the service runs, and all of them at its end."""
    shelf: Shelf = app.state.edits
    sweeping = asyncio.create_task(_swept(shelf, app.state.service.limits.edit_seconds / _SWEEPS))
    try:
        yield
    finally:
        sweeping.cancel()
        with suppress(asyncio.CancelledError):
            await sweeping
        shelf.clear()


async def _swept(shelf: Shelf, seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        shelf.tidy()


@router.post("", status_code=201, responses=spec.PUT.responses, openapi_extra=spec.PUT.extra)
async def put(request: Request, who: Who) -> Response:
    """Begin to correct a picture, sent with a recipe as to /v1/cut.

    The model is asked once, which is charged as a cut-out is, and its answer is kept with the picture for a while.
    """
    service: Service = request.app.state.service
    wanted = asked(await read_form(request, service.settings), service, Accept("").completed)
    if len(wanted.sources) != 1:
        raise BadInput("An edit is of one picture; send one.")
    source = wanted.sources[0]
    data = await fetched(service, source)
    await anyio.to_thread.run_sync(service.headers, data, wanted.assets)
    edit = Edit(who.turn, data, printable(source.name), dict(wanted.assets))
    shelf: Shelf = request.app.state.edits
    shelf.check(edit)
    proof = await _proof(request, edit, wanted.recipe, who)
    shelf.add(edit)
    told = {
        "id": edit.id,
        "size": proof.full,
        "preview": proof.picture.size,
        "box": proof.box,
        "confidence": proof.answer.prediction.confidence,
        "notes": proof.notes,
        "expires_in": service.limits.edit_seconds,
    }
    return JSON(told, 201, headers={"Location": f"/v1/edits/{edit.id}"} | _NEVER_KEPT)


@router.post("/{edit_id}/preview", responses=spec.PREVIEW.responses, openapi_extra=spec.PREVIEW.extra)
async def preview(request: Request, edit_id: str, who: Who) -> Response:
    """Show what a recipe makes of the picture, at the size of a screen; no model is asked that was asked before.

    `show=alpha` in the address gives the alpha alone, without effects, as it lies on the picture.
    """
    service: Service = request.app.state.service
    form, alone = _without_show(await read_form(request, service.settings), request)
    edit, recipe = await _asked(request, form, edit_id, who)
    if alone:
        recipe = replace(recipe, show="alpha", effects=())
    proof = await _proof(request, edit, recipe, who)
    kind = media_type(recipe, request.headers.get("accept", ""))
    work = partial(previewed, edit, proof, recipe, kind, service.load, service.limits)
    megapixels = proof.picture.size[0] * proof.picture.size[1] / 1e6
    running = service.gate.run(work, key=who.turn, megapixels=megapixels)
    shown = await unless_gone(running, request.is_disconnected)
    request.app.state.edits.tidy(edit)
    headers = {"Vary": "Accept", "Server-Timing": shown.timing} | _NEVER_KEPT
    return Response(shown.data, media_type=kind, headers=headers)


@router.post("/{edit_id}/result", responses=spec.RESULT.responses, openapi_extra=spec.RESULT.extra)
async def result(request: Request, edit_id: str, who: Who) -> Response:
    """Make the full picture's result: the very bytes that /v1/cut gives for this picture and recipe.

    Only the key's rate counts, not its quota, unless the recipe asks another model.
    """
    service: Service = request.app.state.service
    accept = Accept(request.headers.get("accept", ""))
    edit, stated = await _asked(request, await read_form(request, service.settings), edit_id, who)
    recipe = accept.completed(stated, 1)
    answer = accept.form(recipe, 1)
    assets = edit.used(recipe)
    digest = await service.digest(edit.source, recipe, assets)
    if matches(request.headers.get("if-none-match", ""), etag(digest, answer)):
        return Response(status_code=304, headers=kept(digest, answer, service.limits.cache_seconds))
    proof = await _proof(request, edit, recipe, who)
    done = await service.cut(
        edit.source,
        recipe,
        who,
        assets=assets,
        name=edit.name,
        digest=digest,
        gone=request.is_disconnected,
        proof=proof,
    )
    request.app.state.edits.tidy(edit)
    return one(done, answer, service.limits.cache_seconds)


@router.delete("/{edit_id}", status_code=204, responses=spec.DELETE.responses)
async def delete(request: Request, edit_id: str, who: Who) -> Response:
    """Forget the picture at once."""
    shelf: Shelf = request.app.state.edits
    shelf.drop(_edit(request, edit_id, who))
    return Response(status_code=204)


def _edit(request: Request, edit_id: str, who: Caller) -> Edit:
    shelf: Shelf = request.app.state.edits
    return shelf.find(edit_id, who.turn)


async def _asked(request: Request, form: Form, edit_id: str, who: Caller) -> tuple[Edit, Recipe]:
    """Read what is asked of an edit; pictures that come with the recipe stay with it.

    Raises:
        BadInput: the recipe does not fit, or a picture is none or is not used.
        NoSuchEdit: there is none, or it is another caller's.
        TooBig: there would be too many pictures.
    """
    service: Service = request.app.state.service
    if form.raw is not None:
        raise BadInput("The body is a recipe as JSON, or a form with the pictures that it names.")
    recipe, new = service.recipe(stated_in(form, service.limits)), handed(form)
    edit = _edit(request, edit_id, who)
    check_assets(recipe, edit.assets.keys() | new.keys(), new)
    if not new:
        return edit, recipe
    if len(edit.assets.keys() | new.keys()) >= service.limits.max_files:
        raise TooBig(f"{service.limits.max_files} pictures are the most that an edit may have.")
    await anyio.to_thread.run_sync(service.headers, edit.source, new)
    edit.take(new)
    request.app.state.edits.check(edit)
    return edit, recipe


async def _proof(request: Request, edit: Edit, recipe: Recipe, who: Caller) -> Proof:
    """Give what the models say of the picture; they are asked, and that is charged, where they were not yet."""
    service: Service = request.app.state.service
    async with edit.asking:
        known = edit.proof(question(recipe))
        if known is None:
            known = await service.run(
                edit.source, asking(recipe), Proof, who, name=edit.name, gone=request.is_disconnected
            )
            edit.keep(question(recipe), known)
    return known


def _without_show(form: Form, request: Request) -> tuple[Form, bool]:
    """Take `show` of the address out of a form, as it is no part of the recipe; tell whether alpha alone is wanted."""
    given = request.query_params.multi_items()
    wanted = [value for name, value in given if name == "show" and value]
    if wanted not in ([], ["alpha"]):
        raise BadSetting("show in the address is alpha, or left out; what else is to be shown stands in the recipe.")
    rest = [pair for pair in form.fields[: len(given)] if pair[0] != "show"]
    return replace(form, fields=(*rest, *form.fields[len(given) :])), bool(wanted)
