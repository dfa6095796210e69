import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs PyTorch")
pytest.importorskip("onnx", reason="the export needs onnx")

from training.closeup.canvases import Canvases, blank, softened  # noqa: E402
from training.closeup.network import Closeup, Equation, spread  # noqa: E402
from training.closeup.strands import POINTS, Tuft, drawn, tuft  # noqa: E402
from training.closeup.train import CROP, Plan, crops, lost, punished, train  # noqa: E402
from training.data import SIDE  # noqa: E402
from training.export import export_closeup  # noqa: E402


def level(y, x0, x1, width):
    x = np.linspace(x0, x1, POINTS, dtype=np.float32)[None]
    return Tuft(x, np.full_like(x, y), np.full_like(x, width), np.float32([[1, 0.5, 0]]))


def test_a_strand_covers_as_much_as_its_width_times_its_length():
    front, cover = drawn(level(10.3, 5, 45, 0.4), 20, 50)
    assert cover.sum() == pytest.approx(0.4 * 40, rel=0.02)
    assert np.allclose(front[0], cover, atol=1e-6)
    assert np.allclose(front[1], cover / 2, atol=1e-6)
    assert not front[2].any()


def test_a_strand_lies_where_it_is_drawn():
    cover = drawn(level(10.5, 5, 45, 0.5), 20, 50)[1]
    assert cover[10, 10:40] == pytest.approx(0.5, abs=0.05)
    assert not cover[:9].any()


def test_strands_over_each_other_cover_no_more_than_everything():
    one = level(10.5, 5, 45, 1.0)
    thrice = Tuft(*(np.repeat(plane, 3, axis=0) for plane in (one.x, one.y, one.width, one.color)))
    assert drawn(thrice, 20, 50)[1].max() == 1


def test_what_leaves_the_picture_is_not_drawn_elsewhere():
    assert drawn(level(-3, -20, 80, 1.0), 20, 50)[1].sum() == 0


def test_hair_grows_from_an_edge_and_takes_its_colour():
    alpha = np.zeros((100, 100), np.float32)
    alpha[40:80, 30:70] = 1
    front = alpha * np.float32([0.2, 0.4, 0.1])[:, None, None]
    hair = tuft(front, alpha, np.random.default_rng(3))
    inside = (hair.x[:, 0] >= 28) & (hair.x[:, 0] <= 72) & (hair.y[:, 0] >= 38) & (hair.y[:, 0] <= 82)
    assert inside.all()
    assert np.allclose(hair.color[:, 0] * 2, hair.color[:, 1], atol=1e-4)
    assert tuft(front * 0, alpha * 0, np.random.default_rng(3)) is None


def canvases(count):
    random = np.random.default_rng(1)
    rgb = torch.from_numpy(random.integers(0, 256, (count, 3, SIDE, SIDE), dtype=np.uint8))
    alpha = torch.zeros(count, 1, SIDE, SIDE, dtype=torch.uint8)
    alpha[:, :, 100:250, 120:300] = 255
    alpha[:, :, 99] = alpha[:, :, 100] // 2
    return Canvases(rgb, alpha, torch.roll(alpha, 4, 2))


def test_a_canvas_without_an_edge_is_blank():
    made = canvases(2)
    made.alpha[0] = 0
    assert blank(made).tolist() == [True, False]


def test_crops_are_cut_where_there_is_something_to_learn():
    picture, coarse, truth = crops(canvases(2), 6, torch.Generator().manual_seed(1))
    assert picture.shape == (6, 3, CROP, CROP)
    assert -1 <= float(picture.min()) <= float(picture.max()) <= 1
    assert bool(((coarse - truth).abs() > 0.2).flatten(1).any(1).all())


def test_it_begins_with_the_coarse_alpha():
    coarse = torch.rand(1, 1, 64, 64) * 0.9 + 0.05
    answer = Closeup().eval()(torch.rand(1, 3, 64, 64), coarse)
    assert torch.allclose(torch.sigmoid(answer), coarse, atol=1e-5)


def test_moving_towards_the_truth_costs_less():
    _, coarse, truth = crops(canvases(2), 6, torch.Generator().manual_seed(1))
    logit = torch.logit(coarse.clamp(0.02, 0.98))
    better = torch.logit(truth.clamp(0.02, 0.98))
    assert float(punished(better, coarse, truth)) < 0.3 * float(punished(logit, coarse, truth))


def test_a_run_goes_on_and_becomes_a_file(tmp_path):
    for name, count in (("canvases", 3), ("canvases-validation", 2)):
        canvases(count).save(tmp_path / f"{name}.pt")
    for samples in (4, 8):
        train(Plan(data=(), out=tmp_path, model=tmp_path, samples=samples, batch=2, every=4))
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["samples"] for line in lines] == [4, 8]
    assert export_closeup(tmp_path / "last.pt", tmp_path / "closeup.onnx") < 1e-3
    assert (tmp_path / "closeup.onnx").stat().st_size < 1e6


def test_sure_colours_are_spread_as_far_as_needed():
    picture = torch.full((1, 3, 64, 64), -1.0)
    picture[..., :20] = torch.tensor([0.5, 0.0, -0.5]).view(1, 3, 1, 1)
    sure = torch.zeros(1, 1, 64, 64)
    sure[..., :20] = 1
    assert torch.allclose(spread(picture, sure)[0, :, 30, 60], torch.tensor([0.5, 0.0, -0.5]), atol=0.01)


def test_the_equation_finds_alpha_between_two_flat_colours():
    front, back = torch.tensor([0.8, -0.2, -0.6]).view(1, 3, 1, 1), torch.tensor([-0.4, 0.1, 0.3]).view(1, 3, 1, 1)
    alpha = torch.linspace(-0.4, 1.4, 96).clamp(0, 1).view(1, 1, 1, 96).expand(1, 1, 64, 96)
    found = Equation()(alpha * front + (1 - alpha) * back, alpha)
    assert (found[:, :1] - alpha).abs().max() < 0.08  # what is nearly sure is a little of both
    assert found[:, 2].max() < 0.005
    assert float(found[:, 1].mean()) == pytest.approx(float(((front - back) ** 2).sum()) / 2, abs=0.1)


def test_a_coarse_alpha_that_found_something_else_teaches_nothing():
    truth = torch.zeros(1, CROP, CROP, dtype=torch.uint8)
    truth[:, :, : CROP // 2] = 255
    moved = truth.roll(6, 2)
    assert not lost(moved, truth)
    assert lost(255 - truth, truth)


def test_what_is_softened_stays_a_colour_times_its_alpha():
    alpha = torch.zeros(40, 1, SIDE, SIDE)
    alpha[..., 100:280, 120:260] = 1
    color = torch.tensor([0.9, 0.5, 0.1]).view(1, 3, 1, 1)
    front, soft = softened(color * alpha, alpha, np.random.default_rng(2))
    assert torch.allclose(front, color * soft, atol=1e-4)
    assert soft.min() >= 0
    assert soft.max() <= 1 + 1e-4
    changed = (soft - alpha).abs().flatten(1).max(1).values > 0.1
    assert 5 < int(changed.sum()) < 30
