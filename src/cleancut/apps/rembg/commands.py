"""`cleancut rembg`: rembg's commands, flag by flag; the modules `rembg_…` beside this one do the work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

import cleancut
from cleancut.limits import ServiceLimits

Command = Callable[..., Any]

_LEVELS = {"critical": "error", "error": "error", "warning": "warning", "info": "info", "debug": "debug",
           "trace": "debug"}  # fmt: skip
"""Levels of rembg's server, and what ours calls them."""


def _flag(*names: str, help: str, **more: Any) -> Command:
    return click.option(*names, is_flag=True, help=help, **more)


_DECONTAMINATE = _flag("-dc", "--decontaminate", help="Estimate the colours of soft edges.")

_OPTIONS = (
    click.option("-m", "--model", default="cleancut-small", show_default=True, metavar="NAME", help="Model."),
    _flag("-a", "--alpha-matting", help="Refine the edge by closed-form matting (cleancut[matting])."),
    click.option("-af", "--alpha-matting-foreground-threshold", type=int, default=240, help="Belongs to -a. [240]"),
    click.option("-ab", "--alpha-matting-background-threshold", type=int, default=10, help="Belongs to -a. [10]"),
    click.option("-ae", "--alpha-matting-erode-size", type=int, default=10, help="Belongs to -a. [10]"),
    _flag("-om", "--only-mask", help="Write the alpha alone."),
    _flag("-ppm", "--post-process-mask", help="Smooth the alpha and make it hard: opaque or clear."),
    _flag("-vm", "--vitmatte", help="Refine the edge by ViTMatte."),
    click.option("-bgc", "--bgcolor", type=(click.IntRange(0, 255),) * 4, default=(0, 0, 0, 0), metavar="R G B A",
                 help="Colour to lay behind the subject. [0 0 0 0]"),
    click.option("-x", "--extras", metavar="JSON", help='More parameters, such as \'{"model_path": "mine.onnx"}\'.'),
)  # fmt: skip


def _asking(command: Command) -> Command:
    """Give a command the flags that say how a picture is cut."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["--help"]})
@click.version_option(cleancut.__version__, "-V", "--version", prog_name="cleancut rembg")
def rembg() -> None:
    """Take rembg's commands and flags; see docs/rembg.md for what differs."""


@rembg.command("i")
@_asking
@_DECONTAMINATE
@click.argument("source", metavar="[INPUT]", default="-")
@click.argument("result", metavar="[OUTPUT]", required=False)
def one(**given: Any) -> int:
    """Cut one picture: a file, or - for stdin.

    Without OUTPUT a terminal gets INPUT's name with .out.png beside it, a pipe the picture itself.
    """
    from cleancut.apps.rembg.files import cut_one  # noqa: PLC0415 - each command loads only what it needs

    return cut_one(**given)


@rembg.command("p")
@_asking
@_DECONTAMINATE
@_flag("-w", "--watch", help="Go on with what is put there, until Ctrl-C or a file stop.txt.")
@_flag("-d", "--delete_input", help="Delete each picture whose result was written.")
@_flag("--accept-usage-cost", help="Not needed: no model here costs anything by the picture.")
@_flag("--overwrite", help="Replace results that exist, which are skipped otherwise (not in rembg).")
@click.argument("source", metavar="INPUT", type=click.Path(path_type=Path))
@click.argument("result", metavar="OUTPUT", type=click.Path(path_type=Path))
def folder(**given: Any) -> int:
    """Cut every picture in the folder INPUT and below; the folder OUTPUT gets the same tree."""
    from cleancut.apps.rembg.folder import cut_folder  # noqa: PLC0415

    return cut_folder(**given)


@rembg.command("b")
@_asking
@click.option("-o", "--output_specifier", metavar="PATTERN", help="Files such as out-%03u.png, instead of stdout.")
@click.argument("image_width", type=click.IntRange(1))
@click.argument("image_height", type=click.IntRange(1))
def frames(**given: Any) -> int:
    """Cut a stream of frames: raw RGB of 24 bits from stdin; PNGs one after another to stdout."""
    from cleancut.apps.rembg.files import cut_frames  # noqa: PLC0415

    return cut_frames(**given)


@rembg.command("d")
@click.argument("models", nargs=-1)
def download(models: tuple[str, ...]) -> int:
    """Download the weights of MODELS, or of every model that is published."""
    from cleancut.apps.pulling import pull_models  # noqa: PLC0415
    from cleancut.apps.rembg.weights import published  # noqa: PLC0415

    return pull_models(models or published(), None)


@rembg.command("m")
@_flag("--dry-run", help="Say what would be done, and do nothing.")
@_flag("--delete-source", help="Remove each file there once it is copied.")
@_flag("--clean-orphans", help="Remove what interrupted downloads of rembg left behind.")
def migrate(**given: Any) -> int:
    """Copy the weights that rembg has downloaded, each checked, to where cleancut keeps its own."""
    from cleancut.apps.rembg.weights import migrate  # noqa: PLC0415

    return migrate(**given)


@rembg.command("s")
@click.option("-p", "--port", type=click.IntRange(0, 65_535), default=7000, help="[7000]")
@click.option("-h", "--host", default="127.0.0.1", help="Address to listen on. [127.0.0.1]")
@click.option("-l", "--log_level", type=click.Choice(_LEVELS), default="info", help="[info]")
@click.option("-t", "--threads", type=click.IntRange(1), help="Pictures that are worked on at once.")
@_flag("--no-ui", help="Show no web page at /.")
@_flag("--public", help="Let whoever can reach the address use it, without keys.")
def serve(*, host: str, port: int, log_level: str, threads: int | None, no_ui: bool, public: bool) -> int:
    """Serve HTTP: /api/remove as rembg has it, and all that cleancut serve has."""
    from cleancut.apps.serve import run  # noqa: PLC0415
    from cleancut.apps.server import settings_of  # noqa: PLC0415

    limits = ServiceLimits.from_env()
    if threads is not None:
        limits = replace(limits, workers=threads)
    level = _LEVELS[log_level]
    return run(settings_of(limits=limits, host=host, port=port, log_level=level, page=not no_ui, public=public))
