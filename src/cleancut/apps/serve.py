"""`cleancut serve`: the service on this machine."""

from __future__ import annotations

from contextlib import closing
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import click

import cleancut
from cleancut.errors import BadSetting
from cleancut.limits import ServiceLimits

if TYPE_CHECKING:
    from cleancut.apps.server.settings import Settings

_LIMITS = fields(ServiceLimits)
_SHORT = {"model": "-m"}


class _Flags(click.Command):
    """A command whose flags are the service's settings and limits; they are read when they are asked for."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Give every flag: the settings', which no other command should wait for, and the limits'."""
        from cleancut.apps.server import flags_of  # noqa: PLC0415 - it loads a library of settings

        limits = [
            _flag(limit.name, limit.metadata["doc"], f"{limit.default:,}", click.IntRange(1)) for limit in _LIMITS
        ]
        settings = [_flag(flag.name, flag.doc, flag.default, flag.type) for flag in flags_of()]
        return [*settings, *limits, *super().get_params(ctx)]


def _flag(name: str, doc: str, default: str | None, kind: click.ParamType[Any] | None) -> click.Option:
    """Make a flag; without a type it is a switch."""
    long = f"--{name.replace('_', '-')}"
    told = doc if default is None else f"{doc} [{default}]"
    if kind is None:
        return click.Option([f"{long}/--no-{long[2:]}", name], default=None, help=told)
    names = [long, name] if name not in _SHORT else [_SHORT[name], long, name]
    metavar = None if isinstance(kind, click.Choice) else "N" if isinstance(kind, click.IntRange) else "TEXT"
    return click.Option(names, type=kind, metavar=metavar, help=told)


@click.command(cls=_Flags)
def serve(**given: Any) -> int:
    """Serve over HTTP: our API, remove.bg's and rembg's.

    Every flag is a variable too: CLEANCUT_ and its name in capitals.
    """
    from cleancut.apps.server import settings_of  # noqa: PLC0415

    stated = {name: value for name, value in given.items() if value is not None}
    limits = {limit.name: stated.pop(limit.name) for limit in _LIMITS if limit.name in stated}
    return run(settings_of(limits=replace(ServiceLimits.from_env(), **limits), **stated))


def run(settings: Settings) -> int:
    """Serve until a signal ends it.

    Raises:
        BadSetting: the address is not free, or nobody could come in.
    """
    from cleancut.apps.server import create_app  # noqa: PLC0415

    app = create_app(settings)
    from cleancut.apps.server import logs, memory, running  # noqa: PLC0415 - a missing extra was told by now

    memory.few_arenas()
    _check_open(settings)
    listener = running.listening(settings.host, settings.port)
    logs.start(settings.log_level)
    click.echo(f"cleancut {cleancut.__version__} serves {running.address(listener)} (Ctrl-C ends it)", err=True)
    running.server(app, settings).run(sockets=[listener])
    return 0


def _check_open(settings: Settings) -> None:
    """Refuse to serve by keys where there are none: either nobody could come in, or strangers were meant to.

    Raises:
        BadSetting: there are none.
    """
    from cleancut.apps.keys.store import KeyStore  # noqa: PLC0415
    from cleancut.apps.server.access import keys_file, manner  # noqa: PLC0415

    if manner(settings) != "keys":
        return
    with closing(KeyStore(keys_file(settings))) as store:
        if not store.all():
            raise BadSetting(
                f"Whoever reaches {settings.host} needs a key, and there is none: make one with cleancut keys create, "
                "or let everybody in with --public."
            )
