"""What every route calls: limits, quota, cache, gate, work, and a note of it."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio.to_thread
import numpy as np

from cleancut.apps.fetch.get import Fetcher
from cleancut.apps.gate import Gate, unless_gone
from cleancut.apps.keys.keyring import Charge, Keyring
from cleancut.apps.queue.tier import tier_of
from cleancut.apps.server.audit import Audit
from cleancut.apps.server.batching import Batching
from cleancut.apps.server.cache import Flights, Kept, cache
from cleancut.apps.server.meter import Meter
from cleancut.apps.server.nouns import MEDIA_TYPES, Asked, Asset, Caller, Done, Gone
from cleancut.apps.server.settings import Settings
from cleancut.apps.server.trail import note
from cleancut.apps.server.work import digest_of, kept, key_of, runs_of, worked
from cleancut.errors import CleancutError, TooBig, UnknownModel
from cleancut.limits import ServiceLimits, processors
from cleancut.matting import recipe as recipes
from cleancut.matting.cutout import Cutout
from cleancut.matting.pipeline import cut
from cleancut.matting.proof import Proof
from cleancut.matting.write import encoded
from cleancut.models.runtime import Engine, Load
from cleancut.models.weights import path_of
from cleancut.pictures import images
from cleancut.pictures.files import shown
from cleancut.types import Picture, Recipe

__all__ = ["MEDIA_TYPES", "Asked", "Asset", "Caller", "Done", "Gone", "Service"]

T = TypeVar("T")

_log = logging.getLogger("cleancut.server")


class Service:
    """Everything that routes share.

    Args:
        settings: of the service.
        load: gives a network by name; by default an engine of the service's own.

    Attributes:
        settings, limits: what whoever runs it decided.
        engine: what loads networks, and knows which there are.
        load: gives a network by name.
        tier: has the work done by others; None where it is done here.
        gate: lets work in.
        cache: keeps results.
        fetcher: gets pictures by address, where that is allowed.
        keys: what callers may use, from the start on; None where no keys are needed.
        audit: is told who asked for what.
        meter: counts what is done.
        ready: whether the default model has answered once.
        failure: what the public may know of why it has not; None as long as nothing failed.
    """

    def __init__(self, settings: Settings, load: Load | None = None) -> None:
        self.settings = settings
        self.limits: ServiceLimits = settings.limits
        # Workers share the processors: two runs of one thread each do more than one after the other of two threads.
        threads = settings.threads or max(1, processors() // self.limits.workers)
        self.engine = Engine(settings.device, self.limits.loaded_bytes, threads, settings.precision)
        given = load or self.engine.load
        self.load = given if settings.batch == 1 else Batching(given, settings.batch)
        self.tier = tier_of(self, settings.queue) if settings.queue else None
        self.gate = Gate(self.limits if self.tier is None else self.tier.limits)
        self.cache = cache(settings)
        self.fetcher = Fetcher(
            on=settings.allow_urls,
            ports=settings.url_ports,
            seconds=self.limits.url_seconds,
            at_once=self.limits.urls_at_once,
            longest=self.limits.max_url,
        )
        self.keys: Keyring | None = None
        self.audit = Audit(Path(settings.audit_log) if settings.audit_log else None, names=settings.audit_names)
        self.meter = Meter()
        self.meter.watch(self.gauges)
        if self.tier is not None:
            self.tier.measure(self.meter)
        self.ready = False
        self.failure: str | None = None
        self._flights: Flights[Kept] = Flights()

    def recipe(self, given: Mapping[str, object]) -> Recipe:
        """Make a recipe of what a request says; what it leaves open is the service's choice.

        Raises:
            BadRecipe: it does not fit, or asks for a model that is not served.
        """
        return self._served(recipes.make(**{"model": self.settings.model, **given}))

    async def cut(
        self,
        source: bytes,
        recipe: Recipe,
        caller: Caller,
        *,
        assets: Mapping[str, Asset] | None = None,
        name: str = "",
        digest: str | None = None,
        gone: Gone | None = None,
        proof: Proof | None = None,
    ) -> Done:
        """Cut a picture out and encode it, unless that was done a moment ago.

        Args:
            source: the encoded picture.
            recipe: what to do.
            caller: who asks.
            assets: the pictures that the recipe names.
            name: what the caller calls the picture.
            digest: what `digest` gives, where it was asked before.
            gone: tells whether the caller has left; then the work is dropped.
            proof: of this picture, by this recipe's model; the models are not asked again, and the caller's quota is
                not charged again.

        Raises:
            BadInput: the picture or the recipe does not fit, or a limit is exceeded.
            Busy: there is too much to do, or it took too long.
            WeightsError, Broken: as `pipeline.cut_all` says.
        """
        async with self._accepted(source, recipe, caller, assets or {}, name, proof) as asked:
            digest = digest or await self.digest(source, recipe, assets)
            done = await unless_gone(self._found(asked, digest), gone)
            await self.audit.done(asked.line, "known" if done.cached else "done")
            return done

    async def run(
        self,
        source: bytes,
        recipe: Recipe,
        work: Callable[[Cutout], T],
        caller: Caller,
        *,
        assets: Mapping[str, Asset] | None = None,
        name: str = "",
        gone: Gone | None = None,
        background: bool = False,
        begun: Callable[[], None] | None = None,
    ) -> T:
        """Cut a picture out and make of the cutout what `work` does, in the worker's thread; nothing is kept.

        What runs in the background lets others go first and has no deadline; `begun` is called in the worker's
        thread when it is its turn.

        Raises:
            BadInput, Busy, WeightsError, Broken: as `cut` says; and whatever `work` raises.
        """
        async with self._accepted(source, recipe, caller, assets or {}, name) as accepted:
            asked = replace(accepted, background=background, begun=begun)
            result = await unless_gone(self._worked(asked, work), gone)
            await self.audit.done(asked.line, "done")
            return result

    async def digest(self, source: bytes, recipe: Recipe, assets: Mapping[str, Asset] | None = None) -> str:
        """Give the sha256 of a result before it is made: of source, recipe, pictures, weights, device and version."""
        return await anyio.to_thread.run_sync(
            digest_of, source, recipe, assets or {}, runs_of(self.settings, self.engine, recipe)
        )

    def result_key(self, key_id: str | None, source: bytes, recipe: Recipe, assets: Mapping[str, Asset]) -> str:
        """Give the key of a result that is kept: its digest, and whose it is."""
        return key_of(key_id, digest_of(source, recipe, assets, runs_of(self.settings, self.engine, recipe)))

    async def warm(self) -> None:
        """Load the default model and let it answer once; `ready` and `failure` tell how that went."""
        try:
            await anyio.to_thread.run_sync(self._answer_once)
        except Exception as error:  # noqa: BLE001 - whatever it is, the service must say that it is not ready
            self.failure = error.public if isinstance(error, CleancutError) else "The default model does not answer."
            _log.exception("The default model does not answer")
        else:
            self.ready = True

    def gauges(self) -> dict[str, float]:
        """Give what the gate and the cache hold now."""
        return {
            "cleancut_queue_waiting": self.gate.waiting,
            "cleancut_queue_limit": self.limits.waiting,
            "cleancut_workers_busy": self.gate.busy,
            "cleancut_workers_limit": self.limits.workers,
            "cleancut_cache_bytes": self.cache.bytes,
            "cleancut_cache_entries": self.cache.entries,
        }

    def serves(self, model: str) -> bool:
        """Whether a model may be asked for, by a name or an alias that exists, without settings.

        Raises:
            UnknownModel: there is none of that name.
        """
        found, named = self.engine.model(model), self.settings.serve_models
        if named:
            return found.name in named
        return all(path_of(file).is_file() for file in found.weights.values())

    def close(self) -> None:
        """End what it holds, once nothing is worked on any more."""
        self.fetcher.close()
        self.audit.close()
        if self.tier is not None:
            self.tier.close()

    def _served(self, recipe: Recipe) -> Recipe:
        for name in recipes.models(recipe):
            if not self.serves(name):
                raise UnknownModel(f"This service has no model {name!r}; it says which it has at /v1/models.")
        return recipe

    @asynccontextmanager
    async def _accepted(
        self,
        source: bytes,
        recipe: Recipe,
        caller: Caller,
        assets: Mapping[str, Asset],
        name: str,
        proof: Proof | None = None,
    ) -> AsyncIterator[Asked]:
        """Check everything that can be checked before the work, and charge for it unless it fails."""
        recipe, name = self._served(recipe), shown(name)
        note(model=recipes.models(recipe)[0])
        async with self.audit.line(caller.key_id or caller.name, caller.request_id, source, recipe, name) as line:
            header, *others = await anyio.to_thread.run_sync(self.headers, source, assets)
            line.size = header.size
            megapixels = sum(math.prod(each.size) for each in (header, *others)) / 1e6
            async with self._charged(caller, megapixels, again=proof is not None) as charge:
                yield Asked(source, recipe, assets, caller, name, megapixels, charge, line, proof=proof)

    def headers(self, source: bytes, assets: Mapping[str, Asset]) -> list[images.Header]:
        """Read the headers of everything that will be decoded, the source's first.

        Raises:
            NotAPicture: one is none.
            TooBig: one exceeds a limit on bytes, pixels or frames.
        """
        handed = (asset for asset in assets.values() if isinstance(asset, bytes))
        headers = [images.header(data, limits=self.limits) for data in (source, *handed)]
        if any(header.frames > self.limits.max_frames for header in headers):
            raise TooBig(f"The picture has more than {self.limits.max_frames} frames, which is the limit.")
        return headers

    def _charged(self, caller: Caller, megapixels: float, *, again: bool) -> AbstractAsyncContextManager[Charge]:
        return nullcontext(Charge()) if self.keys is None else self.keys.charge(caller.key_id, megapixels, again=again)

    async def _found(self, asked: Asked, digest: str) -> Done:
        """Give a result that is kept, or is being made, or make it."""
        key = key_of(asked.caller.key_id, digest)
        found, cached = await self.cache.get(key), True
        if found is None:
            found, cached = await self._flights.join(key, partial(self._made, asked, key))
        self.meter.looked(cached)
        note(cached=cached)
        report = replace(found.report, name=asked.name)
        return Done(found.data, found.media_type, report.size, digest, report, cached)

    async def _made(self, asked: Asked, key: str) -> Kept:
        made = await self._worked(asked, kept)
        await self.cache.put(key, made)
        return made

    async def _worked(self, asked: Asked, finish: Callable[[Cutout], T]) -> T:
        """Go through the gate and note what was done."""
        key, entered = asked.caller.key_id or "", time.perf_counter()
        here = finish is Proof or asked.proof is not None  # what an edit keeps is no plain data, and stays
        work = (
            partial(worked, asked, finish, self.load, self.limits)
            if self.tier is None or here
            else partial(self.tier.worked, asked, finish)
        )
        done = await self.gate.run(
            work, key=asked.caller.turn, megapixels=asked.megapixels, background=asked.background
        )
        self.meter.stage("waiting", done.begun - entered, end=done.begun)
        self.meter.worked(done.stopwatch)
        asked.charge.network_seconds = done.stopwatch.ms().get("network", 0.0) / 1000
        self.meter.work(key, asked.megapixels, asked.charge.network_seconds)
        return done.result

    def _answer_once(self) -> None:
        """Everything that a first request would wait for: imports, weights, a run, an encoder; or the queue."""
        if self.tier is not None:
            self.tier.start(lambda: self.gate.closing)
            return
        blank = Picture(np.full((64, 64, 3), 128, np.uint8), name="blank")
        encoded(cut(blank, self.recipe({}), load=self.load, limits=self.limits))
