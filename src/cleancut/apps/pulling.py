"""The commands of `cleancut models`: download, verify, find, accept."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from cleancut.errors import CleancutError, WeightsError
from cleancut.models import licenses
from cleancut.models.download import Progress, pull
from cleancut.models.registry import Model, registry
from cleancut.models.weights import path_of, state


def pull_models(names: tuple[str, ...], mirror: str | None) -> int:
    """Download each model that can be; give the exit code of the first that could not."""
    wanted = [registry()[name] for name in names]  # a name that is wrong is told before any download
    code = 0
    for model in wanted:
        try:
            with _progress() as progress:
                paths = pull(model, progress=progress, waiting=_waiting, mirror=mirror)
        except CleancutError as error:
            code = code or error.exit_code
            click.echo(f"cleancut: {error}", err=True)
            continue
        for path in paths:
            click.echo(str(path))
        _tell_of_none(model)
        if not licenses.accepted(model):
            click.echo(f"{model} runs after: cleancut models accept {model.name} ({model.license})", err=True)
    return code


def _tell_of_none(model: Model) -> None:
    if not model.weights:
        click.echo(f"{model} has no weights; it runs as it is.", err=True)


def _waiting(file: str) -> None:
    click.echo(f"{file}: another process is downloading it; waiting.", err=True)


@contextmanager
def _progress() -> Iterator[Progress]:
    """Give what shows how far a download is: a bar on a terminal, a line every tenth in a pipe."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich import progress as rich  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415

    columns = (rich.TextColumn("{task.description}", markup=False), rich.BarColumn(), rich.DownloadColumn(),
               rich.TransferSpeedColumn(), rich.TimeRemainingColumn())  # fmt: skip
    with rich.Progress(*columns, console=Console(stderr=True), redirect_stdout=False, transient=True) as bar:
        tasks: dict[str, rich.TaskID] = {}

        def show(file: str, here: int, size: int | None) -> None:
            if file not in tasks:
                tasks[file] = bar.add_task(file)
            bar.update(tasks[file], completed=here, total=size)

        yield show


class _Lines:
    """One line a tenth, so that a log of a download is short."""

    def __init__(self) -> None:
        self._told: dict[str, int] = {}

    def __call__(self, file: str, here: int, size: int | None) -> None:
        step = here * 10 // size if size else here // 100_000_000
        if self._told.get(file) == step:
            return
        self._told[file] = step
        whole = f" of {size / 1e6:.1f}" if size else ""
        click.echo(f"{file}: {here / 1e6:.1f}{whole} MB", err=True)


def verify_models(names: tuple[str, ...]) -> int:
    """Hash what is here; give the exit code of weights where one is wrong, or was named and is not here."""
    code = 0
    for model in [registry()[name] for name in names] or registry().values():
        for file, found in _states(model).items():
            if found == "absent" and not names:
                continue
            click.echo(f"{found:6}  {model.name}  {file}")
            if found != "right":
                code = WeightsError.exit_code
    return code


def _states(model: Model) -> dict[Path, str]:
    return {path_of(weights): state(weights) for weights in model.weights.values()}


def show_paths(name: str) -> int:
    """Print the path of each of a model's files, there or not."""
    _tell_of_none(registry()[name])
    for weights in registry()[name].weights.values():
        path = path_of(weights)
        click.echo(str(path))
        if not path.is_file():
            click.echo(f"{path.name} is not there; cleancut models pull {registry()[name].name} gets it.", err=True)
    return 0


def accept_license(name: str) -> int:
    """Write down that a licence is accepted, and say which."""
    model = registry()[name]
    if not licenses.restricted(model):
        click.echo(f"{model} is under {model.license}; there is nothing to accept.")
        return 0
    licenses.accept(model)
    where = f" ({model.source})" if model.source else ""
    click.echo(f"Accepted: {model} under {model.license}{where}, which does not allow commercial use.")
    return 0
