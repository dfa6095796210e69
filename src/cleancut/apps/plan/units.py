"""What one picture costs, by model and size, as it was measured on a machine that is named.

>>> units = read_units()
>>> cost = units.cost("cleancut-small", "auto", 8.0)
>>> cost.bytes_out > cost.bytes_in
True
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cleancut.errors import BadSetting

FILE = Path(__file__).with_name("units.toml")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one picture costs a process that is warm.

    Attributes:
        megapixels: of the picture.
        cpu_seconds: of all threads together.
        seconds: from the bytes to the result's bytes, with nothing else running.
        bytes_in, bytes_out: sizes of the picture (JPEG) and the result (PNG).
        idle_bytes: memory of a process with the network loaded.
        peak_bytes: memory of that process at its most, with one picture at a time.
    """

    megapixels: float
    cpu_seconds: float
    seconds: float
    bytes_in: float
    bytes_out: float
    idle_bytes: float
    peak_bytes: float

    @property
    def worker_bytes(self) -> float:
        """Memory that one more picture at a time takes."""
        return max(self.peak_bytes - self.idle_bytes, 0.0)


@dataclass(frozen=True, slots=True)
class Units:
    """Costs by model and refinement, the smallest picture first.

    Attributes:
        machine: what they were measured on.
        costs: by (model, refinement).
    """

    machine: str
    costs: dict[tuple[str, str], tuple[Cost, ...]]

    def cost(self, model: str, refine: str, megapixels: float) -> Cost:
        """Give what a picture of any size costs, on straight lines between those that were measured.

        Raises:
            BadSetting: that model was not measured.
        """
        found = self.costs.get((model, refine))
        if not found:
            known = ", ".join(f"{name} ({way})" for name, way in self.costs)
            raise BadSetting(f"{model} ({refine}) was not measured; add --measure, or ask for one of: {known}.")
        return between(found, megapixels)

    def beyond(self, model: str, refine: str, megapixels: float) -> bool:
        """Tell whether a size lies outside those that were measured."""
        found = self.costs[model, refine]
        return not found[0].megapixels <= megapixels <= found[-1].megapixels


def between(costs: Sequence[Cost], megapixels: float) -> Cost:
    """Draw straight lines between costs, the last one on; below the smallest picture its cost is taken."""
    if len(costs) == 1 or megapixels <= costs[0].megapixels:
        return dataclasses.replace(costs[0], megapixels=megapixels)
    low, high = next(
        (pair for pair in itertools.pairwise(costs) if megapixels <= pair[1].megapixels), (costs[-2], costs[-1])
    )
    share = (megapixels - low.megapixels) / (high.megapixels - low.megapixels)
    names = [field.name for field in dataclasses.fields(Cost)]
    return Cost(**{name: _mixed(getattr(low, name), getattr(high, name), share) for name in names})


def _mixed(low: float, high: float, share: float) -> float:
    return low + (high - low) * share


@functools.cache
def read_units() -> Units:
    """Read the costs that come with this package."""
    with FILE.open("rb") as file:
        table = tomllib.load(file)
    costs: dict[tuple[str, str], list[Cost]] = {}
    for picture in table["picture"]:
        key = picture.pop("model"), picture.pop("refine")
        costs.setdefault(key, []).append(Cost(**picture))
    ordered = {key: tuple(sorted(found, key=lambda cost: cost.megapixels)) for key, found in costs.items()}
    return Units(table["machine"], ordered)
