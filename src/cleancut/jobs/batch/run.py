"""The run of a batch: read, cut and write overlap, and only so many pictures are in memory at once.

Pictures are worked on in threads, one for each processor, and each computes alone: two pictures at once on one
processor each take less time than one after the other on both (docs/decisions/0013). The network is loaded once for
all of them. Reading and writing have threads of their own, so that a slow disk or network keeps no processor waiting.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, TypeAlias

from cleancut.errors import CleancutError, NoSpace, NotAPicture, Stopped
from cleancut.jobs.batch.crew import Crew, Stations
from cleancut.jobs.batch.journal import Journal
from cleancut.jobs.batch.keys import Keys
from cleancut.jobs.batch.naming import Named, Names
from cleancut.jobs.batch.nouns import Entry, Outcome, Plan, Sink, Source
from cleancut.jobs.batch.tickets import Ticket, Tickets
from cleancut.jobs.batch.wanted import Known, Wanted, Wishes, aside, done, failed, read, skipped, started
from cleancut.jobs.batch.work import Made, work
from cleancut.matting import recipe as recipes
from cleancut.models.runtime import Load
from cleancut.pictures.files import shown

_Told: TypeAlias = "Outcome | BaseException | None"
"""What threads tell the one that yields; None is the end."""


Cut: TypeAlias = Callable[..., "Iterator[Made | CleancutError]"]
"""Cuts a picture in several ways, as `work` does and with its arguments."""


class Batch:
    """One run of a batch.

    Args:
        plan: what is wanted.
        sink: takes the results.
        journal: what was done; held open for as long as this runs.
        load: gives a network by name; it computes in as many threads as `Crew.of(plan)` says.
        cut: does what `work` does, maybe on another machine; called by as many threads as there are workers.

    Attributes:
        total: results that were asked for, once they are listed; None before, and where nobody knows.
        reason: why it ended before its end; empty where it did not.

    Raises:
        BadRecipe: a recipe of the plan does not fit.
    """

    def __init__(self, plan: Plan, sink: Sink, journal: Journal, load: Load, cut: Cut = work) -> None:
        self.plan, self.crew = plan, Crew.of(plan)
        self.total: int | None = None
        self.reason = ""
        self._sink, self._journal, self._load, self._work = sink, journal, load, cut
        self._wishes = Wishes(plan)
        self._known = Known(plan, Keys(lambda name: load(name).sha256, plan.precision, plan.review), journal, sink)
        self._tickets = Tickets(self.crew.ahead)
        self._told: queue.SimpleQueue[_Told] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._source: Source | None = None

    def run(self, source: Source) -> Iterator[Outcome]:
        """Do what is left to do; tell of every result as it is settled, those of earlier runs included.

        Raises:
            BadInput: nothing can be listed, or the pattern of names is none.
            WeightsError, Broken: a network that the plan asks cannot be had.
        """
        self._source = source
        for name in networks(self.plan):
            self._load(name)  # told before any work
        self._sink.sweep()
        named = self._named(source)
        failures = 0
        with ExitStack() as stack:
            stations = Stations.opened(self.crew, stack)
            feeding = threading.Thread(target=self._feed, args=(named, stations), name="cleancut-list", daemon=True)
            feeding.start()
            stack.callback(feeding.join)
            stack.callback(self._end)
            while (told := self._told.get()) is not None:
                if isinstance(told, BaseException):
                    raise told
                yield told
                failures += told.state == "failed"
                if self.plan.max_errors is not None and failures > self.plan.max_errors:
                    self.stop(f"More than {self.plan.max_errors} failed.")

    def stop(self, reason: str) -> None:
        """Begin nothing more, and leave what is not almost done; from any thread, or from a signal's function."""
        self.reason = self.reason or reason
        self._end()

    def _end(self) -> None:
        self._stopping.set()
        self._tickets.stop()
        if self._source is not None:  # in a thread: closing may wait for what the interrupted one holds
            threading.Thread(target=self._source.close, name="cleancut-close", daemon=True).start()

    def _named(self, source: Source) -> Iterator[Named]:
        """Name all results before any work, or each as it comes where nobody knows how many there are."""
        past = {(told.name, told.variant): planned for planned, told in self._journal.past.items()}
        formats = {variant: recipe.format for variant, recipe in self.plan.variants.items()}
        names = Names(self.plan.pattern, formats, past, endless=source.endless)
        if source.endless:
            return (names.claim([entry])[0] for entry in source)
        entries = [entry for entry in source if not self._stopping.is_set()]
        self.total = len(entries) * len(formats)
        # What was being worked on when an earlier run died comes last: were it the cause, the rest is done first.
        unfinished = self._journal.unfinished
        return iter(sorted(names.claim(entries), key=lambda named: not unfinished.isdisjoint(named.outputs.values())))

    def _feed(self, named: Iterator[Named], stations: Stations) -> None:
        """Hand one entry after another to those who read; end once everything is settled."""
        busy: dict[str, Ticket] = {}
        try:
            for one in named:
                if one.entry.name in busy:  # it has changed meanwhile: its later result must be the one that stays
                    busy[one.entry.name].over.wait()
                ticket = self._tickets.take()
                if ticket is None:
                    break
                busy = {name: held for name, held in busy.items() if not held.over.is_set()}
                busy[one.entry.name] = ticket
                self._send(stations.readers, ticket, self._read, one, stations)
        except BaseException as error:  # noqa: BLE001 - who asked for the outcomes raises it
            self._told.put(error)
        self._tickets.settled()
        self._told.put(None)

    def _send(self, pool: ThreadPoolExecutor, ticket: Ticket, work: Callable[..., None], *args: Any) -> None:
        """Have another thread do something; what nobody foresaw ends the batch."""

        def safely() -> None:
            try:
                work(ticket, *args)
            except BaseException as error:  # noqa: BLE001 - the same
                ticket.drop()
                self._told.put(error)

        pool.submit(safely)

    def _read(self, ticket: Ticket, named: Named, stations: Stations) -> None:
        """Tell of what is settled already, and hand the rest of a picture to those who cut."""
        begun = time.perf_counter()
        left, data = [] if self._stopping.is_set() else self._left(named), None
        if left:
            data = self._data(left, named.entry)
        if data is not None:
            left = self._unknown(left, data)
        if data is None or not left:
            ticket.drop()
            return
        ticket.split(len(left))
        self._send(stations.cutters, ticket, self._cut, left, data, stations, time.perf_counter() - begun)

    def _left(self, named: Named) -> list[Wanted]:
        """Give what of an entry can be made, and was not made of a source that has not changed since."""
        left = []
        for variant in self.plan.variants:
            start = started(named, variant)
            try:
                wanted = self._wishes.of(named, variant)
                before = self._known.unread(wanted)
            except CleancutError as error:
                self._settle(failed(start, error))
                continue
            if before is None:
                left.append(wanted)
            else:
                self._told.put(before)
        return left

    def _data(self, left: list[Wanted], entry: Entry) -> bytes | None:
        """Read a picture; None where that fails, or it is none, which is told of each of its results."""
        try:
            return read(entry, self.plan.limits)
        except CleancutError as error:
            for wanted in left:
                if entry.loose and isinstance(error, NotAPicture):
                    self._told.put(skipped(wanted.outcome, error))
                else:
                    self._settle(wanted.failed(error))
        return None

    def _unknown(self, wanted: list[Wanted], data: bytes) -> list[Wanted]:
        """Give what was not made of these bytes before."""
        left = []
        for one in (self._known.keyed(one, data) for one in wanted):
            try:
                before = self._known.read(one)
            except CleancutError as error:
                self._settle(one.failed(error))
                continue
            if before is None:
                left.append(one)
            else:
                if before.state == "kept":
                    self._journal.add(replace(before, state="done"))  # its source has another stamp now
                self._told.put(before)
        return left

    def _cut(self, ticket: Ticket, left: list[Wanted], data: bytes, stations: Stations, reading: float) -> None:
        """Cut a picture in every way that is left, and hand the results to those who write."""
        if self._stopping.is_set():
            return ticket.drop()
        review = self.plan.review
        self._journal.begin(
            name for one in left for name in sorted({one.outcome.planned, aside(one.outcome.planned, review, 0.0)})
        )
        try:
            for one, result in zip(left, self._made(left, data), strict=True):
                if isinstance(result, Stopped):
                    return ticket.drop()
                if isinstance(result, CleancutError):
                    self._settle(one.failed(result))
                    ticket.settle()
                else:
                    self._send(stations.writers, ticket, self._write, one, result, reading)
                reading = 0.0  # the first result of a picture pays for it
        except Stopped:
            ticket.drop()
        return None

    def _made(self, left: list[Wanted], data: bytes) -> Iterator[Made | CleancutError]:
        return self._work(
            data,
            [one.way for one in left],
            load=self._load,
            assets={name: picture for one in left for name, picture in one.assets.items()},
            limits=self.plan.limits,
            review=self.plan.review,
            check=self._check,
            name=shown(left[0].outcome.origin or left[0].outcome.name),
        )

    def _check(self) -> None:
        if self._stopping.is_set():
            raise Stopped("The batch was told to end.")

    def _write(self, ticket: Ticket, wanted: Wanted, made: Made, reading: float) -> None:
        """Put a result into its place, and then note it."""
        begun = time.perf_counter()
        output = aside(wanted.outcome.planned, self.plan.review, made.confidence)
        try:
            self._sink.put(output, made.data)
        except NoSpace:
            raise
        except CleancutError as error:
            self._settle(wanted.failed(error))
        else:
            seconds = reading + made.seconds + time.perf_counter() - begun
            self._settle(done(wanted, made, output, seconds))
        ticket.settle()

    def _settle(self, outcome: Outcome) -> None:
        self._journal.add(outcome)
        self._told.put(outcome)


def networks(plan: Plan) -> list[str]:
    """Name the models that a plan asks, but for those that entries state for themselves."""
    asked = [name for recipe in plan.variants.values() for name in recipes.models(recipes.checked(recipe))]
    review = plan.review
    return list(dict.fromkeys([*asked, *([review.model] if review and review.model else [])]))
