"""Pseudo-labels: a teacher looks at each unlabelled picture in several ways; kept is what its views agree on.

Noisy student (Xie et al. 2020, arXiv:1911.04252): first U²-Netp labels, then our own best network does.
"""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cleancut import Engine
from cleancut.matting.predict import fit_of, predict
from cleancut.matting.stopwatch import Stopwatch
from cleancut.models.runtime import Loaded
from cleancut.pictures.images import from_array
from training.tars import members, pictures, write_pairs

SCALES = (1.0, 0.75)
"""Sizes at which the teacher sees a picture, the smaller one in a frame of the picture's own mean colour."""

AGREEMENT = 0.8
"""Soft IoU with their mean that every view must have, for the picture to be kept."""

AREA = (0.01, 0.95)
"""Share of the picture that a subject may cover; outside, the teacher has found nothing or everything."""

FIRM = 0.8
"""Confidence (Σα²/Σα) of the mean from which on a label is no haze."""


def label(unlabelled: list[Path], out: Path, teacher: str, like: str | None, most: int | None = None) -> None:
    """Label tars of pictures with a teacher; write a tar of pairs beside a JSON of what was measured for each.

    Args:
        unlabelled: tars of pictures.
        out: folder to write `pseudo-NAME.tar` and `pseudo-NAME.json` to.
        teacher: a model's name, or an ONNX file that is `like` one.
        like: see `teacher`.
        most: pictures of a tar at the most.
    """
    engine = Engine()
    loaded = engine.load(engine.add(teacher, like) if like else teacher)
    out.mkdir(parents=True, exist_ok=True)
    for path in unlabelled:
        kept: dict[str, tuple[bytes, bytes]] = {}
        measured: dict[str, dict[str, float]] = {}
        files = members(path)["images"]
        for stem, image in list(pictures(files))[:most]:
            alpha, facts = agreed(np.asarray(image.convert("RGB")), loaded)
            measured[stem] = facts
            if alpha is not None:
                kept[stem] = files[stem], _png(alpha)
        name = f"pseudo-{path.stem.removeprefix('unlabelled-')}"
        write_pairs(out / f"{name}.tar", kept)
        (out / f"{name}.json").write_text(json.dumps(measured, indent=1, sort_keys=True) + "\n")
        print(f"{path.stem}: {len(kept)} of {len(measured)} pictures kept", flush=True)


def agreed(rgb: NDArray[np.uint8], loaded: Loaded) -> tuple[NDArray[np.float32] | None, dict[str, float]]:
    """Give the mean (H, W) of a teacher's views of a picture, or None where they disagree; and what was measured."""
    views = [seen for scale in SCALES for seen in (_look(rgb, loaded, scale), _mirrored(rgb, loaded, scale))]
    mean = np.mean(views, axis=0, dtype=np.float32)
    agreement = min(_soft_iou(view, mean) for view in views)
    area = float((mean > 0.5).mean())
    firmness = float((mean**2).sum() / max(float(mean.sum()), 1e-6))
    facts = {"agreement": round(agreement, 4), "area": round(area, 4), "firmness": round(firmness, 4)}
    good = agreement >= AGREEMENT and AREA[0] <= area <= AREA[1] and firmness >= FIRM
    return (mean if good else None), facts


def _mirrored(rgb: NDArray[np.uint8], loaded: Loaded, scale: float) -> NDArray[np.float32]:
    return _look(np.ascontiguousarray(rgb[:, ::-1]), loaded, scale)[:, ::-1]


def _look(rgb: NDArray[np.uint8], loaded: Loaded, scale: float) -> NDArray[np.float32]:
    """Give the alpha (H, W) of a picture seen at a scale."""
    height, width = rgb.shape[:2]
    top, left = (round(side * (1 / scale - 1) / 2) for side in (height, width))
    frame = np.empty((height + 2 * top, width + 2 * left, 3), np.uint8)
    frame[:] = rgb.reshape(-1, 3).mean(axis=0).astype(np.uint8)
    frame[top : top + height, left : left + width] = rgb
    picture = from_array(frame)
    alpha = predict(picture, loaded, fit_of(picture, loaded.model.input), Stopwatch()).alpha[0]
    full = Image.fromarray(alpha).resize((frame.shape[1], frame.shape[0]), Image.Resampling.BILINEAR)
    return np.asarray(full)[top : top + height, left : left + width]


def _soft_iou(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(np.minimum(one, other).sum() / max(float(np.maximum(one, other).sum()), 1e-6))


def _png(alpha: NDArray[np.float32]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.rint(alpha * 255).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()
