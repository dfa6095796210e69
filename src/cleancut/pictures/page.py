"""Reports as one HTML file: its pictures inside, without any script or outside address.

>>> "<td>1 &lt; 2</td>" in table(("",), [("1 < 2",)])
True
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cleancut.raster.checkerboard import over_checkerboard

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 100rem; padding: 0 1.5rem; color: #1c1c1e }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin: 2.5rem 0 .5rem; overflow-wrap: anywhere }
table { border-collapse: collapse } th, td { padding: .15rem 1rem .15rem 0; text-align: right; vertical-align: top }
th:first-child, td:first-child, table.words :is(th, td) { text-align: left; overflow-wrap: anywhere }
thead th { border-bottom: 1px solid #bbb }
.row { display: flex; flex-wrap: wrap; gap: .75rem; margin: .75rem 0 } figure { margin: 0 }
figcaption { font-size: .8rem; color: #55555a; max-width: 30rem; overflow-wrap: anywhere }
img { max-width: 100%; border: 1px solid #d0d0d4 } img.close { width: 320px; image-rendering: pixelated }
.sheet figure { width: 162px } .bar { color: #6b8fd4; letter-spacing: -1px }
p { max-width: 50rem }
"""

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def document(title: str, parts: Iterable[str]) -> str:
    """Write a page.

    Args:
        title: as plain text.
        parts: HTML, in order.
    """
    return "\n".join([
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{html.escape(title)}</h1>",
        *parts,
        "</body></html>\n",
    ])  # fmt: skip


def table(head: Sequence[str], lines: Iterable[Sequence[str]], *, words: bool = False) -> str:
    """Write a table of plain text; numbers to the right, or `words` to the left."""
    top = "".join(f"<th>{html.escape(text)}</th>" for text in head)
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in line)}</tr>" for line in lines)
    of = ' class="words"' if words else ""
    return f"<table{of}><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def figure(pixels: NDArray[np.uint8], caption: str, *, exact: bool = False, quality: int = 88) -> str:
    """Write a picture (H, W, 3) with its caption: exact as PNG and shown large, else as JPEG."""
    title, of = html.escape(caption), ' class="close"' if exact else ""
    source = _inside(pixels, exact, quality)
    return f'<figure><img{of} alt="{title}" src="{source}"><figcaption>{title}</figcaption></figure>'


def thumbnail(pixels: NDArray[np.uint8], side: int, square: int = 10) -> NDArray[np.uint8]:
    """Reduce a picture (H, W, 3) or, in premultiplied colour, (H, W, 4); give (h, w, 3), over squares if need be."""
    mode = "RGBA" if pixels.shape[2] == 4 else "RGB"
    image = Image.fromarray(pixels).convert("RGBa" if mode == "RGBA" else mode)
    image.thumbnail((side, side), reducing_gap=2)
    small = np.asarray(image.convert(mode))
    return over_checkerboard(small, square) if mode == "RGBA" else np.ascontiguousarray(small)


def _inside(pixels: NDArray[np.uint8], exact: bool, quality: int) -> str:
    """Put a picture into an address of its own."""
    stream = io.BytesIO()
    kind, settings = ("png", {}) if exact else ("jpeg", {"quality": quality})
    Image.fromarray(pixels).save(stream, kind, **settings)
    return f"data:image/{kind};base64,{base64.b64encode(stream.getvalue()).decode()}"
