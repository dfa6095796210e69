"""`cleancut demo`: a newcomer sees it work, and how well, with nothing at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np

from cleancut.apps.files import beside, make_folder
from cleancut.apps.options import stated
from cleancut.apps.scene import scene
from cleancut.matting import recipe as recipes
from cleancut.matting.metrics import iou, mae
from cleancut.matting.pipeline import cut
from cleancut.pictures.files import replacing
from cleancut.pictures.png import write_png
from cleancut.raster.checkerboard import over_checkerboard
from cleancut.raster.rows import Rows


def run(output: str, seed: int, overwrite: bool, **given: Any) -> int:
    """Draw a photo, cut it out, write photo, cut-out, error and a sheet of all; print the measured error."""
    recipe = recipes.make(**stated(given))
    drawn = scene(seed=seed)
    cutout = cut(drawn.photo, recipe)
    alpha = cutout.alpha
    if alpha.shape != drawn.alpha.shape:
        raise click.UsageError(
            "The demo measures against the truth, so its size must stay: leave --max-side and fit out."
        )
    error = np.abs(alpha - drawn.alpha)
    folder = Path(output)
    make_folder(folder)
    result = beside(Path("demo"), folder, recipe.format)
    cutout.save(result, overwrite=overwrite)
    pictures = {
        "demo.png": drawn.photo.rgb,
        "demo_error.png": np.rint(error * 255).astype(np.uint8),
        "demo_sheet.png": np.hstack([drawn.photo.rgb, over_checkerboard(cutout.rgba())]),
    }
    for name, picture in pictures.items():
        with replacing(folder / name, overwrite) as stream:
            write_png(stream, Rows.of(picture))
    about = {
        folder / "demo.png": "the photo, drawn by formula",
        result: f"its subject, cut out by {cutout.model} on {cutout.provider}",
        folder / "demo_error.png": "|alpha - truth|, black is right",
        folder / "demo_sheet.png": "before and after",
    }
    for path, what in about.items():
        click.echo(f"{path!s:36} {what}")
    click.echo(f"IoU {iou(alpha, drawn.alpha):.3f}, mean absolute error {mae(alpha, drawn.alpha):.4f}, "
               f"confidence {cutout.confidence:.2f}; now try: cleancut YOUR_PHOTO.jpg")  # fmt: skip
    return 0
