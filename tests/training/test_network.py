import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs PyTorch")

from training.network import Attention, Encoder, Small, multiplications  # noqa: E402


@pytest.fixture(scope="module")
def small():
    torch.manual_seed(1)
    return Small()


def test_it_stays_within_its_budget(small):
    assert multiplications(small, 320) < 1.5e9
    assert sum(p.numel() for p in small.parameters()) * 2 < 8e6


def test_attention_begins_as_the_identity_and_then_sees_everything():
    torch.manual_seed(2)
    block = Attention(16).eval()
    features = torch.rand(2, 16, 5, 7)
    assert torch.equal(block(features), features)
    torch.nn.init.normal_(block.answer.weight)
    changed = features.clone()
    changed[:, :, 0, 0] += 1
    assert bool(((block(changed) - block(features))[:, :, -1, -1].abs() > 1e-5).any())


def test_a_network_without_attention_goes_on_as_it_was(small):
    state = {name: value for name, value in small.state_dict().items() if not name.startswith("whole.")}
    other = Small()
    other.start_from(state)
    picture = torch.rand(1, 3, 64, 64)
    assert torch.equal(other.eval()(picture).alpha, small.eval()(picture).alpha)
    with pytest.raises(ValueError, match="another network"):
        other.start_from({name: value for name, value in state.items() if not name.startswith("out.")})


def test_it_answers_at_full_size_and_half_for_the_error(small):
    answer = small.eval()(torch.zeros(2, 3, 64, 96))
    assert answer.alpha.shape == (2, 1, 64, 96)
    assert answer.error.shape == (2, 1, 32, 48)
    assert answer.subject.shape == (2, 1)
    assert answer.coarse == ()


def test_in_training_it_also_answers_coarsely(small):
    answer = small.train()(torch.zeros(2, 3, 64, 96))
    assert [tuple(plane.shape[-2:]) for plane in answer.coarse] == [(4, 6), (8, 12), (16, 24)]


def test_the_encoder_takes_its_layers_in_order():
    source, target = Encoder(), Encoder()
    layers = [layer for layer in source.modules() if isinstance(layer, torch.nn.Conv2d)]
    arrays = {}
    for number, layer in enumerate(layers):
        arrays[f"{number:02}.w"] = layer.weight.detach().numpy()
        arrays[f"{number:02}.b"] = layer.bias.detach().numpy()
    target.load(arrays)
    picture = torch.rand(1, 3, 64, 64)
    assert all(torch.equal(a, b) for a, b in zip(source(picture), target(picture), strict=True))


def test_weights_of_another_network_are_refused():
    with pytest.raises(ValueError, match="51 layers; the file has 1"):
        Encoder().load({"00.w": np.zeros((32, 3, 3, 3)), "00.b": np.zeros(32)})


def test_depthwise_layers_of_the_last_blocks_see_every_second_pixel():
    last = [block.filter.dilation[0] for block in Encoder().blocks[-4:]]
    assert last == [1, 2, 2, 2]
    assert [tuple(f.shape[1:]) for f in Encoder()(torch.zeros(1, 3, 64, 64))] == [
        (16, 32, 32), (24, 16, 16), (32, 8, 8), (96, 4, 4), (320, 4, 4)
    ]  # fmt: skip
