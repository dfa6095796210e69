"""/docs: the API told in one page of our own, which asks no other server for anything and runs no script.

It is written from the same OpenAPI description that programs read at /openapi.json.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from cleancut.apps.server.access import PAGE_POLICY

router = APIRouter(include_in_schema=False)

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin: 2.5rem 0 .5rem; font-size: 1.1rem; } h2 code { font-size: 1.1rem; }
h3 { font-size: 1rem; margin: 1rem 0 .3rem; }
code { background: var(--soft); padding: .1rem .3rem; border-radius: .25rem; }
table { border-collapse: collapse; width: 100%; } td { border-top: 1px solid var(--line); padding: .3rem .6rem .3rem 0;
vertical-align: top; } td:first-child { white-space: nowrap; width: 1%; }
form { border: 1px solid var(--line); border-radius: .5rem; padding: 1rem;
display: grid; gap: .6rem; justify-items: start; }
"""

_TRY = """
<form action="v1/cut" method="post" enctype="multipart/form-data" target="_blank">
<label>Picture <input type="file" name="image" accept="image/*" required></label>
<label>Effect <input name="effects" placeholder="color:white"></label>
<label>Format <select name="format"><option>png</option><option>webp</option><option>jpeg</option></select></label>
<button>Cut out</button>
</form>
"""

_METHODS = ("get", "post", "put", "patch", "delete")


@router.get("/docs.css")
async def style() -> Response:
    """Give the page's style, which is a file of its own so that the page may forbid all others."""
    return Response(_STYLE, media_type="text/css", headers={"Cache-Control": "max-age=3600"})


@router.get("/docs")
async def docs(request: Request) -> Response:
    """Tell the API."""
    # Without a referrer the form would be sent from the origin "null", which the door refuses as any stranger's.
    policies = {"Content-Security-Policy": PAGE_POLICY, "Referrer-Policy": "same-origin"}
    return Response("".join(_page(request.app.openapi())), media_type="text/html", headers=policies)


def _page(api: Mapping[str, Any]) -> Iterator[str]:
    title = escape(f"{api['info']['title']} {api['info']['version']}")
    yield f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    yield '<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="docs.css"></head><body>'
    yield f"<h1>{title}</h1><p>{escape(api['info'].get('description', ''))} "
    yield 'For programs: <a href="openapi.json">openapi.json</a>.</p>'
    yield _TRY
    for path, operations in api["paths"].items():
        for method in _METHODS:
            if method in operations:
                yield from _operation(method, path, operations[method])
    yield "</body></html>"


def _operation(method: str, path: str, told: Mapping[str, Any]) -> Iterator[str]:
    yield f"<h2><code>{method.upper()} {escape(path)}</code></h2>"
    for paragraph in told.get("description", "").split("\n\n"):
        yield f"<p>{escape(paragraph)}</p>"
    yield from _table("Takes", ((one["name"], one.get("description", "")) for one in told.get("parameters", ())))
    for media, content in told.get("requestBody", {}).get("content", {}).items():
        fields = content.get("schema", {}).get("properties", {})
        yield from _table(f"Body: {media}", ((name, field.get("description", "")) for name, field in fields.items()))
    yield from _table("Answers", ((status, answer["description"]) for status, answer in told["responses"].items()))


def _table(title: str, rows: Iterator[tuple[str, str]]) -> Iterator[str]:
    cells = [f"<tr><td><code>{escape(name)}</code></td><td>{escape(text or '')}</td></tr>" for name, text in rows]
    yield f"<h3>{escape(title)}</h3>"
    if cells:
        yield f"<table>{''.join(cells)}</table>"
