"""Previews: each view of a studio shows one picture; the latest wish of a view is the one that counts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from cleancut.apps.notebook import work
from cleancut.apps.notebook.desk import Desk
from cleancut.apps.notebook.hand import Check
from cleancut.apps.notebook.nouns import Item, sentence
from cleancut.errors import Stopped
from cleancut.matting import recipe as recipes
from cleancut.matting.proof import Proof
from cleancut.matting.scribbles.strokes import to_json
from cleancut.types import Picture, Recipe

_RANK = 0


@dataclass(frozen=True, slots=True)
class Wish:
    """What a view wants to see.

    Attributes:
        view: which view; `turn` counts its wishes.
        item: the picture.
        bare: without effects, on the picture's own canvas, as one who corrects the edge wants it.
        whole: the picture itself too, and its strokes.
    """

    view: str
    turn: int
    item: Item
    bare: bool
    whole: bool


class Shows:
    """Makes what views want to see."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._wishes: dict[str, Wish] = {}
        desk.settled = self.settled

    def want(self, wish: Wish) -> None:
        """Show a picture to a view, as soon as the models have looked at it; of a view's wishes only the last."""
        before = self._wishes.get(wish.view)
        if before is not None and before.whole and before.item is wish.item:
            wish = replace(wish, whole=True)  # it was asked for and has not come
        self._wishes[wish.view] = wish
        self._show(wish)

    def settled(self, item: Item) -> None:
        """Go on for those who waited for this picture."""
        for wish in [wish for wish in self._wishes.values() if wish.item is item]:
            self._show(wish)

    def forget(self, view: str) -> None:
        """Do no more for a view that is gone."""
        self._wishes.pop(view, None)
        self._desk.hand.drop(("show", view))

    def _show(self, wish: Wish) -> None:
        desk, item = self._desk, wish.item
        if item.state == "failed":
            self._tell_failure(wish, item.failure)
            return
        proof = desk.proof(item)
        if proof is None:
            desk.look(item, soon=True)
            return
        recipe = desk.recipe_of(item)
        if wish.bare:
            recipe = replace(recipe, effects=(), show="cutout")
        assets = {name: desk.assets[name] for name in recipes.assets(recipe)}
        desk.hand.do(("show", wish.view), _RANK, partial(self._make, wish, proof, recipe, assets))

    def _make(self, wish: Wish, proof: Proof, recipe: Recipe, assets: dict[str, Picture], check: Check) -> None:
        """Make a preview; in a thread of its own."""
        errands = self._desk.errands
        try:
            result = work.previewed(proof, recipe, self._desk.load, assets, check)
            source = work.original(proof) if wish.whole else b""
            check()
        except Stopped:
            raise
        except Exception as error:  # noqa: BLE001 - told in the view
            errands.put(partial(self._tell_failure, wish, error))
        else:
            errands.put(partial(self._tell, wish, result, source))

    def _tell(self, wish: Wish, result: bytes, source: bytes) -> None:
        if not self._granted(wish):
            return
        about = {"view": wish.view, "turn": wish.turn, "id": wish.item.id, "whole": wish.whole}
        strokes = [to_json(stroke) for stroke in wish.item.strokes] if wish.whole else []
        buffers = (result, source) if wish.whole else (result,)
        self._desk.page.tell("shown", *buffers, strokes=strokes, **about)

    def _tell_failure(self, wish: Wish, error: BaseException | None) -> None:
        if self._granted(wish):
            self._desk.page.tell("unshown", view=wish.view, turn=wish.turn, id=wish.item.id, sentence=sentence(error))

    def _granted(self, wish: Wish) -> bool:
        """Take a wish off the list, unless a later one took its place."""
        if self._wishes.get(wish.view) is not wish:
            return False
        del self._wishes[wish.view]
        return True
