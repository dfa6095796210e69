import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs PyTorch")

from training.augment import MIXTURE, Mixer  # noqa: E402
from training.data import Shelf  # noqa: E402
from training.spoil import _cosines, _quantised, blurred, spoilt  # noqa: E402


def shelf(rgba, name, whole=False, trust=1.0):
    pictures = torch.from_numpy(rgba)
    count = len(pictures)
    return Shelf(pictures, torch.ones(count), torch.full((count,), trust), torch.full((count,), whole), (name,) * count)


def pictures(count, alpha, seed):
    random = np.random.default_rng(seed)
    rgba = random.integers(0, 256, (count, 4, 96, 96), dtype=np.uint8)
    rgba[:, 3] = alpha
    return rgba


@pytest.fixture
def shelves():
    mask = np.zeros((96, 96), np.uint8)
    mask[20:70, 30:60] = 255
    cutout = pictures(3, mask, 2)
    cutout[:, :3] = cutout[:, :3] * (mask > 0)
    return {
        "pair": shelf(pictures(4, mask, 1), "ccp", whole=True, trust=0.5),
        "cutout": shelf(cutout, "cutouts"),
        "empty": shelf(pictures(3, 0, 3), "backgrounds"),
    }


def test_a_batch_is_what_the_network_takes(shelves):
    batch = Mixer(shelves, 1).batch(16, 64)
    assert batch.picture.shape == (16, 3, 64, 64)
    assert batch.alpha.shape == (16, 1, 64, 64)
    assert -1 <= float(batch.picture.min()) <= float(batch.picture.max()) <= 1
    assert 0 <= float(batch.alpha.min()) <= float(batch.alpha.max()) <= 1
    assert not torch.isnan(batch.picture).any()


def test_a_seed_is_a_batch(shelves):
    one, other, third = Mixer(shelves, 1).batch(8, 64), Mixer(shelves, 1).batch(8, 64), Mixer(shelves, 2).batch(8, 64)
    assert torch.equal(one.picture, other.picture)
    assert not torch.equal(one.picture, third.picture)


def test_without_a_subject_there_is_none(shelves):
    batch = Mixer(shelves, 1).batch(64, 32)
    empty = batch.alpha.amax((1, 2, 3)) == 0
    assert bool(empty.any())
    assert not bool(batch.subject[empty].any())
    assert bool(batch.subject[batch.alpha.mean((1, 2, 3)) > 0.01].all())


def test_only_compositions_have_true_alpha_and_a_contrast(shelves):
    batch = Mixer(shelves, 1).batch(64, 32)
    exact = batch.exact > 0
    assert 0.05 < float(exact.float().mean()) < 0.6
    assert not bool(batch.contrast[~exact].any())
    assert bool(batch.contrast[exact].any())


def test_the_mixture_is_kept_over_many_batches(shelves):
    mixer = Mixer(shelves, 1)
    counts = mixer._counts(20_000)
    present = {use: share for use, share in MIXTURE.items() if use in shelves}
    for use, share in present.items():
        assert counts[use] / 20_000 == pytest.approx(share / sum(present.values()), abs=0.02)


def test_spoiling_keeps_the_range_and_the_shape():
    rgb = torch.rand(40, 3, 64, 64)
    made = spoilt(rgb, torch.Generator().manual_seed(1))
    assert made.shape == rgb.shape
    assert 0 <= float(made.min()) <= float(made.max()) <= 1


def test_the_cosine_transform_is_orthonormal():
    assert torch.allclose(_cosines(torch.device("cpu")) @ _cosines(torch.device("cpu")).T, torch.eye(8), atol=1e-6)


def test_quantising_finely_changes_little_and_coarsely_much():
    planes = torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(3))
    off = (_quantised(planes, torch.tensor([0.02, 6.0]).view(2, 1, 1, 1)) - planes).abs().mean((1, 2, 3))
    assert float(off[0]) < 0.01
    assert float(off[1]) > 0.05


def test_blurring_keeps_the_mean_of_a_flat_picture_and_spreads_a_dot():
    assert torch.allclose(blurred(torch.full((1, 2, 20, 20), 0.3), 2.0), torch.tensor(0.3), atol=1e-6)
    dot = torch.zeros(1, 1, 41, 41)
    dot[0, 0, 20, 20] = 1
    soft = blurred(dot, 2.0)[0, 0]
    at = torch.arange(41) - 20.0
    assert float(soft.sum()) == pytest.approx(1, abs=1e-4)
    assert float((soft.sum(0) * at**2).sum()) == pytest.approx(4, rel=0.05)
