"""What the browser's road must compute too: python -m tests.vectors.make writes vectors.json anew.

Inputs are formulas of whole numbers, which web/src/local/vectors.test.ts repeats; the file holds what our own functions
make of them. Bytes are written in base64, numbers as they are.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleancut.matting.colors.foreground import estimate
from cleancut.matting.cutout import written
from cleancut.matting.pipeline import tidy
from cleancut.matting.predict import judged, normalised, seen
from cleancut.models.registry import Input, Output
from cleancut.raster.blend import mix
from cleancut.raster.resample import Fit, reduced
from cleancut.raster.rows import Rows
from cleancut.types import AUTO, Picture

FILE = Path(__file__).with_name("vectors.json")

SHRUNK = ((403, 301, 32, 32), (300, 900, 32, 32), (90, 640, 64, 32), (50, 40, 64, 64), (1, 9, 3, 2), (647, 331, 33, 21))
ENLARGED = (
    {"fit": "stretch", "source": (133, 71), "size": (32, 32), "output": (32, 32)},
    {"fit": "letterbox", "source": (90, 160), "size": (32, 32), "output": (16, 16)},
    {"fit": "stretch", "source": (20, 11), "size": (32, 32), "output": (32, 32)},
)
JUDGED: tuple[dict[str, Any], ...] = (
    {"plane": "disc", "output": {}},
    {"plane": "haze", "output": {}},
    {"plane": "dot", "output": {}},
    {"plane": "disc", "output": {"squash": "sigmoid"}},
    {"plane": "disc", "output": {"stretch": True, "calibration": ((0.2, 0.1), (0.9, 0.8))}},
)
PAINTED = ((61, 45), (8, 8), (33, 7))
INPUTS: tuple[dict[str, Any], ...] = (
    {"size": (16, 16), "mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)},
    {"size": (16, 16), "mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225), "scale": "peak"},
    {"size": (16, 12), "mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5), "fit": "letterbox", "filter": "bilinear"},
)


def picture(width: int, height: int) -> NDArray[np.uint8]:
    """RGBA (h, w, 4): textures, edges and flat parts; translucent in a corner."""
    y, x = np.mgrid[:height, :width]
    red = (x * 7 + y * 13 + (x * y >> 3)) % 256
    green = np.where((x // 9 + y // 7) % 2 == 0, 40, 215)
    blue = (x * 3 + 255 - y % 256) % 256
    alpha = np.where(x + y < (width + height) // 6, (x * 5 + y * 3) % 256, 255)
    return np.stack((red, green, blue, alpha), axis=-1).astype(np.uint8)


def plane(name: str, width: int = 64, height: int = 64) -> NDArray[np.float32]:
    """α of a disc with a soft edge, haze and specks around it; or haze or a dot alone."""
    y, x = np.mgrid[:height, :width]
    away = (2 * x - width + 1) ** 2 + (2 * y - height + 1) ** 2
    edge = (width * width * 5) // 9
    disc = np.clip((edge - away) * 4, 0, 1000)
    haze = (x * 3 + y * 5) % 25
    specks = np.where((x % 11 == 1) & (y % 9 == 1), 800, 0) + np.where((x % 11 == 2) & (y % 9 == 1), 30, 0)
    dot = np.where((x == 3) & (y == 4), 900, 0)
    thousandths = {"disc": np.maximum(disc, np.maximum(haze, specks)), "haze": haze * 12, "dot": np.maximum(dot, 1)}
    return (thousandths[name] / 1000).astype(np.float32)


def cover(width: int, height: int) -> NDArray[np.uint8]:
    """A written alpha: clear, soft and opaque stretches, and pixels that are neither within blocks that are."""
    y, x = np.mgrid[:height, :width]
    ramp = np.clip((x * 12 - y * 2) - 60, 0, 255)
    return np.where((x * 5 + y * 7) % 53 == 0, 128, ramp).astype(np.uint8)


def made() -> dict[str, Any]:
    """Compute every vector."""
    return {
        "shrunk": [_shrunk(*case) for case in SHRUNK],
        "tensors": [_tensor(case) for case in INPUTS],
        "enlarged": [_enlarged(case) for case in ENLARGED],
        "judged": [_judged(case) for case in JUDGED],
        "tidied": [
            {"plane": name, "alpha": _bytes(written(tidy(plane(name), AUTO)))} for name in ("disc", "haze", "dot")
        ],
        "painted": [_painted(*size) for size in PAINTED],
    }


def _shrunk(width: int, height: int, to_width: int, to_height: int) -> dict[str, Any]:
    rgba = picture(width, height)
    color, alpha = (np.ascontiguousarray(part) for part in (rgba[..., :3], rgba[..., 3]))
    parts = [reduced(part, to_width, to_height, "bicubic") for part in (color, alpha)]
    return {"source": [width, height], "size": [to_width, to_height], "rgba": _bytes(np.dstack(parts))}


def _tensor(case: dict[str, Any]) -> dict[str, Any]:
    rgba, given = picture(53, 37), Input(**case)
    source = Picture(np.ascontiguousarray(rgba[..., :3]), np.ascontiguousarray(rgba[..., 3]))
    lay = Fit.letterbox if given.fit == "letterbox" else Fit.stretch
    rgb = seen(source, lay(source.size, given.size, given.filter, given.exact))
    return {"input": case, "source": [53, 37], "tensor": _floats(normalised(rgb, given))}


def _enlarged(case: dict[str, Any]) -> dict[str, Any]:
    lay = Fit.letterbox if case["fit"] == "letterbox" else Fit.stretch
    rows = lay(case["source"], case["size"], "bicubic").enlarge(plane("disc", *case["output"]))
    return {**case, "alpha": _bytes(written(rows.whole()))}


def _judged(case: dict[str, Any]) -> dict[str, Any]:
    found = judged(plane(case["plane"])[None], Output(**case["output"]))
    return {**case, "confidence": found.confidence, "subject": found.subject, "alpha": _bytes(written(found.alpha[0]))}


def _painted(width: int, height: int) -> dict[str, Any]:
    rgb, opacity = np.ascontiguousarray(picture(width, height)[..., :3]), cover(width, height)
    color = estimate(Rows.of(rgb), Rows.of(opacity.astype(np.float32) / 255)).whole()
    return {"size": [width, height], "rgba": _bytes(mix([], color, opacity))}


def _bytes(array: NDArray[np.uint8]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def _floats(array: NDArray[np.float32]) -> list[float]:
    return [round(float(value), 4) for value in array.ravel()]


def main() -> None:
    """Write the file."""
    FILE.write_text(json.dumps(made(), indent=None, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
