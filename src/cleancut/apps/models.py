"""`cleancut models`: what there is, and getting, proving, finding and accepting it."""

from __future__ import annotations

from typing import Any

import click


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def models(ctx: click.Context, as_json: bool) -> int:
    """List the models that -m takes; get, check, find and accept them."""
    from cleancut.apps.listing import show_models  # noqa: PLC0415 - each command loads only what it needs

    return 0 if ctx.invoked_subcommand else show_models(as_json)


@models.result_callback()
def _code(code: int, **_: Any) -> int:
    """Hand on the exit code of the command that ran."""
    return code


@models.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME…")
@click.option("--mirror", metavar="URL", help="Folder of weights to ask instead of the publisher. [$CLEANCUT_MIRROR]")
def pull(names: tuple[str, ...], mirror: str | None) -> int:
    """Download weights, or go on where a download was cut. Prints their paths."""
    from cleancut.apps.pulling import pull_models  # noqa: PLC0415

    return pull_models(names, mirror)


@models.command()
@click.argument("names", nargs=-1, metavar="[NAME…]")
def verify(names: tuple[str, ...]) -> int:
    """Hash weights that are here and compare them with their tables; by default all of them."""
    from cleancut.apps.pulling import verify_models  # noqa: PLC0415

    return verify_models(names)


@models.command()
@click.argument("name", metavar="NAME")
def path(name: str) -> int:
    """Print where a model's weights are, or belong."""
    from cleancut.apps.pulling import show_paths  # noqa: PLC0415

    return show_paths(name)


@models.command()
@click.argument("name", metavar="NAME")
def accept(name: str) -> int:
    """Accept the licence of a model that may not be used commercially, so that it runs."""
    from cleancut.apps.pulling import accept_license  # noqa: PLC0415

    return accept_license(name)
