import platform

import pytest
from click.testing import CliRunner

from cleancut.apps.serve import serve
from cleancut.apps.server import memory


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has arenas")
def test_arenas_are_few_unless_somebody_chose_another_number():
    assert not memory.few_arenas({"MALLOC_ARENA_MAX": "8"})
    assert memory.few_arenas({})


def test_a_service_starts_with_few_arenas(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(memory, "few_arenas", lambda: asked.append(True))
    keys = str(tmp_path / "keys.sqlite")  # there is no key in it, so the service goes no further
    ended = CliRunner().invoke(serve, ["--host", "192.0.2.1", "--keys-file", keys])
    assert "needs a key" in str(ended.exception)
    assert asked
