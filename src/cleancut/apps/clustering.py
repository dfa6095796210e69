"""Flags of a batch that a Ray cluster does, and the cluster that they ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from cleancut.apps.ranges import Number
from cleancut.errors import BadSetting

if TYPE_CHECKING:
    from cleancut.jobs.batch.nouns import Plan
    from cleancut.jobs.batch.run import Cut
    from cleancut.models.runtime import Engine

Command = Callable[..., Any]

_FLAGS = (
    click.option("--engine", type=click.Choice(["local", "ray"]), default="local",
                 help="Who cuts: this process, or a Ray cluster. [local]"),
    click.option("--address", metavar="HOST:PORT",
                 help="With --engine ray: the cluster's head, or auto. [one of this machine alone, started for it]"),
    click.option("--cpus", type=Number(0.1, 1024), default=1.0, metavar="N",
                 help="With --engine ray: processors a worker. [1]"),
    click.option("--gpus", type=Number(0, 64), default=0.0, metavar="N",
                 help="With --engine ray: cards a worker; 0.25 puts four on one. [0]"),
    click.option("--worker-memory", type=click.IntRange(0), default=0, metavar="MB",
                 help="With --engine ray: memory a worker, for Ray to count. [not counted]"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cluster:
    """What the flags ask for; `remote` tells whether it is a cluster at all."""

    remote: bool
    address: str | None
    cpus: float
    gpus: float
    memory: int
    device: str
    precision: str

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Cluster:
        """Read a command's flags.

        Raises:
            BadSetting: one goes with --engine ray only, or a model is a file of this machine.
        """
        remote = given["engine"] == "ray"
        if not remote and (given["address"] or given["gpus"] or given["worker_memory"]):
            raise BadSetting("--address, --gpus and --worker-memory go with --engine ray.")
        if remote and given["like"]:
            raise BadSetting("A file is on this machine only; put its table into models.toml on every node (-m NAME).")
        memory = given["worker_memory"] * 1_000_000
        return cls(remote, given["address"], given["cpus"], given["gpus"], memory, given["device"], given["precision"])

    def engine(self, threads: int) -> Engine:
        """Make the engine of this process; for a cluster it only tells which weights there are, on any machine."""
        from cleancut.models.runtime import Engine  # noqa: PLC0415 - the flags are stated before anything is loaded

        if self.remote:
            return Engine("cpu", threads=threads)
        return Engine(self.device, threads=threads, precision=self.precision)

    @contextmanager
    def cutting(self, plan: Plan) -> Iterator[tuple[Cut, int]]:
        """Give what cuts pictures, and how many it cuts at once; 0 where the plan says so itself.

        Raises:
            ClusterFailed, BadInput: there is no cluster.
            BadSetting: it has no room for a worker.
        """
        from cleancut.jobs.batch.work import work  # noqa: PLC0415

        if not self.remote:
            yield work, plan.workers
            return
        from cleancut.jobs.cluster.connect import connected  # noqa: PLC0415 - Ray is heavy, and seldom there
        from cleancut.jobs.cluster.pool import Pool  # noqa: PLC0415
        from cleancut.jobs.cluster.worker import Share  # noqa: PLC0415
        from cleancut.matting import recipe as recipes  # noqa: PLC0415

        models = [name for recipe in plan.variants.values() for name in recipes.models(recipes.checked(recipe))]
        share = Share(self.device, self.precision, self.cpus, self.gpus, self.memory)
        with connected(self.address) as ray:
            pool = Pool(ray, share, plan.workers, list(dict.fromkeys(models)))
            try:
                yield pool.cut, pool.count
            finally:
                pool.close()


def cluster_options(command: Command) -> Command:
    """Give a command the flags of a cluster."""
    for flag in reversed(_FLAGS):
        command = flag(command)
    return command
