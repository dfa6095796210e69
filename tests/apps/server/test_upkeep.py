import threading

from cleancut.apps.server import memory, upkeep
from tests.apps.server.conftest import SECONDS, serving


def test_a_service_forgets_and_gives_memory_back_though_nobody_asks(monkeypatch):
    given, forgotten = threading.Event(), threading.Event()

    async def forget():
        forgotten.set()

    monkeypatch.setattr(upkeep, "SECONDS", 0.01)
    monkeypatch.setattr(memory, "give_back", given.set)
    with serving() as client:
        monkeypatch.setattr(client.service.cache, "forget", forget)
        assert given.wait(SECONDS) and forgotten.wait(SECONDS)
