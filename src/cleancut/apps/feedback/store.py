"""Ratings, and pictures that were cut badly, in a private folder of whoever runs the service; off unless one is named.

Each is a file of JSON, beside its picture where one was sent. A day's number is bounded, and so is what is said.
"""

from __future__ import annotations

import datetime
import json
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cleancut.apps.server import private
from cleancut.errors import BadInput, BadTable, Busy, CannotWrite, NoRoom
from cleancut.pictures.formats import sniff

MOST_A_DAY = 5_000
"""Kept in one day, all together."""

MOST_PICTURES_A_DAY = 100
"""Of those, with a picture."""

LONGEST = 2_000
"""Characters of one thing that is said; what is longer is cut off."""

_SECONDS_A_DAY = 86_400
_ID = re.compile(r"\d{4}-\d\d-\d\d-[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Entry:
    """What one caller said once.

    Attributes:
        id: its name, which begins with its day (UTC).
        said: `rating` ("up" or "down"), `reasons`, `model` and `text` of a rating; `image_filename` and `tag` of what
            came through /v1.0/improve.
        picture: the file of the picture that was sent along, or None.
    """

    id: str
    said: Mapping[str, Any]
    picture: Path | None

    @property
    def day(self) -> datetime.date:
        """The day it came, UTC."""
        return datetime.date.fromisoformat(self.id[:10])


def keep(folder: Path, said: Mapping[str, Any], picture: bytes | None = None) -> str:
    """Keep what a caller says; give the name it is kept by.

    Args:
        folder: made where it is absent, for its owner alone (0700).
        said: texts and lists of texts; never part of a path.
        picture: a picture, which is one.

    Raises:
        Busy: as much as is kept in a day came today.
        NoRoom: the folder cannot be written to.
    """
    now = datetime.datetime.now(datetime.UTC)
    name = f"{now:%Y-%m-%d}-{secrets.token_hex(16)}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_room(folder, name[:10], with_picture=picture is not None)
        if picture is not None:
            private.write(folder / f"{name}.{sniff(picture, name).name.lower()}", picture)
        private.write(
            folder / f"{name}.json", json.dumps({key: _cut_off(value) for key, value in said.items()}).encode()
        )
    except OSError as error:
        raise NoRoom("The feedback cannot be kept; there is no room for it.") from error
    return name


def entries(folder: Path, since: datetime.date | None = None, until: datetime.date | None = None) -> Iterator[Entry]:
    """Read what is kept, by day; of the days from `since` to `until`.

    Raises:
        BadInput: there is no such folder.
        BadTable: a file in it is not what was written there.
    """
    if not folder.is_dir():
        raise BadInput(
            "There is no such folder of feedback; name the one that the service has (CLEANCUT_FEEDBACK_DIR)."
        )
    beside = {path.stem: path for path in folder.iterdir() if _ID.fullmatch(path.stem) and path.suffix != ".json"}
    for path in sorted(folder.glob("*.json")):
        if not _ID.fullmatch(path.stem):
            continue
        entry = Entry(path.stem, _read(path), beside.get(path.stem))
        if (since is None or since <= entry.day) and (until is None or entry.day <= until):
            yield entry


def delete(folder: Path, entry: Entry) -> None:
    """Delete what a caller said, and the picture that came along.

    Raises:
        CannotWrite: it cannot be deleted.
    """
    try:
        if entry.picture is not None:  # first, so that none is left behind without what names it
            entry.picture.unlink(missing_ok=True)
        (folder / f"{entry.id}.json").unlink(missing_ok=True)
    except OSError as error:
        raise CannotWrite(f"{entry.id} cannot be deleted: {error.strerror}.") from error


def _check_room(folder: Path, day: str, *, with_picture: bool) -> None:
    said = pictures = 0
    for path in folder.glob(f"{day}-*"):
        if path.suffix == ".json":
            said += 1
        elif path.suffix != ".part":
            pictures += 1
    if with_picture and pictures >= MOST_PICTURES_A_DAY:
        raise Busy(f"{MOST_PICTURES_A_DAY} pictures were sent today, which is the limit.", _SECONDS_A_DAY)
    if said >= MOST_A_DAY:
        raise Busy(f"{MOST_A_DAY:,} opinions were sent today, which is the limit.", _SECONDS_A_DAY)


def _cut_off(value: Any) -> Any:
    return [text[:LONGEST] for text in value] if isinstance(value, list) else value[:LONGEST]


def _read(path: Path) -> Mapping[str, Any]:
    wrong = BadTable(f"{path.name} in the folder of feedback is damaged; delete it.")
    try:
        said = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        raise wrong from None
    if not isinstance(said, dict) or not all(isinstance(value, str | list) for value in said.values()):
        raise wrong
    return said
