"""The service: the same road over HTTP. Nothing here is imported before a service is made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cleancut.errors import BadSetting

if TYPE_CHECKING:
    from fastapi import FastAPI

    from cleancut.apps.server.settings import Flag, Settings


def create_app(settings: Settings | None = None) -> FastAPI:
    """Make the service as an ASGI application; by default with the settings of the environment.

    Raises:
        BadSetting: a setting does not fit, or the extra `server` is not installed.
    """
    with _told():
        from cleancut.apps.server.app import assembled  # noqa: PLC0415 - the package stays light

        return assembled(settings)


def settings_of(**given: Any) -> Settings:
    """Take settings from the arguments, else from the environment, else their defaults.

    Raises:
        BadSetting: one does not fit, or the extra `server` is not installed.
    """
    with _told():
        from cleancut.apps.server.settings import read_settings  # noqa: PLC0415

        return read_settings(**given)


def flags_of() -> list[Flag]:
    """List the settings as a command line offers them.

    Raises:
        BadSetting: the extra `server` is not installed.
    """
    with _told():
        from cleancut.apps.server.settings import flags  # noqa: PLC0415

        return flags()


@contextmanager
def _told() -> Iterator[None]:
    """Say how to get what is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        need = 'pip install "cleancut[server]"'
        raise BadSetting(f"The service needs the package {error.name}: {need}") from error
