"""`cleancut worker`: does the work that `cleancut serve --queue` hands over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

import cleancut
from cleancut.errors import BadSetting
from cleancut.limits import ServiceLimits, processors
from cleancut.models.devices import PRECISIONS
from cleancut.types import Recipe

if TYPE_CHECKING:
    from cleancut.apps.queue.run import Worker


@click.command()
@click.option("--queue", metavar="URL", envvar="CLEANCUT_QUEUE", help="Redis of the queue, redis://HOST:6379/0.")
@click.option(
    "--queue-storage",
    "storage",
    metavar="DIR|URL",
    envvar="CLEANCUT_QUEUE_STORAGE",
    help="Where its pictures lie, a folder or s3://…; the same as the service's.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 256),
    metavar="N",
    envvar="CLEANCUT_CONCURRENCY",
    help="Pictures made at once. [processors]",
)
@click.option(
    "-m",
    "--model",
    "models",
    multiple=True,
    metavar="NAME",
    envvar="CLEANCUT_SERVE_MODELS",
    help="Model to load at the start; repeat for more. Pictures that want another are left to other workers. By "
    "default all that are on this machine.",
)
@click.option("--device", default="auto", metavar="NAME", envvar="CLEANCUT_DEVICE", help="Device to run on. [auto]")
@click.option(
    "--precision",
    type=click.Choice(PRECISIONS),
    default="auto",
    envvar="CLEANCUT_PRECISION",
    help="Arithmetic of the network. [auto]",
)
@click.option("--threads", type=click.IntRange(1), metavar="N", help="Threads of one network. [its share]")
@click.option(
    "--host", default="127.0.0.1", metavar="TEXT", envvar="CLEANCUT_HOST", help="Address of its health. [127.0.0.1]"
)
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=7001,
    metavar="N",
    envvar="CLEANCUT_PORT",
    help="Port of /health/live, /health/ready and /metrics; 0 is one that is free. [7001]",
)
def worker(**given: Any) -> int:
    """Take pictures from a queue and cut them out, until SIGTERM.

    What is begun is finished within CLEANCUT_DRAIN_SECONDS, or given back. The limits are those of cleancut serve and
    are read from the same variables.
    """
    ready = _made(**given)
    from cleancut.apps.server import logs, memory  # noqa: PLC0415 - a missing extra was told by now

    memory.few_arenas()
    logs.start()
    ready.catch_signals()
    click.echo(f"cleancut {cleancut.__version__} works; its health is at {ready.health.address}", err=True)
    ready.run(_listed(given["models"]) or [Recipe().model])
    return 0


def _made(
    queue: str | None,
    storage: str | None,
    concurrency: int | None,
    models: Sequence[str],
    device: str,
    precision: str,
    threads: int | None,
    host: str,
    port: int,
) -> Worker:
    """Make a worker of what was asked.

    Raises:
        BadSetting: something does not fit, or an extra is not installed.
        UnknownModel: there is no such model.
    """
    try:
        from cleancut.apps.queue.place import Place, stated  # noqa: PLC0415
        from cleancut.apps.queue.run import Worker  # noqa: PLC0415
    except ModuleNotFoundError as error:
        needed = 'pip install "cleancut[server,queue]"'
        raise BadSetting(f"A worker needs the package {error.name}: {needed}") from error
    from cleancut.models.runtime import Engine  # noqa: PLC0415

    limits = ServiceLimits.from_env()
    at_once = concurrency or processors()
    place = Place(stated(queue), storage, limits)
    engine = Engine(device, limits.loaded_bytes, threads or max(1, processors() // at_once), precision)
    named = [engine.model(name).name for name in _listed(models)]
    return Worker(place, engine, engine.load, named, limits, at_once, host, port)


def _listed(models: Sequence[str]) -> list[str]:
    """Read names as flags and a variable give them: one each, or with commas between them."""
    return [name.strip() for text in models for name in text.split(",") if name.strip()]
