"""Ray datasets: rows with pictures in, the same rows with their cutouts out, nothing passing through one machine.

`cut_dataset(ray.data.read_binary_files(…))` is a dataset like any other, so `write_parquet` and the rest go on from it;
`write_files` puts the cutouts into a folder. docs/ray.md has examples.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from cleancut.errors import BadInput, CleancutError
from cleancut.jobs.batch.work import Made, Way, work
from cleancut.jobs.cluster.connect import silent_ray
from cleancut.jobs.cluster.pool import room_for
from cleancut.jobs.cluster.worker import Share
from cleancut.limits import Limits, share_processors
from cleancut.matting import recipe as recipes
from cleancut.pictures.files import check_bytes, replacing
from cleancut.pictures.formats import PICTURES
from cleancut.types import Picture, Recipe

if TYPE_CHECKING:
    from ray.data import Dataset

RESULTS = ("cutout", "format", "confidence", "width", "height", "box", "model", "notes", "error", "kind")
"""Columns that a row gains: what was made, and where that failed, why."""

_RETRIES = 3
"""How often rows are worked on again whose worker ended, before the dataset fails."""


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """What is done to each row.

    Attributes:
        recipe: complete.
        column: holds a picture's encoded bytes.
        assets: the pictures that the recipe names.
        limits: on what is read.
        share: what a worker gets of its node.
    """

    recipe: Recipe
    column: str
    assets: Mapping[str, Picture]
    limits: Limits
    share: Share


def cut_dataset(
    dataset: Dataset,
    recipe: Recipe | None = None,
    *,
    column: str = "bytes",
    assets: Mapping[str, Picture] | None = None,
    limits: Limits | None = None,
    share: Share | None = None,
    workers: int | tuple[int, int] = 0,
    rows: int = 8,
) -> Dataset:
    """Cut the subject out of the picture in each row, in actors that keep one engine each.

    Nothing is done until the dataset is used. At most two blocks of `rows` wait at a worker, so memory is bounded.

    Args:
        dataset: rows with a picture's encoded bytes, as `read_binary_files` and `read_parquet` give them.
        recipe: what to do; by default everything at its default.
        column: the one that holds the bytes.
        assets: the pictures that the recipe names.
        limits: on each picture; by default those of the environment.
        share: what each worker gets of its node.
        workers: how many, or from how few to how many; 0 is as many as there is room for beside one reading task.
        rows: in one block.

    Returns:
        the rows with the columns `RESULTS`; one that fails has no cutout, and `error` and `kind` say why.

    Raises:
        BadInput: Ray is not installed, or the rows have no such column, or have one of those names already.
        BadRecipe, BadSetting: the recipe does not fit, or the cluster has no room.
    """
    ray = silent_ray()
    share = share or Share()
    checked = recipes.checked(recipe or Recipe())
    recipes.named_by_content(checked, assets or {})  # what is not handed over is said before any work
    _check_columns(dataset.columns(), column)
    job = Job(checked, column, assets or {}, limits or Limits.from_env(), share)
    low, high = workers if isinstance(workers, tuple) else (workers, workers)
    if not high:
        low = high = _beside_reading(ray.cluster_resources(), share)
    return dataset.map_batches(
        Rows,
        fn_constructor_args=(job,),
        batch_size=rows,
        batch_format="pyarrow",
        compute=ray.data.ActorPoolStrategy(min_size=low, max_size=high, max_tasks_in_flight_per_actor=2),
        num_cpus=share.cpus,
        num_gpus=share.gpus,
        max_restarts=-1,
        max_task_retries=_RETRIES,
        memory=share.memory or None,
    )


def write_files(
    dataset: Dataset, folder: str | Path, *, column: str = "path", root: str = "", overwrite: bool = False
) -> list[str]:
    """Write each row's cutout as a file, in the same tree; give a sentence for each that failed.

    Args:
        dataset: what `cut_dataset` gave.
        folder: on a disk that all nodes share.
        column: the one that names the picture, such as "path" of `read_binary_files(…, include_paths=True)`.
        root: what to leave out of the beginning of those names.
        overwrite: whether files may exist.

    Raises:
        BadInput: the rows have no such column.
    """
    if column not in (dataset.columns() or []):
        raise BadInput(f"The rows have no column {column!r}; read the files with include_paths=True.")
    place = str(Path(folder).absolute())
    told = dataset.map(_Written(place, column, root, overwrite))
    return [row["failure"] for row in told.iter_rows() if row["failure"]]


class Rows:
    """An actor of a dataset: it keeps its networks loaded, and cuts blocks of rows.

    Args:
        job: what is done to each row.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._engine = job.share.engine()
        for name in recipes.models(job.recipe):
            self._engine.load(name)

    def __call__(self, table: Any) -> Any:
        """Give a block of rows (pyarrow.Table) with its results."""
        share_processors(self._job.share.threads)
        arrow = importlib.import_module("pyarrow")
        told = [self._row(source.as_py()) for source in table[self._job.column]]
        for name, kind in _types(arrow).items():
            table = table.append_column(name, arrow.array([row.get(name) for row in told], kind))
        return table

    def _row(self, source: object) -> dict[str, Any]:
        job = self._job
        way = Way(job.recipe, job.recipe.format or "png")
        try:
            if not isinstance(source, bytes):
                raise BadInput(f"The column {job.column!r} holds no bytes in this row.")
            check_bytes(len(source), "The picture", job.limits)
            (made,) = work(source, [way], load=self._engine.load, assets=job.assets, limits=job.limits)
        except CleancutError as error:
            made = error
        return _told(made, way)


