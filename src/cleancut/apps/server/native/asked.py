"""`Form` → what the native API is asked for: pictures, a recipe, and the pictures that the recipe names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Mapping
from dataclasses import dataclass
from typing import Any

from cleancut.apps.server.form import File, Form, from_base64, parsed
from cleancut.apps.server.service import Service
from cleancut.errors import BadInput, BadRecipe, TooBig
from cleancut.limits import ServiceLimits
from cleancut.matting import recipe as recipes
from cleancut.types import Recipe

PICTURE = "image"
URL = "url"
RECIPE = "recipe"
ASSETS = "assets"

_WAYS = f"as the body, as files or base64 named {PICTURE}, or as addresses named {URL}"


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A picture as it was sent; of an address, what will be fetched.

    Attributes:
        name: what the sender calls it.
        data: its bytes, or None where `url` says where they are.
        url: its address, or "".
    """

    name: str
    data: bytes | None
    url: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One request: every source is cut by one recipe."""

    sources: tuple[Source, ...]
    recipe: Recipe
    assets: Mapping[str, bytes]


def asked(form: Form, service: Service, format: Callable[[Recipe, int], Recipe]) -> Asked:
    """Read what a form asks for.

    Args:
        form: as it was sent.
        service: chooses what the recipe leaves open.
        format: completes a recipe for so many pictures by what the caller accepts.

    Raises:
        BadInput: there is no picture, they come in two ways, or something does not fit.
        TooBig: there are too many, or a field is too long.
    """
    limits = service.limits
    sources = _sources(form, limits)
    assets = handed(form)
    if len(sources) + len(assets) > limits.max_files:
        raise TooBig(
            f"There are {len(sources) + len(assets)} pictures; {limits.max_files} are the most in one request."
        )
    recipe = format(service.recipe(stated_in(form, limits)), len(sources))
    check_assets(recipe, assets, assets)
    return Asked(sources, recipe, assets)


def check_assets(recipe: Recipe, there: Container[str], new: Collection[str]) -> None:
    """Check that the pictures a recipe names are there, and that it names those which came with it.

    Raises:
        BadRecipe: one is missing.
        BadInput: one is not used.
    """
    needed = recipes.assets(recipe)
    if missing := [name for name in needed if name not in there]:
        raise BadRecipe(f"The recipe names the picture {min(missing)!r}, which was not handed over.")
    if unused := set(new) - needed:
        raise BadInput(f"No effect uses the picture {min(unused)[:100]!r}; pictures to cut are named {PICTURE}.")


def _sources(form: Form, limits: ServiceLimits) -> tuple[Source, ...]:
    ways = (
        [] if form.raw is None else [Source("", form.raw)],
        [Source(file.filename, file.data) for file in form.files if file.field == PICTURE],
        [Source("", from_base64(text, PICTURE)) for text in listed(form, PICTURE)],
        [Source("", None, text) for text in listed(form, URL)],
    )
    used = [way for way in ways if way]
    if not used:
        raise BadInput(f"There is no picture; send it {_WAYS}.")
    if len(used) > 1:
        raise BadInput(f"The pictures come in two ways; send all of them in one: {_WAYS}.")
    if any(len(source.url) > limits.max_url for source in used[0]):
        raise BadInput(f"The address is longer than {limits.max_url} characters.")
    return tuple(used[0])


def listed(form: Form, name: str) -> tuple[str, ...]:
    """Give every value of a field, whether it was repeated or is a list of JSON.

    Raises:
        BadInput: it is something else.
    """
    value = (form.json or {}).get(name)
    if not isinstance(value, list | dict):
        return form.all(name)
    if isinstance(value, dict) or not all(isinstance(item, str) for item in value):
        raise BadInput(f"The field {name} is text or a list of texts.")
    return tuple(value)


def handed(form: Form) -> dict[str, bytes]:
    """Gather the pictures that came along for the recipe, by name.

    Raises:
        BadInput: one came twice, or is no base64.
    """
    found: dict[str, bytes] = {}
    for file in _named(form):
        if file.field in found:
            raise BadInput(f"The picture {file.field[:100]!r} was given twice; give it once.")
        found[file.field] = file.data
    return found


def _named(form: Form) -> list[File]:
    given = (form.json or {}).get(ASSETS) or {}
    if not isinstance(given, dict) or not all(isinstance(text, str) for text in given.values()):
        raise BadInput(f"The field {ASSETS} is an object of base64 texts by name.")
    encoded = [File(name, "", "", from_base64(text, f"{ASSETS}.{name[:100]}")) for name, text in given.items()]
    return [*(file for file in form.files if file.field != PICTURE), *encoded]


def stated_in(form: Form, limits: ServiceLimits) -> dict[str, object]:
    """Gather the recipe from one object and from fields of its own.

    Raises:
        BadInput: a field is stated in both.
        BadRecipe, TooBig: it is no object, or too long.
    """
    found = _object(form, limits)
    for name, value in _fields(form, limits).items():
        if name in found:
            raise BadInput(f"The recipe states {name} twice; state it once.")
        found[name] = value
    return found


def _object(form: Form, limits: ServiceLimits) -> dict[str, object]:
    given = (form.json or {}).get(RECIPE)
    if given is None or isinstance(given, str):
        text = form.text(RECIPE)
        given = parsed(_short(RECIPE, text, limits), limits) if text else {}
    if not isinstance(given, dict):
        raise BadRecipe('A recipe is an object, such as {"effects": [{"name": "blur"}]}.')
    return dict(given)


def _fields(form: Form, limits: ServiceLimits) -> dict[str, Any]:
    ours = {PICTURE, URL, RECIPE, ASSETS}
    found: dict[str, Any] = {name: value for name, value in (form.json or {}).items() if name not in ours}
    for name, value in form.fields:
        if name in ours or not value:
            continue
        _short(name, value, limits)
        if form.json is not None and name in form.json:
            form.text(name)  # a field of the address that the body states too
        elif name in recipes.LISTS:
            found[name] = list(form.all(name))
        else:
            found[name] = form.text(name)
    return {name: value for name, value in found.items() if value is not None}


def _short(name: str, value: str, limits: ServiceLimits) -> str:
    if len(value) > limits.max_field_bytes:
        raise TooBig(f"The field {name[:100]} is longer than {limits.max_field_bytes:,} characters.")
    return value
