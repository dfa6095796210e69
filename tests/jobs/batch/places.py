"""Pictures by formula, and entries read to their ends."""

import io
import json
import os
import zipfile

import numpy as np
from PIL import Image

from cleancut.errors import CleancutError
from cleancut.jobs.batch.nouns import Outcome


def encoded(seed=0, format="PNG", size=(24, 30), alpha=False):
    """A small picture in colours of its own."""
    y, x = np.indices((size[1], size[0]))
    planes = [(x * (3 + seed)) % 256, (y * 5 + seed * 40) % 256, (x + y + seed) % 256]
    planes += [np.where(x > size[0] // 2, 255, 0)] if alpha else []
    stream = io.BytesIO()
    Image.fromarray(np.stack(planes, axis=2).astype(np.uint8)).save(stream, format)
    return stream.getvalue()


def tree(root, *names, data=None):
    """Write a picture under each name, the folders made as needed."""
    for seed, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(seed) if data is None else data)
    return root


def content(entry):
    """What an entry gives: its bytes, or the failure that reading raises."""
    try:
        given = entry.read()
    except CleancutError as error:
        return error
    return given if isinstance(given, bytes) else given.read_bytes()


def named(source):
    """The names of a source's entries, in order."""
    return [entry.name for entry in source]


def zipped(path, files, method=zipfile.ZIP_DEFLATED):
    """Write a ZIP of bytes by name."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def rows_of(path):
    """Read lines of JSON."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def done(name, output, **more):
    """An outcome of a picture that was made."""
    told = {"state": "done", "model": "cleancut-small", "confidence": 0.9, "size": (24, 30), "box": (1, 2, 20, 28)}
    return Outcome(name=name, output=output, **{"variant": "", **told, **more})


def unprivileged():
    """Whether permissions bind this process; they do not bind root."""
    return os.geteuid() != 0
