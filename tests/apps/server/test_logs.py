"""Log lines: JSON, one pipe, and nothing of a picture or of a caller in them."""

import io
import json
import logging
import warnings

import pytest
import structlog

from cleancut.apps.server import logs
from cleancut.apps.server.trail import Trail, follow
from cleancut.errors import BadSetting, NotAPicture, NotDownloaded

NAMES = ("", "cleancut", "uvicorn", "uvicorn.error", "uvicorn.access", "python_multipart", "httpx", "py.warnings")


@pytest.fixture
def lines():
    """Start the logs on a stream of our own; put everything back after."""
    loggers = [logging.getLogger(name) for name in NAMES]
    before = [(one.level, list(one.handlers), list(one.filters), one.propagate) for one in loggers]
    shown = warnings.showwarning
    stream = io.StringIO()
    logs.start("info", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.captureWarnings(False)
    warnings.showwarning = shown
    structlog.reset_defaults()
    for one, (level, handlers, filters, propagate) in zip(loggers, before, strict=True):
        one.setLevel(level)
        one.handlers, one.filters, one.propagate = handlers, filters, propagate


def test_our_lines_and_uvicorns_are_json_with_the_request_id(lines):
    with follow(Trail("r17")):
        logs.logger("request").info("request", status=200)
        logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    logging.getLogger("uvicorn.error").info("Started server process [%d]", 7)
    ours, theirs, later = lines()
    assert (ours["event"], ours["status"], ours["level"], ours["logger"]) == (
        "request",
        200,
        "info",
        "cleancut.request",
    )
    assert (ours["request_id"], theirs["request_id"]) == ("r17", "r17")
    assert ours["time"].endswith("Z")
    assert later["event"] == "Started server process [7]"
    assert "request_id" not in later


def test_lines_that_quote_addresses_are_not_written(lines):
    logging.getLogger("uvicorn.access").info('%s - "GET /v1/cut?token=%s"', "192.0.2.1", "secret")
    logging.getLogger("uvicorn.error").info('%s - "WebSocket %s" 403', "192.0.2.1", "/x?secret")
    logging.getLogger("httpx").info("HTTP Request: GET https://pictures.example/secret")
    logging.getLogger("python_multipart").warning("Did not find boundary character")
    assert lines() == []


def test_a_forged_line_stays_within_one(lines):
    logs.logger("x").info('one\n{"event": "forged"}')
    (line,) = lines()
    assert line["event"].startswith("one\n")


@pytest.mark.parametrize("say", [lambda: logs.logger("x").exception("failed"),
                                 lambda: logging.getLogger("uvicorn.error").exception("failed")])  # fmt: skip
def test_a_traceback_keeps_its_places_and_loses_its_words(lines, say):
    try:
        try:
            int("photo of mum.jpg")
        except ValueError as error:
            raise RuntimeError("holiday.jpg is broken") from error
    except RuntimeError:
        say()
    (line,) = lines()
    assert line["error"] == ["RuntimeError", "ValueError"]
    assert any("test_logs.py" in place and "loses_its_words" in place for place in line["places"])
    assert "jpg" not in json.dumps(line)


def test_an_exception_that_was_never_raised_is_told_by_its_cause(lines):
    outer = RuntimeError("x")
    try:
        [].pop()
    except IndexError as error:
        outer.__cause__ = error
    logging.getLogger("cleancut.server").error("Broken", exc_info=outer)
    assert lines()[0]["error"] == ["RuntimeError", "IndexError"]
    assert lines()[0]["places"]


def test_what_the_operator_must_mend_is_told_in_words(lines):
    for error in (
        NotDownloaded("The weights of u2net are not here; pull them."),
        NotAPicture("mum.jpg is no picture."),
    ):
        logs.logger("x").error("failed", exc_info=error)
    weights, picture = lines()
    assert weights["told"] == "The weights of u2net are not here; pull them."
    assert "mum.jpg" not in json.dumps(picture)


def test_warnings_go_through_the_same_pipe(lines):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("this will change", FutureWarning, stacklevel=1)
    (line,) = lines()
    assert line["logger"] == "py.warnings"
    assert "this will change" in line["event"]


def test_starting_twice_writes_each_line_once(lines):
    stream = io.StringIO()
    logs.start("warning", stream)
    logs.logger("x").info("hidden")
    logs.logger("x").warning("shown")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["shown"]
    assert lines() == []


def test_a_level_that_is_none_is_refused():
    with pytest.raises(BadSetting, match="debug, info, warning, error"):
        logs.start("loud")
