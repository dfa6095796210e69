"""The nouns of a batch: what comes in, what goes out, what is wanted, and what became of it.

A source lists entries, an entry gives bytes, a plan says what is made of them, a sink takes the results, and an
outcome tells how each went. Names are posix paths inside the tree, such as "shoes/left.jpg"; one that is no UTF-8
carries surrogates, as `os.fsdecode` gives them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from cleancut.limits import Limits
from cleancut.types import Box, Picture, Recipe

PLAIN = ""
"""Name of the variant where a picture has only one result."""

State: TypeAlias = Literal["done", "kept", "failed", "skipped"]
"""done: made now. kept: made by an earlier run. failed: see the error. skipped: a file that is no picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One picture to be cut, not read yet. Making one costs nothing: there may be a hundred thousand.

    Attributes:
        name: where it lies in the tree; never absolute, and no part of it is "..".
        read: gives its bytes, or the path of a file that holds them; called once, from any thread. What it raises of
            `errors.py` becomes this entry's failure, so that a row that cannot be used is an entry whose `read` raises.
        stamp: changes whenever the content does and is known without reading it (size and time of change, an ETag);
            empty where nothing does. A second run reads only what has another stamp, or none.
        overrides: fields of the recipe that this entry states for itself, as loosely as `recipe.make` takes them.
        asset: gives a picture that `overrides` name and the plan does not have, by that name.
        output: name of the result where the entry says so; otherwise the plan's pattern names it. With several
            variants, each is told apart by the variant's name before the extension.
        origin: what to call it in messages, such as "row 17 (left.jpg)"; the name if empty.
        loose: whether it only happened to be there, under a name that promises no picture: if its content is none
            either, it is skipped and not failed.
    """

    name: str
    read: Callable[[], bytes | Path]
    stamp: str = ""
    overrides: Mapping[str, object] = field(default_factory=dict)
    asset: Callable[[str], bytes | Path] | None = None
    output: str | None = None
    origin: str = ""
    loose: bool = False

    @property
    def shown(self) -> str:
        """What to call it in messages."""
        return self.origin or self.name


class Source(Protocol):
    """Lists what is to be cut."""

    @property
    def endless(self) -> bool:
        """Whether it waits for more, as a folder that is watched does; such a one is named as it comes."""

    def __iter__(self) -> Iterator[Entry]:
        """List the entries once, in an order that is the same every time; from one thread.

        Raises:
            BadInput: nothing can be listed at all. What spoils one entry is raised by its `read`.
        """

    def close(self) -> None:
        """Let go of what is held, and end an iteration that waits; called from another thread, maybe twice."""


class Sink(Protocol):
    """Takes results. `put` is called by several threads, never twice at once with one name."""

    @property
    def journal(self) -> Path | None:
        """Where the journal lies unless it is named; None where it must be."""

    def sweep(self) -> None:
        """Remove what a run that was killed left half-written; called once, while no other run writes there."""

    def size(self, name: str) -> int | None:
        """Tell the bytes of a result that is there, or None."""

    def put(self, name: str, data: bytes) -> None:
        """Write a result, whole or not at all, in place of one of that name; folders are made as needed.

        Raises:
            NoSpace: nothing more can be written there at all; the batch stops.
            CannotWrite: this one cannot be written.
        """

    def shown(self, name: str) -> str:
        """Say where a result lies, as people may read it; no credentials."""

    def close(self, *, whole: bool) -> None:
        """Finish: `whole` tells that the batch came to its end. Whatever `put` left half-done is removed.

        Raises:
            CannotWrite: what only now becomes a file, such as an archive, cannot be written.
        """


@dataclass(frozen=True, slots=True)
class Review:
    """What is done with results that are not to be trusted.

    Attributes:
        below: confidence in [0, 1] under which a result is such a one.
        model: asked again in that case; the answer with the higher confidence is taken. None: nobody is asked.
        folder: part of the tree where those go that stay below; "" leaves them where they are.
    """

    below: float
    model: str | None = None
    folder: str = "review"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is wanted of a batch.

    Attributes:
        variants: a recipe by the name of its variant; a single one is called `PLAIN`.
        pattern: how results are named, see `naming`; empty chooses by whether there are several variants.
        assets: the pictures that recipes name.
        review: what is done with results that are not to be trusted; None: nothing.
        force: make again what is done already.
        retry_failed: try again what failed in an earlier run, although nothing has changed.
        overwrite: replace files that no run of this batch has made.
        max_errors: failures after which the batch stops; None: never.
        device, precision: as `Engine` takes them.
        workers: pictures that are worked on at once; 0 chooses by the processors.
        ahead: pictures in memory at once at the most, encoded or not; 0 chooses by the workers.
        limits: on what is read.
    """

    variants: Mapping[str, Recipe]
    pattern: str = ""
    assets: Mapping[str, Picture] = field(default_factory=dict)
    review: Review | None = None
    force: bool = False
    retry_failed: bool = False
    overwrite: bool = False
    max_errors: int | None = None
    device: str = "auto"
    precision: str = "auto"
    workers: int = 0
    ahead: int = 0
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one picture in one variant; a line of the journal.

    Attributes:
        name, variant: which.
        state: how it went.
        planned: the name its result was given; empty where it could not be named. No other outcome of a batch has it.
        output: the name that its result has in the sink, another one if it was put aside for review; empty where there
            is none.
        key: of the result: the same for the same recipe, source, weights, assets and version.
        stamp: of the entry.
        source, recipe: sha256 of the source's bytes and digest of the recipe; empty where it did not come to that.
        model: that made it; several are joined by +.
        confidence: in [0, 1]; None without a result.
        size: (width, height) of the result; None without one.
        box: the subject's, in the result's pixels; None without a subject.
        bytes: of the result.
        seconds: of work on it, reading and writing included.
        ms: milliseconds by stage.
        notes: what the reader should know.
        error, kind: the sentence and the class of the failure; empty without one.
        exit_code: of the failure; 0 without one.
        reviewed: whether a second model was asked, or it was put aside for review.
        origin: what to call the entry in messages.
    """

    name: str
    variant: str
    state: State
    planned: str = ""
    output: str = ""
    key: str = ""
    stamp: str = ""
    source: str = ""
    recipe: str = ""
    model: str = ""
    confidence: float | None = None
    size: tuple[int, int] | None = None
    box: Box | None = None
    bytes: int = 0
    seconds: float = 0.0
    ms: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    error: str = ""
    kind: str = ""
    exit_code: int = 0
    reviewed: bool = False
    origin: str = ""

    @property
    def shown(self) -> str:
        """What to call it in messages."""
        what = self.origin or self.name
        return f"{what} ({self.variant})" if self.variant else what
