import dataclasses
import errno
import importlib.util
import tempfile

import numpy as np
import pytest

from cleancut.errors import BadInput, CannotWrite, ModelFailed
from cleancut.models import quantize, sessions
from cleancut.models.devices import candidates
from cleancut.models.onefile import is_whole
from cleancut.models.registry import registry
from tests.models import protobuf as onnx
from tests.models.networks import SIZE, brightness

MODEL = dataclasses.replace(registry()["cleancut-small"], name="net")
INPUTS = np.random.default_rng(3).uniform(0, 1, (8, 1, 3, SIZE, SIZE)).astype(np.float32)
needs_onnx = pytest.mark.skipif(
    importlib.util.find_spec("onnx") is None, reason="the extra quantize (onnx) is not installed"
)


def answers(data):
    (cpu,) = candidates("cpu", "auto", ["cpu"])
    network = sessions.start(MODEL, data, cpu, 1)
    return np.stack([next(iter(network({"image": image}).values())) for image in INPUTS])


def loss_from(data):
    right = answers(data)
    return lambda other: float(np.abs(answers(other) - right).mean())


class Losses:
    """Layers whose losses add up, counted as they are measured."""

    def __init__(self, **each):
        self.each, self.count = each, 0
        self.layers = tuple(each)

    def __call__(self, layers):
        self.count += 1
        return sum(self.each[name] for name in layers)


def test_all_layers_are_taken_where_together_they_lose_little():
    lost = Losses(a=0.1, b=0.2, c=0.3)
    assert quantize._chosen(lost.layers, lost, most=1) == ("a", "b", "c")
    assert lost.count == 1


def test_those_that_lose_much_are_found_by_halving():
    each = {f"n{number}": 0.001 for number in range(128)} | {"n17": 5.0, "n90": 0.6}
    lost = Losses(**each)
    chosen = quantize._chosen(lost.layers, lost, most=1)
    assert chosen == tuple(name for name in each if name not in {"n17", "n90"})
    assert lost.count < 40


def test_what_a_layer_may_lose_is_halved_until_the_rest_loses_little():
    lost = Losses(**{f"n{number}": 0.01 for number in range(30)}, a=0.4, b=0.4, c=0.4)
    assert set(lost.layers) - set(quantize._chosen(lost.layers, lost, most=1)) == {"a", "b", "c"}


def test_where_every_layer_loses_too_much_the_measure_at_the_end_decides():
    lost = Losses(a=9, b=9)
    assert quantize._chosen(lost.layers, lost, most=1) == ("a", "b")


@needs_onnx
def test_the_graph_is_whole_and_answers_nearly_the_same():
    data = brightness()
    made = quantize.quantized(MODEL, data, iter(INPUTS), loss_from(data), most=0.01)
    assert b"QuantizeLinear" in made.data and is_whole(made.data)
    assert 0 < loss_from(data)(made.data) < 0.01
    assert (made.layers, made.in_float) == (6, 0)


@needs_onnx
def test_a_layer_of_very_unequal_channels_stays_in_float():
    data = brightness(loud=3000)
    loss = loss_from(data)
    spoilt = quantize.quantized(MODEL, data, iter(INPUTS), loss, most=1)
    assert spoilt.in_float == 0 and loss(spoilt.data) > 0.05
    made = quantize.quantized(MODEL, data, iter(INPUTS), loss, most=0.01)
    assert 0 < made.in_float < made.layers and loss(made.data) < 0.01


@needs_onnx
def test_a_layer_in_float_between_others_in_8_bits_stays_in_float(tmp_path):
    data = brightness(unheard=3000)
    network = quantize._Network.read(MODEL, data, tmp_path)
    others = tuple(name for name in network.candidates() if name not in {"Conv_2", "Relu_3"})
    made = network.converted(others, network.ranges(iter(INPUTS)))
    assert loss_from(data)(made) < 0.01, "onnxruntime has brought it to 8 bits by itself"


@needs_onnx
def test_the_last_layers_stay_in_float_so_that_alpha_has_no_steps():
    import onnx as library

    data = brightness()
    made = quantize.quantized(MODEL, data, iter(INPUTS), loss_from(data), most=0.01)
    nodes = library.load_model_from_string(made.data).graph.node
    makers = {name: node.op_type for node in nodes for name in node.output}
    last = [node for node in nodes if node.op_type == "Conv"][-1]
    assert makers.get(last.input[1]) is None
    (sigmoid,) = (node for node in nodes if node.op_type == "Sigmoid")
    assert sigmoid.input[0] == last.output[0]


@needs_onnx
def test_a_graph_of_an_older_opset_is_brought_to_one_with_scales_by_channel():
    data = brightness(opset=11)
    made = quantize.quantized(MODEL, data, iter(INPUTS), loss_from(data), most=0.01)
    assert loss_from(data)(made.data) < 0.01


@needs_onnx
@pytest.mark.parametrize(
    ("data", "said"),
    [
        (onnx.like_u2netp([onnx.MEAN]), "no layers that 8 bits would speed up"),
        (b"\x08\x08garbage", "not a graph that can be brought to 8 bits"),
        (b"", "not a graph that can be brought to 8 bits"),
        (brightness()[:-40], "not a graph that can be brought to 8 bits"),
    ],
    ids=["no weights", "garbage", "nothing", "cut"],
)
def test_what_cannot_be_converted_is_told_in_one_sentence(data, said):
    with pytest.raises(ModelFailed, match=said):
        quantize.quantized(MODEL, data, iter(INPUTS), lambda data: 0.0, most=1)


@needs_onnx
def test_inputs_of_another_shape_are_the_models_failure():
    with pytest.raises(ModelFailed):
        quantize.quantized(MODEL, brightness(), iter(INPUTS[..., :7]), lambda data: 0.0, most=1)


def test_without_the_package_the_sentence_names_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BadInput, match=r'pip install "cleancut\[quantize\]"'):
        quantize.quantized(MODEL, b"", iter(()), lambda data: 0.0, most=1)


def test_a_full_disk_is_told(monkeypatch):
    def full(**_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(quantize, "check_installed", lambda: None)
    monkeypatch.setattr(tempfile, "TemporaryDirectory", full)
    with pytest.raises(CannotWrite, match="No space left"):
        quantize.quantized(MODEL, b"", iter(()), lambda data: 0.0, most=1)
