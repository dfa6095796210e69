"""`Studio`: the widget. What it shows lies in `desk`, what its page says is heard by `talk`."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import anywidget
import traitlets

from cleancut.apps.notebook.about import about
from cleancut.apps.notebook.built import built
from cleancut.apps.notebook.desk import Desk
from cleancut.apps.notebook.nouns import StudioLimits
from cleancut.apps.notebook.results import Results
from cleancut.apps.notebook.sources import Given, kept
from cleancut.apps.notebook.talk import Talk
from cleancut.apps.notebook.uploads import plain
from cleancut.errors import Deadline
from cleancut.matting import recipe as recipes
from cleancut.models.runtime import Load, engine
from cleancut.types import Picture, Recipe, Stroke

_GLANCE = 0.1
"""Seconds after which a wait looks whether someone interrupted it."""


class Studio(anywidget.AnyWidget):
    """A widget to cut pictures out with mouse, pen and keys: show it as the last line of a cell.

    Pictures come by drag and drop, by its button, or by `add`. One recipe is for all of them; strokes are each
    picture's own. Models are asked beside the kernel's own threads, so cells and the page go on meanwhile.

    Args:
        pictures: what to begin with.
        recipe: what to do; by default everything at its default.
        assets: the pictures that the recipe names.
        device: as `Engine` takes it.
        load: what gives a network by name; by default this process's engine on that device.
        limits: on what comes in; by default those of the environment.

    Raises:
        BadInput: the widget is not built, or a picture cannot be read.
        BadRecipe: the recipe does not fit.
    """

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    _about = traitlets.Dict().tag(sync=True)
    _pictures: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    _recipe = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        pictures: Iterable[Given] = (),
        *,
        recipe: Recipe | None = None,
        assets: Mapping[str, Picture] | None = None,
        device: str = "auto",
        load: Load | None = None,
        limits: StudioLimits | None = None,
    ) -> None:
        script, style = built()
        bounds = limits or StudioLimits.from_env()
        self._stale = True
        self._desk = Desk(self, recipe or Recipe(), assets or {}, load or engine(device).load, bounds)
        self._talk = Talk(self._desk)
        super().__init__(_esm=script, _css=style, _about=about(bounds), _recipe=self._shown_recipe())
        self.on_msg(lambda widget, said, buffers: self._talk.hear(said, _flat(buffers)))
        self._desk.errands.here()
        for picture in pictures:
            self.add(picture)

    def add(self, picture: Given, name: str | None = None) -> str:
        """Add a picture; give the name by which it is found in `results`.

        Args:
            picture: a path, the bytes of a file, a `Picture`, an array (H, W), (H, W, 3) or (H, W, 4), or a Pillow
                image.
            name: what to call it; another picture of that name gets a number.

        Raises:
            NotAPicture: it cannot be read.
            TooBig: a limit is exceeded.
        """
        source, called = kept(picture, self._desk.limits)
        with self._desk.lock:
            self._desk.errands.here()
            item = self._desk.add(source, plain(name or called))
            self._desk.errands.run()
        return item.name

    def remove(self, name: str) -> None:
        """Forget a picture.

        Raises:
            NotFound: there is none of that name.
        """
        with self._desk.lock:
            self._desk.remove(self._desk.named(name))
            self._desk.errands.run()

    def correct(self, name: str, *strokes: Stroke | str) -> None:
        """Put strokes in place of those that a picture has, such as keep:0.02:0.4,0.3:0.45,0.35; none takes them away.

        Raises:
            NotFound: there is no picture of that name.
            BadSetting: a stroke is none, or lies outside the picture.
        """
        with self._desk.lock:
            item = self._desk.named(name)
            self._desk.mark(item, strokes)
            self.tell("marked", id=item.id)
            self._desk.errands.run()

    def wait(self, seconds: float | None = None) -> Results:
        """Wait until every picture is done or has failed; give the results.

        Args:
            seconds: how long at the most; None: as long as it takes.

        Raises:
            Deadline: some are not done by then.
        """
        end = None if seconds is None else time.monotonic() + seconds
        self._desk.errands.run()
        while left := self._desk.busy:
            if end is not None and time.monotonic() >= end:
                raise Deadline(f"{left} of {len(self._desk.items)} pictures are not cut yet; wait longer.")
            self._desk.errands.wait(_GLANCE)
        return self.results

    @property
    def results(self) -> Results:
        """The cutouts that are done, by name."""
        self._desk.errands.run()
        return Results(self._desk)

    @property
    def errors(self) -> dict[str, BaseException]:
        """What went wrong, by the name of the picture."""
        self._desk.errands.run()
        with self._desk.lock:
            return {item.name: item.failure for item in self._desk.items.values() if item.failure is not None}

    @property
    def recipe(self) -> Recipe:
        """What is done to every picture; another may be put in its place."""
        return self._desk.recipe

    @recipe.setter
    def recipe(self, recipe: Recipe) -> None:
        with self._desk.lock:
            self._desk.set_recipe(recipe)
            self._desk.errands.run()

    def recipe_of(self, name: str) -> Recipe:
        """Give what is done to one picture, its strokes included.

        Raises:
            NotFound: there is none of that name.
        """
        with self._desk.lock:
            return self._desk.recipe_of(self._desk.named(name))

    def close(self) -> None:
        """Take the widget off its page and begin nothing more."""
        if hasattr(self, "_desk"):  # not where it was refused before it had one
            self._desk.close()
        super().close()

    # What the desk asks of its page

    def tell(self, kind: str, *buffers: bytes, **content: Any) -> None:
        """Send the page a message; not for users."""
        self.send({"kind": kind, **content}, list(buffers))

    def changed(self) -> None:
        """Note that there is something else to show; not for users."""
        self._stale = True

    def flush(self) -> None:
        """Show what has changed; not for users."""
        if not self._stale:
            return
        self._stale = False
        self._pictures = [item.shown() for item in self._desk.items.values()]
        self._recipe = self._shown_recipe()

    def _shown_recipe(self) -> dict[str, Any]:
        return {"recipe": recipes.to_json(self._desk.recipe), "by": self._desk.by}


def _flat(buffers: Sequence[Any] | None) -> list[memoryview]:
    """Give the bytes that came with a message."""
    return [memoryview(buffer).cast("B") for buffer in buffers or ()]
