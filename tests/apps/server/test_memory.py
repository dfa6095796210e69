import sys

import pytest

from cleancut.apps.server.memory import few_arenas


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc has arenas")
def test_arenas_are_few_unless_somebody_chose_another_number():
    assert not few_arenas({"MALLOC_ARENA_MAX": "8"})
    assert few_arenas({})


def test_a_service_starts_with_few_arenas(monkeypatch):
    from cleancut.apps.server import memory

    asked = []
    monkeypatch.setattr(memory, "few_arenas", lambda: asked.append(True))
    from click.testing import CliRunner

    from cleancut.apps.serve import serve

    CliRunner().invoke(serve, ["--host", "256.0.0.1"])
    assert asked
