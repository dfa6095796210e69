"""All that a studio knows: its pictures, what is to be done to them, and who does it.

Everything here belongs to the threads in which the kernel handles messages, one at a time under `lock`; other threads
get plain values and answer by errands. Nothing in here knows of widgets.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from cleancut.apps.notebook import work
from cleancut.apps.notebook.errands import Errands
from cleancut.apps.notebook.hand import Check, Hand
from cleancut.apps.notebook.kept import Kept
from cleancut.apps.notebook.nouns import Encoded, Item, Page, StudioLimits
from cleancut.apps.notebook.uploads import free
from cleancut.errors import BadRecipe, NotFound, Stopped, TooBig
from cleancut.matting import recipe as recipes
from cleancut.matting.cutout import Cutout
from cleancut.matting.ensemble import Answer
from cleancut.matting.proof import Proof, Question, question
from cleancut.matting.scribbles.strokes import read_all
from cleancut.models.runtime import Load
from cleancut.types import Picture, Recipe

_SOON, _LATER = 0, 1
"""Ranks of pictures that someone looks at, and of the others."""

_CUTOUT_BYTES = 256_000_000


class Desk:
    """The pictures of a studio and what is done to them.

    Args:
        page: is told what happens.
        recipe: what is done to every picture; strokes are each picture's own.
        assets: the pictures that it names.
        load: gives networks by name.
        limits: on what comes in.
    """

    def __init__(
        self, page: Page, recipe: Recipe, assets: Mapping[str, Picture], load: Load, limits: StudioLimits
    ) -> None:
        self.page, self.load, self.limits = page, load, limits
        self.lock = threading.RLock()
        self.errands = Errands(self.lock, page.flush)
        self.items: dict[str, Item] = {}
        self.assets = dict(assets)
        self.recipe, self.by = self._fitting(recipe), ""
        self.batch, self.hand = Hand("cleancut-batch"), Hand("cleancut-hand")
        self.settled: Callable[[Item], None] = lambda item: None
        self._proofs: Kept[tuple[str, Question], Proof] = Kept(limits.proof_bytes)
        self._answers: Kept[tuple[str, Question], Answer] = Kept(limits.answer_bytes)
        self._cutouts: Kept[tuple[str, str], Cutout] = Kept(_CUTOUT_BYTES)

    # Pictures

    @property
    def held(self) -> int:
        """Bytes of the encoded pictures."""
        return sum(item.weight for item in self.items.values())

    @property
    def busy(self) -> int:
        """How many pictures are neither done nor failed."""
        return sum(item.state in {"waiting", "working"} for item in self.items.values())

    def check_room(self, size: int) -> None:
        """Check that there is room for one more picture of so many bytes.

        Raises:
            TooBig: there is not.
        """
        if len(self.items) >= self.limits.max_pictures:
            raise TooBig(f"A studio holds {self.limits.max_pictures:,} pictures; remove some first.")
        if self.held + size > self.limits.max_held:
            raise TooBig(f"A studio holds {self.limits.max_held / 1e6:,.0f} MB of pictures; remove some first.")

    def add(self, source: Encoded, name: str) -> Item:
        """Take a picture, and have the models look at it.

        Raises:
            TooBig: there is no room.
        """
        item = self._item(name, source)
        self.check_room(item.weight)
        self.items[item.id] = item
        self.look(item)
        return item

    def refuse(self, name: str, failure: BaseException) -> Item:
        """List a picture that cannot be taken, with the reason.

        Raises:
            TooBig: there is no room for more lines.
        """
        item = self._item(name, None)
        self.check_room(0)
        item.state, item.failure = "failed", failure
        self.items[item.id] = item
        self.page.changed()
        return item

    def find(self, id: object) -> Item:
        """Give a picture by its id.

        Raises:
            NotFound: there is none.
        """
        if id not in self.items:
            raise NotFound("This picture is not in the studio any more.")
        return self.items[str(id)]

    def named(self, name: str) -> Item:
        """Give a picture by its name.

        Raises:
            NotFound: there is none.
        """
        for item in self.items.values():
            if item.name == name:
                return item
        raise NotFound(f"The studio has no picture {name!r}.")

    def remove(self, item: Item) -> None:
        """Forget a picture."""
        self.items.pop(item.id, None)
        self._leave(item, question(self.recipe))
        if item.asked is not None:
            self._proofs.drop((item.id, item.asked))
            self._answers.drop((item.id, item.asked))
        self.page.changed()

    def close(self) -> None:
        """Begin nothing more."""
        self.batch.drop()
        self.hand.drop()

    def _leave(self, item: Item, asked: Question) -> None:
        """Leave undone what the models were to be asked."""
        self.batch.drop((item.id, asked))
        self.hand.drop((item.id, asked))

    def _item(self, name: str, source: Encoded | None) -> Item:
        return Item(secrets.token_urlsafe(9), free(name, {item.name for item in self.items.values()}), source)

    # The recipe

    def set_recipe(self, recipe: Recipe, by: str = "") -> None:
        """Do something else to every picture; the models look again where they are asked something else.

        Args:
            recipe: its strokes do not count.
            by: who wants it, so that the page knows its own wish when it hears of it.

        Raises:
            BadRecipe: it names a picture that is not here.
        """
        before = question(self.recipe)
        self.recipe, self.by = self._fitting(recipe), by
        if question(self.recipe) != before:
            for item in self.items.values():
                self._leave(item, before)
                self.look(item)
        self.page.changed()

    def recipe_of(self, item: Item) -> Recipe:
        """Give what is done to a picture, its strokes included."""
        return replace(self.recipe, strokes=item.strokes)

    def mark(self, item: Item, strokes: object) -> None:
        """Put strokes in place of those that a picture has.

        Raises:
            BadSetting, BadRecipe: one is none, or lies outside the picture, or there are too many.
        """
        item.strokes = read_all(strokes)

    def keep_asset(self, name: str, picture: Picture) -> None:
        """Keep a picture that recipes may name; those that neither the recipe nor the newest one needs go."""
        needed = recipes.assets(self.recipe)
        self.assets = {known: kept for known, kept in self.assets.items() if known in needed} | {name: picture}

    def _fitting(self, recipe: Recipe) -> Recipe:
        recipe = recipes.checked(replace(recipe, strokes=()))
        if missing := recipes.assets(recipe) - set(self.assets):
            raise BadRecipe(f"The recipe names the picture {min(missing)!r}, which was not handed over.")
        return recipe

    # What the models say

    def look(self, item: Item, *, soon: bool = False) -> None:
        """Have the models look at a picture; one that they know already is only read again."""
        if item.source is None:
            return
        recipe = self.recipe
        asked, rank = question(recipe), _SOON if soon else _LATER
        known = item.state == "done" and item.asked == asked
        hand = self.hand if known else self.batch
        if hand.has((item.id, asked)):
            if soon:
                hand.sooner((item.id, asked), rank)
            return
        if not known:
            item.state, item.failure = "waiting", None
            self.page.changed()
        answer = self._answers.get((item.id, asked))
        hand.do((item.id, asked), rank, partial(self._looking, item, item.source, recipe, answer))

    def proof(self, item: Item) -> Proof | None:
        """Give a picture in small with what the models say of it, if that is here."""
        return self._proofs.get((item.id, question(self.recipe)))

    def _looking(self, item: Item, source: Encoded, recipe: Recipe, answer: Answer | None, check: Check) -> None:
        """Look at a picture; in a thread of its own."""
        asked = question(recipe)
        self.errands.put(partial(self._began, item))
        try:
            proof = work.looked_at(source, item.name, recipe, self.load, self.limits, check, answer)
            small = work.thumb(proof)
        except Stopped:
            raise
        except Exception as error:  # noqa: BLE001 - told at the picture, and raised where its result is asked for
            self.errands.put(partial(self._failed, item, asked, error))
        else:
            self.errands.put(partial(self._done, item, asked, proof, small))

    def _began(self, item: Item) -> None:
        if item.state == "waiting":
            item.state = "working"
            self.page.changed()

    def _wanted(self, item: Item, asked: Question) -> bool:
        return self.items.get(item.id) is item and asked == question(self.recipe)

    def _failed(self, item: Item, asked: Question, error: Exception) -> None:
        if self._wanted(item, asked):
            item.state, item.failure, item.asked, item.told = "failed", error, None, {}
            self.page.changed()
            self.settled(item)

    def _done(self, item: Item, asked: Question, proof: Proof, small: bytes) -> None:
        if not self._wanted(item, asked):
            return
        prediction = proof.answer.prediction
        item.state, item.failure, item.asked, item.thumb = "done", None, asked, small
        item.told = {"size": proof.full, "confidence": round(prediction.confidence, 4), "notes": proof.notes}
        self._proofs.put((item.id, asked), proof, proof.nbytes)
        size = work.keepable(proof.answer)
        if size is not None:
            self._answers.put((item.id, asked), proof.answer, size)
        self.page.changed()
        self.page.tell("thumb", small, id=item.id)
        self.settled(item)

    # Results

    def making(self, item: Item) -> Callable[[Check | None], Cutout]:
        """Give the function that cuts a picture at full size, from any thread.

        Raises:
            NotFound: it is not done.
            What made it fail.
        """
        if item.failure is not None:
            raise item.failure
        if item.source is None or item.state != "done":
            raise NotFound(f"{item.name} is not cut yet; studio.wait() waits for all pictures.")
        recipe = self.recipe_of(item)
        assets = {name: self.assets[name] for name in recipes.assets(recipe)}
        answer = self._answers.get((item.id, question(recipe)))
        return partial(self._cutout, item, item.source, recipe, assets, answer)

    def _cutout(
        self,
        item: Item,
        source: Encoded,
        recipe: Recipe,
        assets: Mapping[str, Picture],
        answer: Answer | None,
        check: Check | None,
    ) -> Cutout:
        key = item.id, recipes.digest(recipe) + "".join(map(recipes.content_name, assets.values()))
        made = self._cutouts.get(key)
        if made is None:
            made = work.cutout_of(source, item.name, recipe, self.load, assets, self.limits, answer, check)
            width, height = made.source.size
            self._cutouts.put(key, made, 4 * width * height)
        return made
