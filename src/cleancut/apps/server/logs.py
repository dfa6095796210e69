"""Log lines of JSON on stderr: ours, uvicorn's and those of every library, through one pipe.

A line says what happened, never what was in a picture: no pixels, no names of files, no keys, no query strings, no
paths of requests, no addresses. A traceback keeps its places and loses its message, which may quote what a stranger
sent; only of what whoever runs the service must mend (tables, weights, devices) is the sentence kept.
"""

from __future__ import annotations

import logging
import sys
import traceback
from pathlib import Path
from typing import IO, Any

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor

from cleancut.apps.server.trail import current
from cleancut.errors import BadSetting, BadTable, DeviceFailed, WeightsError

LEVELS = ("debug", "info", "warning", "error")

_QUIETER = {"python_multipart": logging.ERROR, "uvicorn.access": logging.CRITICAL}
"""What a stranger could fill the disk with by garbling bodies, and what writes query strings."""

_OPERATORS = (BadTable, DeviceFailed, WeightsError)
"""Errors that only whoever runs the service can mend, and whose sentences quote nothing of a caller's."""

_LONGEST = 20
"""Links of a chain of exceptions, and places of one, that a line holds."""


def start(level: str = "info", stream: IO[str] | None = None) -> None:
    """Send every log line of this process to a stream, stderr by default, as JSON.

    Libraries speak from warnings on: what they say below that quotes addresses. uvicorn must be told
    `log_config=None`, or it puts its own loggers in place of these.

    Raises:
        BadSetting: there is no such level.
    """
    if level not in LEVELS:
        raise BadSetting(f"The log level is one of {', '.join(LEVELS)}, not {level!r}.")
    pipe = logging.StreamHandler(stream or sys.stderr)
    pipe.setFormatter(ProcessorFormatter(processors=_written(), foreign_pre_chain=_noted()))
    root = logging.getLogger()
    root.handlers = [pipe]
    root.setLevel(logging.WARNING)
    for name in ("cleancut", "uvicorn"):
        logging.getLogger(name).setLevel(level.upper())
    for name, least in _QUIETER.items():
        logging.getLogger(name).setLevel(least)
    told_by_uvicorn = logging.getLogger("uvicorn.error")
    if _no_websockets not in told_by_uvicorn.filters:
        told_by_uvicorn.addFilter(_no_websockets)
    logging.captureWarnings(True)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *_noted(), ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def logger(name: str) -> Any:
    """Give a logger of structlog below `cleancut`: `logger("request").info("answered", status=200)`."""
    return structlog.stdlib.get_logger(f"cleancut.{name}")


def _noted() -> list[Processor]:
    """What is done to an event where it happens."""
    return [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _with_request_id,
    ]


def _written() -> list[Processor]:
    """What is done to an event where it is written."""
    return [ProcessorFormatter.remove_processors_meta, _with_places, structlog.processors.JSONRenderer()]


def _with_request_id(logger: Any, method: str, event: EventDict) -> EventDict:
    if trail := current():
        event.setdefault("request_id", trail.request_id)
    return event


def _with_places(logger: Any, method: str, event: EventDict) -> EventDict:
    """Put the kinds and the places of an exception in place of its traceback."""
    found = event.pop("exc_info", None)
    error = sys.exc_info()[1] if found is True else found[1] if isinstance(found, tuple) else found
    if not isinstance(error, BaseException):
        return event
    chain = _chain(error)
    event["error"] = [type(link).__name__ for link in chain]
    if told := [str(link) for link in chain if isinstance(link, _OPERATORS)]:
        event["told"] = told[0]
    event["places"] = next((places for link in reversed(chain) if (places := _places(link))), [])
    return event


def _chain(error: BaseException | None) -> list[BaseException]:
    """Give an exception and what it came from, the first cause last."""
    chain: list[BaseException] = []
    while error is not None and len(chain) < _LONGEST:
        chain.append(error)
        error = error.__cause__ or error.__context__
    return chain


def _places(error: BaseException) -> list[str]:
    """Name the lines an exception came through, without what stands in them."""
    frames = traceback.extract_tb(error.__traceback__)[-_LONGEST:]
    return [f"{'/'.join(Path(frame.filename).parts[-2:])}:{frame.lineno} {frame.name}" for frame in frames]


def _no_websockets(record: logging.LogRecord) -> bool:
    """Drop what uvicorn says of WebSockets, of which there are none: it quotes address, path and query."""
    return "WebSocket" not in str(record.msg)
