import threading
import time

import pytest

from cleancut.models.locks import locked


def test_one_at_a_time(tmp_path):
    path, inside, most = tmp_path / "lock", [], []

    def work():
        for _ in range(20):
            with locked(path):
                inside.append(1)
                most.append(len(inside))
                time.sleep(0.0005)  # lets the others try
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1
    assert len(most) == 120
    assert not path.exists()


def test_who_waits_is_told_once(tmp_path):
    told, done = [], threading.Event()

    def second():
        with locked(tmp_path / "lock", lambda: told.append(1)):
            done.set()

    thread = threading.Thread(target=second)
    with locked(tmp_path / "lock"):
        thread.start()
        while not told:
            time.sleep(0.001)
        assert not done.is_set()
    thread.join()
    assert told == [1]


def test_a_lock_is_given_back_when_the_work_fails(tmp_path):
    entered, waited = [], []
    for turn in range(2):
        with pytest.raises(KeyError), locked(tmp_path / "lock", lambda: waited.append(True)):
            entered.append(turn)
            raise KeyError
    assert entered == [0, 1]
    assert not waited
