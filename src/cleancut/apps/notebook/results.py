"""What a studio has made, by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cleancut.apps.notebook.desk import Desk
from cleancut.errors import NotFound
from cleancut.matting.cutout import Cutout


class Results(Mapping[str, Cutout]):
    """The cutouts of a studio's pictures by name, in the order they came; each is made when it is asked for.

    Only what the models said is kept, and the cutouts that were looked at last: a hundred photos need not all lie in
    memory at once. A name whose picture failed is not among them; to ask for it raises what made it fail.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def __getitem__(self, name: str) -> Cutout:
        with self._desk.lock:
            try:
                item = self._desk.named(name)
            except NotFound as error:
                raise KeyError(str(error)) from None
            make = self._desk.making(item)
        return make(None)

    def __contains__(self, name: object) -> bool:
        return name in list(self)

    def __iter__(self) -> Iterator[str]:
        with self._desk.lock:
            return iter([item.name for item in self._desk.items.values() if item.state == "done"])

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __repr__(self) -> str:
        return f"Results({', '.join(map(repr, self))})"
