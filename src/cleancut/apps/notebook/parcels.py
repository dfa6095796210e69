"""Results on their way to the browser, which asks for them piece by piece, so nothing is sent that nobody takes."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial

from cleancut.apps.notebook.desk import Desk
from cleancut.apps.notebook.hand import Check
from cleancut.apps.notebook.nouns import Item, sentence
from cleancut.errors import BadInput, Stopped
from cleancut.jobs.batch.naming import Names
from cleancut.jobs.batch.nouns import PLAIN, Entry
from cleancut.matting.write import encoded

_RANK = 1
_MOST = 4
"""Results that wait to be taken; the one that waits longest is forgotten."""

_PATTERN = "{stem}_no_bg.{ext}"


class Parcels:
    """Makes results as files and hands them over."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._made: OrderedDict[tuple[str, int], bytes] = OrderedDict()

    def fetch(self, view: str, turn: int, item: Item) -> None:
        """Make the file of a picture's result.

        Raises:
            NotFound: it is not done.
        """
        make = self._desk.making(item)
        name, kind = self._file(item), f"image/{self._desk.recipe.format or 'png'}"

        def work(check: Check) -> None:
            try:
                data = encoded(make(check))
            except Stopped:
                raise
            except Exception as error:  # noqa: BLE001 - told in the view
                said = sentence(error)
                tell = partial(self._desk.page.tell, "unmade", view=view, turn=turn, id=item.id, sentence=said)
                self._desk.errands.put(tell)
            else:
                self._desk.errands.put(partial(self._put, view, turn, name, kind, data))

        self._desk.hand.do(("fetch", view, turn), _RANK, work)

    def pull(self, view: str, turn: int, made: object, offset: object) -> None:
        """Send the next piece of the file that was made in a turn of this view.

        Raises:
            BadInput: it was forgotten, or ends before that.
        """
        key = view, made if isinstance(made, int) else 0
        data = self._made.get(key)
        if data is None or not isinstance(offset, int) or not 0 <= offset < len(data):
            raise BadInput("This result was not taken in time; ask for it again.")
        end = offset + self._desk.limits.max_chunk
        self._desk.page.tell("piece", data[offset:end], view=view, turn=turn, offset=offset)
        if end >= len(data):
            del self._made[key]

    def _put(self, view: str, turn: int, name: str, kind: str, data: bytes) -> None:
        self._made[view, turn] = data
        while len(self._made) > _MOST:
            self._made.popitem(last=False)
        self._desk.page.tell("made", view=view, turn=turn, name=name, type=kind, size=len(data))

    def _file(self, item: Item) -> str:
        """Name a result; among those of all pictures no two are alike."""
        items = list(self._desk.items.values())
        entries = [Entry(one.name, lambda: b"") for one in items]
        names = Names(_PATTERN, {PLAIN: self._desk.recipe.format}).claim(entries)
        named = names[items.index(item)]
        if named.failure is not None:
            raise named.failure
        return named.outputs[PLAIN]
