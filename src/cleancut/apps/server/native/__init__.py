"""The native API: /v1/cut, and what there is to choose from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from cleancut.apps.listing import described
from cleancut.apps.server import access
from cleancut.apps.server.form import read_form
from cleancut.apps.server.native.answers import Accept, Outcome, etag, kept, many, matches, one
from cleancut.apps.server.native.asked import Asked, Source, asked
from cleancut.apps.server.native.spec import CUT, LIST
from cleancut.apps.server.problems import JSON
from cleancut.apps.server.service import Caller, Service
from cleancut.errors import BadInput, TooBig
from cleancut.matting import recipe as recipes
from cleancut.matting.edges import refinements
from cleancut.matting.effects import effects
from cleancut.matting.plugins import load_effects
from cleancut.models.registry import RUNNING, models

router = APIRouter(prefix="/v1", tags=["cleancut"])

Who = Annotated[Caller, Depends(access.caller)]

_OF_A_MODEL = ("name", "aliases", "title", "kind", "license", "commercial", "paper", "layers", "measured", "bytes")


@router.post("/cut", responses=CUT.responses, openapi_extra=CUT.extra)
async def cut(request: Request, who: Who) -> Response:
    """Cut the subject out of a picture, or of several.

    The picture is the body itself, a part of a form, base64 in JSON or the address of one. The recipe is fields of the
    address, of the form or of the JSON. `Accept` chooses between the picture and JSON that tells of it.
    """
    service: Service = request.app.state.service
    accept = Accept(request.headers.get("accept", ""))
    form = await read_form(request, service.settings)
    wanted = asked(form, service, accept.completed)
    answer = accept.form(wanted.recipe, len(wanted.sources))
    if len(wanted.sources) == 1:
        return await _one(request, service, wanted, who, answer)
    return many(await _all(request, service, wanted, who), answer)


async def _one(request: Request, service: Service, wanted: Asked, who: Caller, answer: str) -> Response:
    source = wanted.sources[0]
    data = await fetched(service, source)
    digest = await service.digest(data, wanted.recipe, wanted.assets)
    if matches(request.headers.get("if-none-match", ""), etag(digest, answer)):
        # The request changes nothing, as a GET does; so its condition is answered as that of a GET is.
        return Response(status_code=304, headers=kept(digest, answer, service.limits.cache_seconds))
    done = await service.cut(
        data,
        wanted.recipe,
        who,
        assets=wanted.assets,
        name=source.name,
        digest=digest,
        gone=request.is_disconnected,
    )
    return one(done, answer, service.limits.cache_seconds)


async def _all(request: Request, service: Service, wanted: Asked, who: Caller) -> list[Outcome]:
    """Cut one picture after another; one that cannot be cut spoils no other.

    Raises:
        BadInput: none can be cut; the first one's failure.
        TooBig: the results are too large for one answer.
    """
    outcomes: list[Outcome] = []
    size = 0
    for source in wanted.sources:
        try:
            data = await fetched(service, source)
            done = await service.cut(
                data, wanted.recipe, who, assets=wanted.assets, name=source.name, gone=request.is_disconnected
            )
        except BadInput as error:
            outcomes.append(Outcome(source.name, error=error))
            continue
        outcomes.append(Outcome(source.name, done=done))
        size += len(done.data)
        if size > service.limits.max_answer:
            raise TooBig("The results are too large for one answer; ask for fewer pictures at once.")
    if errors := [outcome.error for outcome in outcomes if outcome.error] if not size else []:
        raise errors[0]
    return outcomes


async def fetched(service: Service, source: Source) -> bytes:
    """Give the bytes of a source; what is named by its address is fetched."""
    if source.data is not None:
        return source.data
    return await service.fetcher.get(source.url, max_bytes=service.limits.max_bytes)


@router.get("/models", responses=LIST.responses, openapi_extra=LIST.extra)
async def served_models(request: Request, who: Who) -> Response:
    """List the models that a recipe may name."""
    service: Service = request.app.state.service
    listed = [described(model) for model in models() if model.kind in RUNNING and service.serves(model.name)]
    default = service.settings.model
    shown = [{key: about[key] for key in _OF_A_MODEL} | {"default": about["name"] == default} for about in listed]
    return static(request, {"models": shown})


@router.get("/effects", responses=LIST.responses, openapi_extra=LIST.extra)
async def known_effects(request: Request, who: Who) -> Response:
    """Describe the effects and the refinements in JSON schema."""
    load_effects()
    return static(request, {"effects": effects.schema(), "refine": refinements.schema()})


@router.get("/recipe.schema.json", responses=LIST.responses, openapi_extra=LIST.extra)
async def recipe_schema(request: Request, who: Who) -> Response:
    """Describe a recipe in JSON schema (draft 2020-12)."""
    return static(request, recipes.schema())


def static(request: Request, content: Mapping[str, Any], cache: str = "private, max-age=3600") -> Response:
    """Answer with what stays the same as long as the service runs."""
    answer = JSON(content)
    tag = f'"{hashlib.sha256(answer.body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": cache}
    if matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    answer.headers.update(headers)
    return answer
