"""`cleancut cut`: each picture by itself, so that one that fails spoils no other."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cleancut.apps.files import Task, assets, make_folder, read_stdin, tasks, write_stdout
from cleancut.apps.options import stated
from cleancut.apps.screen import Screen, screen
from cleancut.errors import BadSetting, CannotWrite, CleancutError
from cleancut.limits import Limits
from cleancut.models.runtime import Engine, engine
from cleancut.types import Picture, Recipe

if TYPE_CHECKING:
    from cleancut.matting.cutout import Cutout


@dataclass(frozen=True, slots=True)
class Run:
    """What all pictures of one command share."""

    recipe: Recipe
    engine: Engine
    limits: Limits
    assets: Mapping[str, Picture]
    overwrite: bool
    as_json: bool
    explain: bool


def cut_files(
    *,
    files: tuple[str, ...],
    output: str | None,
    like: str | None,
    device: str,
    precision: str,
    overwrite: bool,
    as_json: bool,
    explain: bool,
    dry_run: bool,
    **given: Any,
) -> int:
    """Cut every picture that can be; give the exit code of the first that could not."""
    limits = Limits.from_env()
    limits = replace(limits, **{k: given[k] for k in ("max_bytes", "max_pixels") if given[k] is not None})
    running = engine(device, precision)
    fields = stated(given)
    model = chosen_model(running, fields.pop("model", None), like)
    with nullcontext() if dry_run else _warming(running, model):
        from cleancut.matting import recipe as recipes  # noqa: PLC0415 - after the thread has started
        from cleancut.matting.write import format_of  # noqa: PLC0415

        recipe = recipes.make(**fields, model=model)
        planned = tasks(files, output, recipe.format)
        if any(task.result is None for task in planned) and as_json:
            raise BadSetting("--json and a picture cannot both go to stdout; name an output with -o FILE.")
        for task in planned:
            if task.result is not None and recipe.format is None:
                format_of(task.result)  # an extension of no format is said before any work
        if dry_run:
            return _dry_run(planned, overwrite)
        run = Run(recipe, running, limits, assets(recipe, limits), overwrite, as_json, explain)
        return _cut_each(planned, run)


def chosen_model(running: Engine, model: str | None, like: str | None) -> str:
    """Give the name of a model, or of several joined by +; a file on disk is added to the engine first.

    Raises:
        BadSetting: a file without --like, or --like without a file.
    """
    parts = [model or Recipe().model] if model is None or Path(model).is_file() else model.split("+")
    files = [part for part in parts if part.endswith(".onnx")]
    if files and like is None:
        raise BadSetting(f"Say what {Path(files[0]).name} takes and answers: --like NAME, such as --like u2netp.")
    if like is not None and not files:
        raise BadSetting("--like goes with a model file: -m FILE.onnx --like NAME.")
    # One that is not there is said once, before any picture is read.
    return "+".join(running.add(part, like) if like and part in files else running.model(part).name for part in parts)


@contextmanager
def _warming(running: Engine, model: str) -> Iterator[None]:
    """Load onnxruntime and the weights while arguments and pictures are read."""
    thread = threading.Thread(target=_warm, args=(running, model), daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join()  # a process that ends while onnxruntime makes a session is aborted, whatever its exit code


def _warm(running: Engine, model: str) -> None:
    """Load the network that will be asked first."""
    try:
        running.load(model.partition("+")[0])
    except CleancutError:
        return  # the same failure comes again where the network is needed, and is told there


def _dry_run(planned: list[Task], overwrite: bool) -> int:
    for task in planned:
        exists = task.result is not None and task.result.exists() and not overwrite
        note = "  (exists; needs --overwrite)" if exists else ""
        click.echo(f"{task.name} -> {task.result or 'stdout'}{note}")
    return 0


def _cut_each(planned: list[Task], run: Run) -> int:
    code = 0
    written: set[Path] = set()
    with screen(len(planned)) as shown:
        for task in planned:
            try:
                if task.result in written:
                    raise CannotWrite(f"{task.name} has the same result {task.result} as another picture of this run.")
                _cut_one(task, run, shown)
            except CleancutError as error:
                code = code or error.exit_code
                shown.word(f"cleancut: {error}")
                if run.as_json:
                    failure = {"input": task.name, "error": str(error), "kind": type(error).__name__}
                    shown.result(json.dumps(failure, ensure_ascii=False))
            if task.result is not None:
                written.add(task.result)
            shown.advance()
    return code


def _cut_one(task: Task, run: Run, shown: Screen) -> None:
    from cleancut.matting.pipeline import cut  # noqa: PLC0415
    from cleancut.matting.write import encoded  # noqa: PLC0415

    if task.result is not None and task.result.exists() and not run.overwrite:
        raise CannotWrite(f"{task.result} exists; use --overwrite to replace it.")
    start = time.perf_counter()
    source = read_stdin(run.limits) if task.source is None else task.source
    cutout = cut(source, run.recipe, load=run.engine.load, assets=run.assets, limits=run.limits)
    if task.result is None:
        write_stdout(encoded(cutout))
    else:
        make_folder(task.result.parent)
        cutout.save(task.result, overwrite=run.overwrite)
    seconds = time.perf_counter() - start
    if run.explain:
        shown.word(str(_explain(task, run, cutout)))
    for note in cutout.notes:
        shown.word(f"{task.name}: {note}")
    if run.as_json:
        line = {"input": task.name, "output": str(task.result), **asdict(cutout.report)}
        shown.result(json.dumps({**line, "seconds": round(seconds, 3)}, ensure_ascii=False))
    elif task.result is not None:
        shown.result(str(task.result))


def _explain(task: Task, run: Run, cutout: Cutout) -> Path:
    """Write the sheet of a cutout beside its result; give its path."""
    from cleancut.apps.explain import sheet  # noqa: PLC0415
    from cleancut.pictures.files import replacing  # noqa: PLC0415

    place = (task.result or Path("stdin.png")).with_suffix("")
    path = place.with_name(f"{place.name}_explained.png")
    with replacing(path, run.overwrite) as stream:
        sheet(cutout, run.engine.load).save(stream, "PNG")
    return path
