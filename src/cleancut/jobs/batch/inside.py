"""Names inside the tree, made of what a stranger calls a thing: no way leads out of it."""

from __future__ import annotations

import re

from cleancut.errors import BadInput
from cleancut.pictures.files import shown

_LONGEST = 1_000
_DRIVE = re.compile(r"[A-Za-z]:")


def inside(name: str) -> str:
    r"""Read a name as a posix path inside the tree; \ parts folders too, as it does where it comes from.

    Raises:
        BadInput: it is absolute, leads out of the tree, holds a control character or is too long.

    >>> inside("shoes\\left.jpg"), inside("./a//b.jpg")
    ('shoes/left.jpg', 'a/b.jpg')
    """
    if len(name) > _LONGEST:
        raise BadInput(f"The name {shown(name)} is longer than {_LONGEST:,} characters.")
    if any(ord(sign) < 32 or ord(sign) == 127 for sign in name):
        raise BadInput(f"The name {shown(name)} holds a control character; rename it.")
    path = name.replace("\\", "/")
    parts = [part for part in path.split("/") if part not in {"", "."}]
    if path.startswith("/") or ".." in parts or _DRIVE.match(path):
        raise BadInput(f"The name {shown(name)} leads out of the tree; only names inside it are taken.")
    if not parts:
        raise BadInput("A name inside the tree is empty.")
    return "/".join(parts)


def hidden(name: str) -> bool:
    """Tell whether a name is one that systems keep beside pictures, such as __MACOSX/ and what begins with a dot."""
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))