def _told(made: Made | CleancutError, way: Way) -> dict[str, Any]:
    if isinstance(made, CleancutError):
        return {"error": str(made), "kind": type(made).__name__}
    return {
        "cutout": made.data, "format": way.format, "confidence": made.confidence, "width": made.size[0],
        "height": made.size[1], "box": made.box and list(made.box), "model": made.model, "notes": list(made.notes),
    }  # fmt: skip


def _types(arrow: Any) -> dict[str, Any]:
    """Give the columns' types, so that blocks in which all rows failed have them too."""
    text, number = arrow.string(), arrow.int32()
    listed = (arrow.large_binary(), text, arrow.float64(), number, number, arrow.list_(number), text,
              arrow.list_(text), text, text)  # fmt: skip
    return dict(zip(RESULTS, listed, strict=True))


@dataclass(frozen=True, slots=True)
class _Written:
    """Writes one row's cutout, on whatever node."""

    folder: str
    column: str
    root: str
    overwrite: bool

    def __call__(self, row: Mapping[str, Any]) -> dict[str, Any]:
        name = str(row[self.column])
        if row["cutout"] is None:
            return {"failure": f"{name[-200:]}: {row['error']}"}
        try:
            path = Path(self.folder, f"{inside(name, self.root)}.{row['format']}")
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path, self.overwrite) as stream:
                stream.write(row["cutout"])
        except (CleancutError, OSError) as error:
            return {"failure": f"{name[-200:]}: {error}"}
        return {"failure": ""}


def inside(name: str, root: str) -> str:
    """Give where a result lies in its folder, without an extension; never outside it.

    >>> inside("s3://shop/photos/a/left.jpg", "s3://shop/photos"), inside("../../etc/x.jpg", "")
    ('a/left', 'etc/x')

    Raises:
        BadInput: nothing is left of the name.
    """
    plain = name.removeprefix(root) if root else re.sub(r"^[a-z0-9+]+://", "", name)
    parts = [part for part in PurePosixPath(plain.replace("\\", "/")).parts if part not in ("/", "..", ".")]
    if not parts or "\0" in plain:
        raise BadInput("It has no name that a file could have.")
    path = PurePosixPath(*parts)
    return str(path.with_suffix("") if path.suffix.lower() in PICTURES else path)


def _check_columns(columns: list[str] | None, column: str) -> None:
    there = columns or []
    if column not in there:
        raise BadInput(f"The rows have no column {column!r}; name the one with the bytes: {', '.join(there)[:500]}.")
    taken = sorted(set(there) & set(RESULTS))
    if taken:
        raise BadInput(f"The rows have a column {taken[0]!r} already, where results go; rename it.")


def _beside_reading(resources: Mapping[str, float], share: Share) -> int:
    """Count the workers that leave a processor for reading: without it nothing would come, and nobody would work."""
    left = {**resources, "CPU": resources.get("CPU", 0.0) - 1}
    return room_for(left, share)
