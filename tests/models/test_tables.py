"""Every table runs the whole road, and rembg's models are run as rembg runs them, without any weights.

A stub answers in place of the network; it depends on all that it is shown, so that a way in that is wrong shows in the
way out. rembg's own way is stated again here by what it does: peers.md 1.4, and rembg 2.0.86 for which models end in a
sigmoid (BiRefNet's do; RMBG 2.0 has one in its graph).
"""

import numpy as np
import pytest
from PIL import Image

from cleancut.matting.pipeline import cut
from cleancut.matting.recipe import make
from cleancut.models.registry import models, registry
from cleancut.models.runtime import Loaded
from cleancut.types import Picture

SALIENT = [model for model in models() if model.kind == "salient"]

IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

REMBG = {
    # name: (side of the square in pixels, mean and std, whether a sigmoid is laid over the answer)
    **dict.fromkeys(("u2net", "u2netp", "u2net_human_seg", "silueta"), (320, IMAGENET, False)),
    "isnet-general-use": (1024, ((0.5, 0.5, 0.5), (1, 1, 1)), False),
    "isnet-anime": (1024, (IMAGENET[0], (1, 1, 1)), False),
    **{
        f"birefnet-{name}": (1024, IMAGENET, True)
        for name in ("general", "general-lite", "portrait", "dis", "hrsod", "cod", "massive")
    },
    "bria-rmbg": (1024, IMAGENET, False),
}


def answered(image, values, squash, layers=1):
    """A network's answer (1, K, h, w): where the picture is bright, the last layer is.

    It takes the mean and std of its input as a network does: as given, whatever the table says.
    """
    mean, std = (np.reshape(part, (3, 1, 1)) for part in values)
    bright = ((image * std + mean) * np.reshape([0.5, 0.3, 0.2], (3, 1, 1))).sum(axis=1, keepdims=True)
    score = 9 * bright - 4.5
    if squash == "none":
        return 1 / (1 + np.exp(-score))
    if squash == "sigmoid":
        return score
    return np.concatenate([-2 * score, *[np.zeros_like(score)] * (layers - 1), 2 * score], axis=1)


def loading(model, values, squash):
    def network(inputs):
        image = inputs["image"]
        assert image.shape == (1, 3, model.input.size[1], model.input.size[0])
        assert image.dtype == np.float32
        return {"alpha": answered(image, values, squash, len(model.layers)).astype(np.float32)}

    return lambda _: Loaded(model, network, "stub", "0" * 64)


def drawn(width, height, brightest=255, seed=0):
    """A soft bright disc on a dark, uneven ground."""
    y, x = (np.indices((height, width)) + 0.5) / min(width, height)
    distance = np.hypot(x - x.mean(), y - y.mean())
    disc = np.clip((0.34 - distance) * 12 + 0.5, 0, 1)
    ground = 0.06 + 0.03 * np.sin(7 * x) * np.cos(5 * y)
    grey = ground + (0.95 - ground) * disc
    tint = np.array([1.0, 0.93, 0.88])
    noise = np.random.default_rng(seed).uniform(-0.02, 0.02, (height, width, 1))
    return np.rint(np.clip(grey[..., None] * tint + noise, 0, 1) * brightest).astype(np.uint8)


PICTURES = {
    "upright": drawn(150, 200),
    "wide": drawn(333, 97),
    "dark": drawn(120, 90, brightest=64),
    "large": drawn(1500, 1100),
}


def alpha_of(model, rgb, values=None, squash=None, **recipe):
    load = loading(model, values or (model.input.mean, model.input.std), squash or model.output.squash)
    return cut(Picture(rgb), make(model=model.name, refine="none", foreground="source", **recipe), load=load).alpha


def alpha_of_rembg(name, rgb):
    side, (mean, std), sigmoid = REMBG[name]
    small = np.array(Image.fromarray(rgb).resize((side, side), Image.Resampling.LANCZOS))
    values = (small / max(small.max(), 1e-6) - np.array(mean)) / np.array(std)
    image = values.transpose(2, 0, 1)[None].astype(np.float32)
    answer = answered(image, (mean, std), "sigmoid" if sigmoid else "none")[0, 0]
    if sigmoid:
        answer = 1 / (1 + np.exp(-answer))
    stretched = (answer - answer.min()) / (answer.max() - answer.min())
    mask = Image.fromarray((stretched * 255).astype(np.uint8))
    return np.array(mask.resize(rgb.shape[1::-1], Image.Resampling.LANCZOS))


@pytest.mark.parametrize("model", SALIENT, ids=lambda model: model.name)
def test_a_table_runs_the_whole_road(model):
    alpha = alpha_of(model, PICTURES["upright"])
    assert alpha.shape == (200, 150)
    assert alpha[100, 75] > 0.95
    assert alpha[:5].max() < 0.2


def test_the_models_of_rembg_are_all_here():
    assert {model.name for model in SALIENT} == {"cleancut-small", "u2net_cloth_seg", *REMBG}
    assert {"sam", "vitmatte-small-distinctions-646", "vitmatte-base-composition-1k"} <= set(registry())


@pytest.mark.parametrize("picture", ["wide", "dark", "large"])
@pytest.mark.parametrize("name", REMBG)
def test_it_agrees_with_rembg_within_2_of_255(name, picture):
    rgb = PICTURES[picture]
    _, values, sigmoid = REMBG[name]
    ours = alpha_of(registry()[name], rgb, values, "sigmoid" if sigmoid else "none")
    assert np.abs(np.rint(ours * 255) - alpha_of_rembg(name, rgb)).max() <= 2


def test_a_layer_is_its_own_probability():
    cloth = registry()["u2net_cloth_seg"]
    rgb = PICTURES["upright"]
    full, upper, whole = (alpha_of(cloth, rgb, layer=layer) for layer in ("full", "upper", None))
    assert full[100, 75] > 0.98
    assert upper[100, 75] < 0.02
    assert (whole >= np.maximum(full, upper) - 1e-5).all()
    edge = (full > 0.2) & (full < 0.8)
    assert (whole[edge] > full[edge]).all()


def test_what_was_measured_is_of_one_model_alone(tmp_path):
    path = tmp_path / "models.toml"
    path.write_text(
        '[one]\ntitle = "x"\nkind = "salient"\nlicense = "MIT"\nsource = "https://x.test"\n'
        'weights = { file = "one.onnx", sha256 = "' + "0" * 64 + '", url = "https://x.test/one.onnx" }\n'
        "input = { size = [64, 64], mean = [0, 0, 0], std = [1, 1, 1] }\nmeasured = { iou = 0.9, time = 2 }\n"
        '[two]\nlike = "one"\n'
    )
    from cleancut.models.tables import read_tables

    tables = read_tables(path)
    assert (tables["one"].measured.iou, tables["one"].measured.time) == (0.9, 2.0)
    assert tables["two"].measured is None
