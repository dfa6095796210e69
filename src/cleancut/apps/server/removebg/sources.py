"""Where the pictures of a call are: the one to cut, and the one to lay behind it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from cleancut.apps.server.form import Form, from_base64
from cleancut.apps.server.removebg.errors import bad
from cleancut.apps.server.removebg.parameters import given
from cleancut.errors import BadInput


@dataclass(frozen=True, slots=True)
class Given:
    """A picture as it was handed over.

    Attributes:
        data: its bytes, or
        url: where they are.
        field: the parameter it came in.
    """

    field: str
    data: bytes = b""
    url: str = ""


def source(form: Form) -> Given:
    """Tell where the picture to cut is.

    Raises:
        BadCall: there is none or more than one, or it is not written as its parameter says.
    """
    found = _files(form, "image_file") + _base64(form, "image_file_b64") + _urls(form, "image_url")
    if len(found) != 1:
        raise bad("multiple_sources" if found else "missing_source")
    return found[0]


def background(form: Form, color: str | None) -> Given | None:
    """Tell where the picture to lay behind is; None for none.

    Raises:
        BadCall: there is more than one, or one beside a colour.
    """
    found = _files(form, "bg_image_file") + _urls(form, "bg_image_url")
    if len(found) + (color is not None) > 1:
        raise bad("multiple_bg_sources")
    return found[0] if found else None


def _files(form: Form, name: str) -> list[Given]:
    """Give the files of that name; an empty part without a name is a browser's way to send none."""
    return [Given(name, file.data) for file in form.files if file.field == name and (file.data or file.filename)]


def _base64(form: Form, name: str) -> list[Given]:
    text = given(form, name)
    if text is None:
        return []
    try:
        return [Given(name, from_base64(text, name))]
    except BadInput:
        raise bad(f"invalid_{name}") from None


def _urls(form: Form, name: str) -> list[Given]:
    url = given(form, name)
    return [] if url is None else [Given(name, url=_url(name, url))]


def _url(name: str, text: str) -> str:
    try:
        parts = urlsplit(text)
    except ValueError:
        raise bad(f"invalid_{name}") from None
    if parts.scheme.lower() not in {"http", "https"} or not parts.hostname:
        raise bad(f"invalid_{name}")
    return text
