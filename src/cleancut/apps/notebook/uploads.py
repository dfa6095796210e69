"""Files on their way from the browser, in pieces, within limits."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from pathlib import PurePosixPath

from cleancut.apps.notebook.nouns import StudioLimits
from cleancut.errors import BadInput
from cleancut.pictures.files import check_bytes, shown


class Upload:
    """A file that is on its way.

    Attributes:
        id: by which its pieces are told.
        name: as it may be shown.
        size: bytes that it said it would have.
        data: what came so far.
    """

    def __init__(self, name: str, size: int) -> None:
        self.id = secrets.token_urlsafe(12)
        self.name, self.size = name, size
        self.data = bytearray()

    @property
    def whole(self) -> bool:
        """Whether all of it is here."""
        return len(self.data) == self.size


class Uploads:
    """The files that are on their way. Nothing is reserved for what a file only says of itself."""

    def __init__(self, limits: StudioLimits) -> None:
        self._limits = limits
        self._open: OrderedDict[str, Upload] = OrderedDict()

    @property
    def held(self) -> int:
        """Bytes that are here."""
        return sum(len(upload.data) for upload in self._open.values())

    def begin(self, name: object, size: object) -> Upload:
        """Let a file come.

        Raises:
            NotAPicture: it is empty.
            TooBig: it is larger than the limits allow.
            BadInput: it does not say how large it is.
        """
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise BadInput("A file says how many bytes it has before it is sent.")
        named = plain(name)
        check_bytes(size, named, self._limits)
        upload = Upload(named, size)
        self._open[upload.id] = upload
        while len(self._open) > self._limits.max_uploads:
            self._open.popitem(last=False)
        return upload

    def take(self, id: object, offset: object, piece: memoryview) -> Upload:
        """Take the next piece of a file.

        Raises:
            BadInput: the file was given up, or the piece does not fit.
        """
        upload = self._open.get(str(id))
        if upload is None:
            raise BadInput("This file was given up while it was on its way; send it again.")
        size = piece.nbytes
        if offset != len(upload.data) or not 0 < size <= min(self._limits.max_chunk, upload.size - len(upload.data)):
            del self._open[upload.id]
            raise BadInput(f"{upload.name} did not come in order; send it again.")
        upload.data += piece
        if upload.whole:
            del self._open[upload.id]
        return upload


def plain(name: object) -> str:
    r"""Give the name of a file without folders, as it may be shown.

    >>> plain("C:\\photos\\cat.jpg"), plain("../.."), plain(None)
    ('cat.jpg', 'picture', 'picture')
    """
    text = name.replace("\\", "/") if isinstance(name, str) else ""
    last = PurePosixPath(text).name
    return "picture" if last in {"", ".."} else shown(last)


def free(name: str, taken: set[str]) -> str:
    """Give a name that nothing else has.

    >>> free("a.jpg", {"a.jpg", "a-2.jpg"})
    'a-3.jpg'
    """
    folded = {one.casefold() for one in taken}
    if name.casefold() not in folded:
        return name
    path = PurePosixPath(name)
    numbered = (f"{path.stem}-{number}{path.suffix}" for number in range(2, len(taken) + 3))
    return next(one for one in numbered if one.casefold() not in folded)
