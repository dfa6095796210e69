"""Ray, silent: nothing is told to its makers, and nothing printed between our lines."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from cleancut.errors import BadInput, BadSetting, ClusterFailed
from cleancut.pictures.files import shown

_SILENT = {
    "RAY_USAGE_STATS_ENABLED": "0",  # it would report to its makers from a process of its own
    "RAY_USAGE_STATS_PROMPT_ENABLED": "0",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",  # it would copy the folder that a command was started in to every node
}

_SECONDS = 10
"""For a cluster's head to take a connection."""


def silent_ray() -> ModuleType:
    """Import Ray with its reports switched off, which must be done before; the only place that imports it.

    Raises:
        BadInput: it is not installed.
    """
    os.environ.update({name: value for name, value in _SILENT.items() if name not in os.environ})
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if importlib.util.find_spec("ray") is None:
        raise BadInput('Work on a cluster needs more packages; run: pip install "cleancut[ray]"')
    return importlib.import_module("ray")


@contextmanager
def connected(address: str | None = None) -> Iterator[ModuleType]:
    """Join a Ray cluster; without an address one of this machine alone is started, and ended again.

    Where this process has joined one already, that one is used and left as it is.

    Args:
        address: of the head's port, such as "10.0.0.5:6379"; "auto" is the one that runs on this machine.

    Raises:
        BadInput: Ray is not installed, or that is no address.
        ClusterFailed: no cluster answers there, or none can be started.
    """
    ray = silent_ray()
    if ray.is_initialized():
        yield ray
        return
    if address not in (None, "auto"):
        _check_there(str(address))
    own = {"include_dashboard": False} if address is None else {}
    try:
        ray.init(
            address=address or "local", namespace="cleancut", log_to_driver=False, logging_level=logging.ERROR, **own
        )
    except Exception as error:  # Ray raises errors of sockets, of its own, of values, and RuntimeError
        where = "started on this machine" if address is None else f"joined at {address[:200]!r}"
        said = "".join(filter(str.isprintable, str(error).strip().partition("\n")[0]))[:300]
        raise ClusterFailed(f"No Ray cluster could be {where}: {said or type(error).__name__}") from error
    # Ray prints to stdout that a node has died, whatever it is told of logs; results go there.
    vars(importlib.import_module("ray._private.worker"))["_worker_logs_enabled"] = False
    try:
        yield ray
    finally:
        ray.shutdown()


def _check_there(address: str) -> None:
    """Refuse an address at which nobody listens: Ray would print for a minute, and then end this process.

    Raises:
        BadSetting: it is no address.
        ClusterFailed: nobody listens.
    """
    host, _, port = address.rpartition(":")
    if not host or not re.fullmatch("[0-9]{1,5}", port):
        raise BadSetting("Name the cluster by its head's address and port, such as 10.0.0.5:6379, or auto.")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_SECONDS):
            return
    except (OSError, OverflowError, UnicodeError):
        raise ClusterFailed(f"No Ray cluster answers at {shown(address)}; is it running there?") from None
