import platform

import psutil
import pytest
from click.testing import CliRunner

from cleancut.apps.serve import serve
from cleancut.apps.server import memory


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has arenas")
def test_arenas_are_few_unless_somebody_chose_another_number():
    assert not memory.few_arenas({"MALLOC_ARENA_MAX": "8"})
    assert memory.few_arenas({})


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps what is freed")
def test_what_was_freed_between_used_blocks_is_given_back():
    own = psutil.Process()
    blocks = [bytes(50_000) for _ in range(2_000)]  # too small for a mapping of their own
    del blocks[:-1]  # the last holds the others' pages in the heap
    before = own.memory_info().rss
    assert memory.give_back()
    assert own.memory_info().rss < before - 50_000_000


def test_a_service_starts_with_few_arenas(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(memory, "few_arenas", lambda: asked.append(True))
    keys = str(tmp_path / "keys.sqlite")  # there is no key in it, so the service goes no further
    ended = CliRunner().invoke(serve, ["--host", "192.0.2.1", "--keys-file", keys])
    assert "needs a key" in str(ended.exception)
    assert asked
