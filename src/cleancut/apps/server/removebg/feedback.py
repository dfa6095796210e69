"""Pictures that were cut badly, kept in a private folder for whoever runs the service; off unless one is named.

Each is a file of its own beside what was said of it. A day's number is bounded, and so is what is said.
"""

from __future__ import annotations

import datetime
import json
import secrets
from collections.abc import Mapping
from pathlib import Path

from cleancut.apps.server import private
from cleancut.errors import Busy, NoRoom
from cleancut.pictures.formats import sniff

MOST_A_DAY = 100
_LONGEST = 255
_SECONDS_A_DAY = 86_400


def keep(folder: Path, data: bytes, about: Mapping[str, str]) -> str:
    """Keep a picture with what was said of it; give the name it is kept by.

    Args:
        folder: made where it is absent, for its owner alone (0700).
        data: the picture, which is one.
        about: what the sender says; cut off where it is long, and never part of a path.

    Raises:
        Busy: as many as are kept in a day were sent today.
        NoRoom: the folder cannot be written to.
    """
    now = datetime.datetime.now(datetime.UTC)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if sum(1 for _ in folder.glob(f"{now:%Y-%m-%d}-*.json")) >= MOST_A_DAY:
            raise Busy(f"{MOST_A_DAY} pictures were sent today, which is the limit.", _SECONDS_A_DAY)
        name = f"{now:%Y-%m-%d}-{secrets.token_hex(16)}"
        said = {key: value[:_LONGEST] for key, value in about.items()}
        private.write(folder / f"{name}.{sniff(data, name).name.lower()}", data)
        private.write(folder / f"{name}.json", json.dumps(said).encode())
    except OSError as error:
        raise NoRoom("The picture cannot be kept; there is no room for it.") from error
    return name
