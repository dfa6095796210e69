"""A Triton server that is slow, wrong, gone or lies: our errors, and never a wrong picture."""

import importlib.util
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from cleancut.errors import BadSetting, DeviceFailed, ModelFailed, ModelServerFailed, ModelServerSlow, NotAccepted
from cleancut.matting.pipeline import cut
from cleancut.models.devices import check
from cleancut.models.runtime import Engine, available
from cleancut.models.triton import connection
from cleancut.types import Picture
from tests.models.triton import SHA256, Liar, free_ports

ZEROS = np.zeros((1, 3, 320, 320), np.float32)
PHOTO = Picture(np.full((40, 60, 3), 90, np.uint8))

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("tritonclient") is None, reason="the extra triton is not installed"
)


@pytest.fixture
def liar():
    return Liar()


@pytest.fixture
def address(liar):
    with liar.serving() as at:
        yield at


def answer(at, picture=ZEROS, name="cleancut-small"):
    return Engine(at).load(name).network({"image": picture})["alpha"]


def test_a_report_names_the_server_the_model_and_its_version(liar, address):
    liar.versions = ["2", "10", "9"]
    report = cut(PHOTO, load=Engine(address).load).report
    assert report.provider == f"{address}/cleancut-small/10"
    assert (report.sha256, report.precision) == (SHA256, "fp32")
    assert set(liar.asked) == {"10"}


def test_an_answer_is_the_callers_to_keep(address):
    given = answer(address)
    given += 1
    assert given.shape == (1, 1, 320, 320)


def test_pictures_beyond_the_servers_batch_go_in_parts(liar, address):
    liar.most, seen = 4, []
    liar.answer = lambda image: seen.append(len(image)) or {"alpha": image[:, :1]}
    pictures = np.arange(9, dtype=np.float32)[:, None, None, None] * np.ones_like(ZEROS)
    assert (answer(address, pictures)[:, 0, 0, 0] == np.arange(9)).all()
    assert seen == [4, 4, 1]


def test_threads_share_a_connection_and_none_gets_anothers_answer(liar, address):
    liar.answer = lambda image: {"alpha": image[:, :1]}
    network, wrong = Engine(address).load("cleancut-small").network, []

    def work(number):
        for _ in range(5):
            given = network({"image": np.full_like(ZEROS, number)})["alpha"]
            wrong.extend([number] if not (given == number).all() else [])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive()
    assert wrong == []
    assert connection.connection(connection.Address("a.example")) is connection.connection(
        connection.Address("a.example")
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (np.full((1, 1, 7, 7), 0.5, np.float32), "with the shape"),
        (np.full((2, 1, 320, 320), 0.5, np.float32), "with the shape"),
        (np.full((1, 320, 320), 0.5, np.float32), "with the shape"),
        (np.full((1, 1, 320, 320), np.nan, np.float32), "no finite numbers"),
        (np.full((1, 1, 320, 320), -np.inf, np.float32), "no finite numbers"),
        (np.ones((1, 1, 320, 320), np.int32), "no finite numbers"),
    ],
    ids=["small", "two", "flat", "nan", "infinite", "whole numbers"],
)
def test_what_is_no_answer_is_refused(liar, address, given, said):
    liar.answer = lambda image: {"alpha": given}
    with pytest.raises(ModelFailed, match=said):
        answer(address)


def test_an_output_that_does_not_come_is_refused(liar, address):
    liar.answer = lambda image: {"beta": image[:, :1]}
    with pytest.raises(ModelFailed, match="with the shape None"):
        answer(address)


def cut_short(response):
    response.raw_output_contents[0] = response.raw_output_contents[0][:1001]


def say_more(response):
    response.outputs[0].shape[0] = 2**40


def other_version(response):
    response.model_version = "7"


def no_contents(response):
    del response.raw_output_contents[:]


def unknown_type(response):
    response.outputs[0].datatype = "FP4"


@pytest.mark.parametrize("damage", [cut_short, say_more, other_version, no_contents, unknown_type])
def test_a_damaged_answer_is_refused(liar, address, damage):
    liar.damage = damage
    with pytest.raises(ModelFailed, match="answered for cleancut-small with"):
        answer(address)


def test_an_answer_without_end_is_refused(liar, address, monkeypatch):
    monkeypatch.setattr(connection, "_OPTIONS", [("grpc.max_receive_message_length", 100_000)])
    connection._connection.cache_clear()
    with pytest.raises(ModelFailed, match="answers for cleancut-small with more than"):
        answer(address)
    connection._connection.cache_clear()


def test_a_slow_server_is_waited_for_as_long_as_was_said(liar, address):
    network = Engine(f"{address}?timeout=0.5").load("cleancut-small").network
    liar.seconds = 2
    with pytest.raises(ModelServerSlow, match=r"did not run cleancut-small within 0\.5 s"):
        network({"image": ZEROS})
    assert len(liar.asked) == 1


def test_a_server_that_is_away_for_a_moment_is_asked_again(liar, address):
    import grpc

    network = Engine(address).load("cleancut-small").network
    liar.failures = [grpc.StatusCode.UNAVAILABLE] * 2
    assert network({"image": ZEROS})["alpha"].shape == (1, 1, 320, 320)
    assert len(liar.asked) == 3


