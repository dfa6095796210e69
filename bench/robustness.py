"""What models make of bad pictures: python -m bench.robustness MODEL… --data FOLDER [--most N].

Prints IoU with the truth under low light, motion blur, JPEG at quality 10, noise and a background brought near the
subject's colours; then how far a model agrees with itself (IoU of its two answers) when the same picture is mirrored,
halved or framed. MODEL is a name, or FILE.onnx:LIKE. Every spoiling is by formula, so every run sees the same pictures.
"""

from __future__ import annotations

import argparse
import io
import statistics
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.machine import machine
from bench.sets import Asked, Case, Plane, cases, sets
from cleancut.matting.metrics import iou
from cleancut.pictures.images import from_array, read

Rgb = NDArray[np.uint8]


def low_light(rgb: Rgb, case: Case) -> Rgb:
    """A twelfth of the light, and a sensor's noise."""
    return _bytes(rgb / 12 + _noise(case, rgb.shape, 2.5))


def motion_blur(rgb: Rgb, case: Case) -> Rgb:
    """A level movement over 3 % of the picture's width."""
    reach = max(1, round(0.015 * rgb.shape[1]))
    sums = np.pad(rgb, ((0, 0), (reach + 1, reach), (0, 0)), "edge").cumsum(axis=1, dtype=np.int64)
    return _bytes((sums[:, 2 * reach + 1 :] - sums[:, : -2 * reach - 1]) / (2 * reach + 1))


def jpeg(rgb: Rgb, case: Case) -> Rgb:
    """JPEG at quality 10."""
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=10)
    return np.asarray(Image.open(buffer))


def noise(rgb: Rgb, case: Case) -> Rgb:
    """Gaussian noise of a tenth of the range."""
    return _bytes(rgb + _noise(case, rgb.shape, 25.5))


def near_colors(rgb: Rgb, case: Case) -> Rgb:
    """A background moved three quarters of the way to the subject's mean colour."""
    alpha = case.truth[..., None]
    mean = (rgb * alpha).sum((0, 1)) / max(1.0, float(alpha.sum()))
    behind = rgb + 0.75 * (mean - (rgb * (1 - alpha)).sum((0, 1)) / max(1.0, float((1 - alpha).sum())))
    return _bytes(rgb * alpha + behind * (1 - alpha))


def mirrored(alpha_of: Callable[[Rgb], Plane], rgb: Rgb) -> Plane:
    """Answer for the mirrored picture, mirrored back."""
    return alpha_of(np.ascontiguousarray(rgb[:, ::-1]))[:, ::-1]


def halved(alpha_of: Callable[[Rgb], Plane], rgb: Rgb) -> Plane:
    """Answer for the picture at half the size, enlarged."""
    height, width = rgb.shape[:2]
    small = Image.fromarray(rgb).resize((max(1, width // 2), max(1, height // 2)), Image.Resampling.LANCZOS)
    answer = Image.fromarray(alpha_of(np.asarray(small)))
    return np.asarray(answer.resize((width, height), Image.Resampling.BILINEAR))


def framed(alpha_of: Callable[[Rgb], Plane], rgb: Rgb) -> Plane:
    """Answer for the picture in a grey frame a quarter as wide as it, cut back."""
    height, width = rgb.shape[:2]
    frame = np.pad(rgb, ((height // 4,) * 2, (width // 4,) * 2, (0, 0)), constant_values=128)
    return alpha_of(frame)[height // 4 :, width // 4 :][:height, :width]


SPOILT: dict[str, Callable[[Rgb, Case], Rgb]] = {
    "as it is": lambda rgb, case: rgb,
    "low light": low_light,
    "motion blur": motion_blur,
    "JPEG quality 10": jpeg,
    "noise": noise,
    "near-equal colours": near_colors,
}
SAME: dict[str, Callable[[Callable[[Rgb], Plane], Rgb], Plane]] = {
    "mirrored": mirrored,
    "half the size": halved,
    "in a frame": framed,
}


def main() -> None:
    """Measure what is asked for on the command line."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("models", nargs="+", metavar="MODEL")
    arguments.add_argument("--data", type=Path, required=True, help="a set, or a folder of sets")
    arguments.add_argument("--most", type=int, default=14, help="pictures of a set at the most, spread over it")
    given = arguments.parse_args()
    models = [Asked(spec) for spec in given.models]
    found: dict[str, list[list[float]]] = {name: [[] for _ in models] for name in (*SPOILT, *SAME)}
    for folder in sets(given.data):
        for case in cases(folder, given.most):
            if case.truth.any():
                _case(case, models, found)
    print(f"Measured on {machine()}, {len(found['as it is'][0])} pictures.\n")
    for title, names in (("IoU with the truth", SPOILT), ("IoU with its own answer", SAME)):
        print(f"| {title} | {' | '.join(model.title for model in models)} |")
        print("|---" + "|---:" * len(models) + "|")
        for name in names:
            print(f"| {name} | {' | '.join(f'{statistics.fmean(values):.3f}' for values in found[name])} |")
        print()


def _case(case: Case, models: list[Asked], into: dict[str, list[list[float]]]) -> None:
    rgb = read(case.path).rgb
    for number, model in enumerate(models):

        def alpha_of(pixels: Rgb, model: Asked = model) -> Plane:
            return model.alpha(from_array(pixels))

        first = alpha_of(rgb)
        for name, spoil in SPOILT.items():
            answer = first if name == "as it is" else alpha_of(spoil(rgb, case))
            into[name][number].append(iou(answer, case.truth))
        for name, look in SAME.items():
            into[name][number].append(iou(look(alpha_of, rgb), first))


def _noise(case: Case, shape: tuple[int, ...], sigma: float) -> NDArray[np.float64]:
    """Give noise that depends on the picture's name alone."""
    return np.random.default_rng(zlib.crc32(case.path.stem.encode())).normal(0, sigma, shape)


def _bytes(values: NDArray[np.floating]) -> Rgb:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


if __name__ == "__main__":
    main()
