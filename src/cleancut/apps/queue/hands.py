"""What a worker does with a picture that was handed over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import cleancut
from cleancut.apps.keys.keyring import Charge
from cleancut.apps.queue import wire
from cleancut.apps.server.audit import Line
from cleancut.apps.server.cache import Kept
from cleancut.apps.server.meter import Meter
from cleancut.apps.server.nouns import Asked, Caller
from cleancut.apps.server.work import kept, worked
from cleancut.errors import BadCall, CleancutError
from cleancut.jobs.queue.orders import PICTURE, Taken
from cleancut.jobs.queue.worker import Picked
from cleancut.jobs.runner import Made
from cleancut.limits import ServiceLimits
from cleancut.matting import recipe as recipes
from cleancut.matting.cutout import Cutout
from cleancut.models.runtime import Engine, Load
from cleancut.models.weights import path_of

PACKED = "application/x-cleancut"
"""A result that only the other tier can read."""


@dataclass(frozen=True, slots=True)
class Hands:
    """Makes pictures with networks that stay loaded. Threads share it; what dialects ask of a service, it has.

    Attributes:
        engine: what loads networks, and knows which there are.
        load: gives a network by name.
        limits: of the service.
        models: that this worker makes pictures by; empty is all that are on this machine.
        meter: counts what is done.
    """

    engine: Engine
    load: Load
    limits: ServiceLimits
    models: Sequence[str]
    meter: Meter

    def able(self, claim: Taken) -> str:
        """Say why this worker cannot make a picture; "" where it can."""
        if claim.version != cleancut.__version__:
            return f"it is for version {claim.version}, and this is {cleancut.__version__}"
        try:
            missing = [name for name in recipes.models(recipes.from_json(claim.recipe)) if not self._has(name)]
        except CleancutError:
            return ""  # that it does not fit is said when it is made
        return f"it wants the model {missing[0]}" if missing else ""

    def make(self, picked: Picked) -> Made:
        """Make one picture.

        Raises:
            Whatever `worked` raises.
        """
        claim = picked.claim
        here = {"service": self, "engine": self.engine, "source": picked.source}
        plain = claim.finish == PICTURE
        finish: Callable[[Cutout], Any] = kept if plain else wire.read(claim.finish, here)

        def finished(cutout: Cutout) -> Any:
            picked.tell("writing")
            return finish(cutout)

        try:
            done = worked(self._asked(picked), finished, self.load, self.limits, picked.check)
        except BadCall as error:
            if plain:
                raise
            return Made(wire.packed(wire.Raised(str(error), error.code, error.detail)), PACKED, {})
        self.meter.worked(done.stopwatch)
        spent = done.stopwatch.ms()
        self.meter.work("", claim.pixels / 1e6, spent.get("network", 0.0) / 1000)
        if isinstance(done.result, Kept):
            report = {name: value for name, value in asdict(done.result.report).items() if name != "name"}
            return Made(done.result.data, done.result.media_type, report)
        return Made(wire.packed(done.result), PACKED, {"ms": spent})

    def _has(self, name: str) -> bool:
        found = self.engine.model(name)
        if self.models:
            return found.name in self.models
        return all(path_of(file).is_file() for file in found.weights.values())

    def _asked(self, picked: Picked) -> Asked:
        claim, name = picked.claim, picked.claim.source.name
        recipe = recipes.from_json(claim.recipe)
        return Asked(
            source=picked.source,
            recipe=recipe,
            assets=picked.assets,
            caller=Caller(),
            name=name,
            megapixels=claim.pixels / 1e6,
            charge=Charge(),
            line=Line(claim.owner, claim.job, picked.source, recipe, name),
            begun=lambda: picked.tell("cutting"),
        )
