import pytest

torch = pytest.importorskip("torch", reason="training needs PyTorch")

from training.augment import Batch  # noqa: E402
from training.losses import WEIGHTS, losses, total  # noqa: E402
from training.network import Answer  # noqa: E402


def batch(count=2, trust=1.0, exact=1.0):
    alpha = torch.zeros(count, 1, 64, 64)
    alpha[:, :, 16:48, 20:44] = 1
    contrast = torch.full_like(alpha, 0.5)
    picture = torch.zeros(count, 3, 64, 64)
    return Batch(
        picture, alpha, torch.full((count, 1, 1, 1), trust), torch.full((count,), exact), contrast, torch.ones(count, 1)
    )


def answer(alpha):
    logits = torch.logit(alpha.clamp(1e-4, 1 - 1e-4))
    coarse = tuple(torch.nn.functional.avg_pool2d(logits, size) for size in (16, 8, 4))
    return Answer(logits, torch.full((len(alpha), 1, 32, 32), -6.0), torch.full((len(alpha), 1), 6.0), coarse)


def test_the_truth_costs_almost_nothing_and_its_opposite_much():
    given = batch()
    right, wrong = losses(answer(given.alpha), given), losses(answer(1 - given.alpha), given)
    assert set(right) == set(WEIGHTS)
    assert float(total(right)) < 0.1
    for name in ("bce", "iou", "l1", "ssim", "coarse", "laplacian", "composition", "error"):
        assert float(wrong[name]) > 10 * float(right[name]) + 0.01, name


def test_errors_at_a_rough_edge_cost_less_than_at_a_sharp_one():
    shifted = torch.roll(batch().alpha, 2, 3)
    sharp, rough = (losses(answer(shifted), batch(trust=trust)) for trust in (1.0, 0.0))
    assert float(rough["bce"]) < 0.5 * float(sharp["bce"])
    assert float(rough["ssim"]) < 0.5 * float(sharp["ssim"])


def test_only_true_alpha_has_matting_terms():
    assert not {"laplacian", "composition"} & set(losses(answer(batch().alpha), batch(exact=0.0)))


def test_haze_over_a_picture_without_a_subject_costs():
    given = batch()
    nothing = Batch(
        given.picture, given.alpha * 0, given.edge_trust, given.exact * 0, given.contrast * 0, given.subject * 0
    )
    haze = losses(answer(torch.full_like(given.alpha, 0.3)), nothing)
    none = losses(answer(torch.zeros_like(given.alpha)), nothing)
    assert float(haze["bce"]) > 0.3 > float(none["bce"])
    assert float(haze["iou"]) == 0


def test_gradients_reach_every_parameter():
    from training.network import Small

    torch.manual_seed(2)
    network = Small().train()
    terms = losses(network(torch.rand(2, 3, 64, 64) * 2 - 1), batch())
    total(terms).backward()
    assert not [name for name, p in network.named_parameters() if p.grad is None]