def test_tries_are_bounded(liar, address):
    import grpc

    network = Engine(f"{address}?tries=2").load("cleancut-small").network
    liar.failures = [grpc.StatusCode.UNAVAILABLE] * 9
    with pytest.raises(ModelServerFailed, match="is away, too busy"):
        network({"image": ZEROS})
    assert len(liar.asked) == 2


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        ("INTERNAL", ModelServerFailed, r"failed while it ran cleancut-small \(internal\)"),
        ("INVALID_ARGUMENT", ModelFailed, "refuses what cleancut-small is given"),
        ("UNAUTHENTICATED", ModelServerFailed, "failed while it ran"),
    ],
)
def test_what_cannot_be_mended_is_not_tried_again(liar, address, status, kind, said):
    import grpc

    network = Engine(address).load("cleancut-small").network
    liar.failures = [grpc.StatusCode[status]]
    with pytest.raises(kind, match=said):
        network({"image": ZEROS})
    assert len(liar.asked) == 1


def test_a_version_that_is_gone_is_looked_for_anew_next_time(liar, address):
    import grpc

    engine = Engine(address)
    assert engine.load("cleancut-small") is engine.load("cleancut-small")
    liar.failures, liar.versions = [grpc.StatusCode.NOT_FOUND], ["2"]
    with pytest.raises(ModelServerFailed):
        engine.load("cleancut-small").network({"image": ZEROS})
    assert engine.load("cleancut-small").provider.endswith("/cleancut-small/2")


def test_other_weights_are_refused(liar, address):
    liar.sha256 = "0" * 64
    with pytest.raises(ModelFailed, match="other weights than its table names"):
        answer(address)
    assert liar.asked == []


@pytest.mark.parametrize("what", [{"sha256": None}, {"version": "3"}])
def test_a_server_that_does_not_say_what_it_serves_is_refused(liar, address, what):
    vars(liar).update(what)
    with pytest.raises(ModelFailed, match="does not say which weights version 1"):
        answer(address)


@pytest.mark.parametrize(
    "what",
    [
        {"inputs": {"image": (3, 512, 512)}},
        {"inputs": {}},
        {"outputs": {}},
        {"inputs": {"image": (3, 320, 320), "more": (1,)}},
    ],
    ids=["size", "no input", "no output", "more inputs"],
)
def test_a_server_with_another_graph_is_refused(liar, address, what):
    vars(liar).update(what)
    with pytest.raises(ModelFailed, match="does not have|does not take what its table says"):
        answer(address)


@pytest.mark.parametrize("versions", [[], ["newest"], ["-1"], ["9" * 5000]])
def test_a_server_with_no_version_ready_is_an_error(liar, address, versions):
    liar.versions = versions
    with pytest.raises(ModelServerFailed, match="no version of it is ready"):
        answer(address)


def test_the_precision_is_the_servers_own(liar, address):
    liar.precision = "FP16"
    assert Engine(address).load("cleancut-small").precision == "fp16"
    with pytest.raises(DeviceFailed, match="computes in fp16; leave the precision to the server"):
        Engine(address, precision="fp32").load("cleancut-small")


def test_a_licence_that_was_not_accepted_is_not_got_round(address, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with pytest.raises(NotAccepted):
        Engine(address).load("bria-rmbg")


def test_what_needs_no_network_asks_nobody(liar, address):
    assert cut(PHOTO, load=Engine(address).load, recipe=None).provider != "cpu"
    asked = len(liar.asked)
    assert Engine(address).load("key").provider == "cpu"
    assert len(liar.asked) == asked


def test_a_server_that_is_not_there_is_an_error_that_strangers_do_not_see():
    (port,) = free_ports(1)
    with pytest.raises(
        ModelServerFailed, match=rf"^The Triton server at triton://127\.0\.0\.1:{port} is away"
    ) as failed:
        answer(f"triton://127.0.0.1:{port}?tries=1")
    assert str(port) not in failed.value.public
    assert (failed.value.http_status, failed.value.exit_code) == (503, 1)


def test_without_the_extra_the_error_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "tritonclient.grpc", None)
    connection._connection.cache_clear()
    with pytest.raises(DeviceFailed, match=r'pip install "cleancut\[triton\]"'):
        answer("triton://127.0.0.1:1?timeout=1")


@pytest.mark.parametrize(
    "wrong",
    ["triton://", "triton://:8001", "triton://a:0", "triton://a:99999", "triton://a:x", "triton://user:secret@a:1",
     "triton://a/path", "triton://a#x", "triton://a b", "triton://a\n", "triton://[::1", "triton://-a",
     "triton://a?timeout", "triton://a?" + "x=1&" * 50],
)  # fmt: skip
def test_a_wrong_address_is_refused_and_not_repeated(wrong):
    with pytest.raises(BadSetting, match="no address of a Triton server|takes timeout and tries") as failed:
        check(wrong, "auto")
    assert "secret" not in str(failed.value)


@pytest.mark.parametrize("query", ["timeout=0", "timeout=nan", "timeout=inf", "timeout=1e9", "tries=0", "tries=2.5",
                                   "tries=99", "tries=", "retries=1"])  # fmt: skip
def test_a_wrong_setting_is_refused(query):
    with pytest.raises(BadSetting, match="must be from|takes timeout and tries"):
        check(f"triton://a?{query}", "auto")


def test_a_server_needs_an_address_and_is_never_automatic():
    with pytest.raises(DeviceFailed, match="Say where the Triton server is"):
        check("triton", "auto")
    assert check("tritons://gpu.example", "auto") == ("triton", 0)
    assert "triton" in available()
    assert Engine("auto").load("cleancut-small").provider != "triton"


def test_a_process_ends_in_silence_and_the_command_fails_in_one_sentence(tmp_path):
    from PIL import Image

    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
    (port,) = free_ports(1)
    device = f"triton://127.0.0.1:{port}?tries=1"
    command = [sys.executable, "-m", "cleancut", str(tmp_path / "a.png"), "--device", device]
    done = subprocess.run(command, capture_output=True, text=True, env={"PATH": os.environ["PATH"]}, timeout=120)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("cleancut: The Triton server at")
    assert list(tmp_path.iterdir()) == [tmp_path / "a.png"]
