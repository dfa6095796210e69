"""OpenVINO in earnest, where it is installed: pip install cleancut[openvino]."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from cleancut.errors import DeviceFailed, ModelFailed
from cleancut.models import openvino
from cleancut.models.runtime import Engine
from tests.models import protobuf as onnx

pytestmark = pytest.mark.skipif(not openvino.installed(), reason="needs OpenVINO, the extra of that name")

ZEROS = np.zeros((1, 3, 320, 320), np.float32)
NOISE = np.random.default_rng(0).random((1, 3, 320, 320), np.float32) * 2 - 1


@pytest.fixture(scope="module")
def running():
    return Engine("openvino")


def alpha(engine, name="cleancut-small", picture=NOISE):
    (answer,) = engine.load(name).network({"image": picture}).values()
    return answer


def test_it_answers_as_onnxruntime_does(running):
    loaded = running.load("cleancut-small")
    assert (loaded.provider, loaded.precision) == ("openvino", "fp32")
    assert np.abs(alpha(running) - alpha(Engine("cpu"))).max() < 0.1 / 255


def test_an_answer_is_the_callers_to_keep(running):
    first = alpha(running, picture=ZEROS)
    kept = first.copy()
    alpha(running)
    assert (first == kept).all()
    assert first.flags.owndata


def test_threads_take_turns_and_none_gets_anothers_answer(running):
    network, wrong = running.load("cleancut-small").network, []
    pictures = [np.full_like(ZEROS, value) for value in (-1, -0.5, 0.5, 1)]
    expected = [network({"image": picture})["alpha"] for picture in pictures]

    def work(index):
        answers = [network({"image": pictures[index]})["alpha"] for _ in range(5)]
        wrong.extend(index for answer in answers if not (answer == expected[index]).all())

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive()
    assert wrong == []


def test_the_batch_axis_is_dynamic(running):
    assert len(alpha(running, picture=np.repeat(ZEROS, 3, axis=0))) == 3


@pytest.mark.parametrize("wrong", [{"image": ZEROS[:, :, :7]}, {"image": ZEROS[0]}, {"picture": ZEROS}, {"image": "?"}])
def test_a_wrong_input_is_our_error_and_breaks_nothing(running, wrong):
    with pytest.raises(ModelFailed, match="does not take"):
        running.load("cleancut-small").network(wrong)
    assert alpha(running).shape == (1, 1, 320, 320)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a graph",
        bytes(1000),
        b"<?xml version='1.0'?><net name='x' version='11'><layers/><edges/></net>",
        onnx.like_u2netp([onnx.node("Evil", ["x"], ["y"], domain="evil")], domains=["evil"]),
    ],
    ids=["empty", "text", "zeros", "another format", "unknown operator"],
)
def test_a_file_that_is_no_graph_is_refused(tmp_path, running, data):
    path = tmp_path / "bad.onnx"
    path.write_bytes(data)
    with pytest.raises(ModelFailed, match="graph"):
        running.load(running.add(path, "u2netp"))


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_a_precision_is_had_or_refused_and_never_replaced(precision):
    """Asked for float16, a processor without it computes in bfloat16 and says nothing."""
    asked = Engine("openvino", precision=precision)
    compiled = openvino.silent_openvino()
    able = compiled.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if precision.upper() in able:
        loaded = asked.load("cleancut-small")
        assert loaded.precision == precision
        assert 0 < np.abs(alpha(asked, picture=ZEROS) - alpha(Engine("cpu"), picture=ZEROS)).mean() < 4 / 255
    else:
        with pytest.raises(DeviceFailed, match=f"does not compute in {precision}"):
            asked.load("cleancut-small")


def test_it_reports_to_nobody(tmp_path):
    """Importing OpenVINO alone writes an identifier into the home and sends an event."""
    code = """
import os, socket, sys
def refuse(*_, **__): os._exit(9)
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
import numpy
from cleancut.models.runtime import Engine
Engine("openvino").load("cleancut-small").network({"image": numpy.zeros((1, 3, 320, 320), "float32")})
assert not [name for name, module in sys.modules.items() if name.startswith("openvino_telemetry") and module]
"""
    plain = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([sys.executable, "-c", code], env=plain, check=True, timeout=60)
    assert [str(path) for path in tmp_path.rglob("*")] == []
