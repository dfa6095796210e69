"""Tests see no settings, weights or tables of whoever runs them."""

import os
import tempfile

import pytest

_PLACES = ("CLEANCUT_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")


def pytest_configure(config: pytest.Config) -> None:
    for name in [name for name in os.environ if name.startswith("CLEANCUT_") and name != "CLEANCUT_FUZZ"]:
        del os.environ[name]
    empty = tempfile.mkdtemp(prefix="cleancut-tests-")
    os.environ.update(dict.fromkeys(_PLACES, empty))
    config.add_cleanup(lambda: os.rmdir(empty) if not os.listdir(empty) else None)
