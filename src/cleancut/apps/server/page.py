"""The page: `/`, its files, and those of `/local`. It uses nothing but the public API.

The page itself is for everybody, as it holds nothing; where the service needs keys, the page asks for one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.convertors import Convertor, register_url_convertor
from starlette.responses import Response

from cleancut.apps.server import browser
from cleancut.apps.server.access import PAGE_POLICY
from cleancut.apps.server.files import File, found, sent
from cleancut.apps.server.settings import Settings
from cleancut.errors import NotFound

router = APIRouter(include_in_schema=False)

FOLDER = Path(__file__).parent.parent / "web"
"""Where the build of web/ puts the page."""

POLICIES: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "
    "img-src 'self' blob: data:; worker-src 'self' blob:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Embedder-Policy": "require-corp",
}
"""On the page and on each of its scripts, as a worker obeys the policies of its own file. With the opener policy that
is on every answer they give it threads."""

_FOREVER = "public, max-age=31536000, immutable"
"""For files whose names tell their content."""

_ASKED_AGAIN = "no-cache"

_MISSING = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>cleancut</title>
<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="docs.css"></head><body>
<h1>cleancut</h1>
<p>The service runs, and its page is not built. This is a checkout, or was installed from one without npm.</p>
<p>To build the page, with Node.js 20.19 or newer, run in the checkout: <code>scripts/web</code></p>
<p>The API needs no page: <a href="docs">docs</a>.</p>
</body></html>"""


def wanted(settings: Settings) -> bool:
    """Whether there is to be a page."""
    return settings.page


class _AtTheTop(Convertor[str]):
    """A file beside the page, such as sw.js or icon.svg: a name with an ending."""

    regex = r"[A-Za-z0-9][A-Za-z0-9_-]{0,60}\.[a-z0-9]{2,12}"

    def convert(self, value: str) -> str:
        """Take the name as it is."""
        return value

    def to_string(self, value: str) -> str:
        """Give it as it is."""
        return value


register_url_convertor("file_at_the_top", _AtTheTop())


class Page:
    """The files of the page, found again when it was built again.

    Args:
        folder: that the build writes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._built = 0
        self._files: dict[str, File] = {}

    def file(self, name: str) -> File | None:
        """Give a file by its address in the folder; None where there is none."""
        built = _changed(self._folder / "index.html")
        if built != self._built:
            self._files, self._built = (found(self._folder) if built else {}), built
        return self._files.get(name)


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


_page = Page(FOLDER)


def the_page() -> Page:
    """Give the page that is served."""
    return _page


@router.api_route("/", methods=["GET", "HEAD"])
async def front(request: Request) -> Response:
    """Show the page."""
    file = the_page().file("index.html")
    if file is None:
        return Response(_MISSING, media_type="text/html", headers={"Content-Security-Policy": PAGE_POLICY})
    return await sent(request, file, {**POLICIES, "Cache-Control": _ASKED_AGAIN})


@router.api_route("/assets/{path:path}", methods=["GET", "HEAD"])
async def asset(request: Request, path: str) -> Response:
    """Give a file whose name tells its content."""
    return await _sent(request, the_page().file(f"assets/{path}"), _FOREVER)


@router.api_route("/local/{path:path}", methods=["GET", "HEAD"])
async def local(request: Request, path: str) -> Response:
    """Give what runs in the browser alone."""
    return await _sent(request, browser.files().get(path), _ASKED_AGAIN)


@router.api_route("/{name:file_at_the_top}", methods=["GET", "HEAD"])
async def beside(request: Request, name: str) -> Response:
    """Give a file that lies beside the page."""
    return await _sent(request, the_page().file(name), _ASKED_AGAIN)


async def _sent(request: Request, file: File | None, cache: str) -> Response:
    if file is None:
        raise NotFound("There is nothing at this address.")
    return await sent(request, file, {**POLICIES, "Cache-Control": cache})
