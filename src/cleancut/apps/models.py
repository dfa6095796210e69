"""`cleancut models`: what there is, and getting, proving, finding and accepting it."""

from __future__ import annotations

from typing import Any

import click

from cleancut.apps.ranges import Number


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def models(ctx: click.Context, as_json: bool) -> int:
    """List the models that -m takes; get, check, find and accept them."""
    from cleancut.apps.listing import show_models  # noqa: PLC0415 - each command loads only what it needs

    return 0 if ctx.invoked_subcommand else show_models(as_json)


@models.result_callback()
def _code(code: int, **_: Any) -> int:
    """Hand on the exit code of the command that ran."""
    return code


@models.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME…")
@click.option("--mirror", metavar="URL", help="Folder of weights to ask instead of the publisher. [$CLEANCUT_MIRROR]")
def pull(names: tuple[str, ...], mirror: str | None) -> int:
    """Download weights, or go on where a download was cut. Prints their paths."""
    from cleancut.apps.pulling import pull_models  # noqa: PLC0415

    return pull_models(names, mirror)


@models.command()
@click.argument("names", nargs=-1, metavar="[NAME…]")
def verify(names: tuple[str, ...]) -> int:
    """Hash weights that are here and compare them with their tables; by default all of them."""
    from cleancut.apps.pulling import verify_models  # noqa: PLC0415

    return verify_models(names)


@models.command()
@click.argument("name", metavar="NAME")
def path(name: str) -> int:
    """Print where a model's weights are, or belong."""
    from cleancut.apps.pulling import show_paths  # noqa: PLC0415

    return show_paths(name)


@models.command()
@click.argument("name", metavar="NAME")
def accept(name: str) -> int:
    """Accept the licence of a model that may not be used commercially, so that it runs."""
    from cleancut.apps.pulling import accept_license  # noqa: PLC0415

    return accept_license(name)


@models.command()
@click.argument("name", metavar="NAME|FILE.onnx")
@click.option("--like", metavar="NAME", help="With FILE.onnx: the model whose input and output it shares.")
@click.option("--calibrate", "folder", required=True, metavar="DIR", help="Pictures of the kind that it will be shown.")
@click.option("--pictures", type=click.IntRange(8, 10_000), default=96, metavar="N", help="Use so many at most. [96]")
@click.option("--most-loss", type=click.FloatRange(0, 1), default=0.02, metavar="D",
              help="Mean absolute difference of alpha from which nothing is written. [0.02]")  # fmt: skip
@click.option(
    "-o", "--output", metavar="FILE", help="Where to write; NAME-int8.onnx in the folder of weights by default."
)
@click.option("--overwrite", is_flag=True, help="Replace a file that exists.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def quantize(name: str, **given: Any) -> int:
    """Make a model in 8 bits, smaller and faster, and measure what that loses and gains."""
    from cleancut.apps.quantizing import quantize_model  # noqa: PLC0415

    return quantize_model(name, **given)


@models.command("export-triton")
@click.argument("name", metavar="NAME|FILE.onnx")
@click.argument("folder", metavar="DIR")
@click.option("--like", metavar="NAME", help="With FILE.onnx: the model whose input and output it shares.")
@click.option("--backend", type=click.Choice(["onnxruntime", "python"]), default="onnxruntime",
              help="Triton's own, or onnxruntime in the server's Python. [onnxruntime]")  # fmt: skip
@click.option("--batch", type=click.IntRange(1, 1024), default=16, metavar="N", help="Pictures in one run. [16]")
@click.option("--delay", type=click.IntRange(0, 1_000_000), default=2_000, metavar="US",
              help="Microseconds for which the first picture of a batch waits for others. [2000]")  # fmt: skip
@click.option("--queue", type=click.IntRange(1, 100_000), default=256, metavar="N", help="Requests that wait. [256]")
@click.option("--seconds", type=Number(0.05, 600), default=30.0, metavar="S", help="Longest wait. [30]")
@click.option("--instances", type=click.IntRange(1, 64), default=1, metavar="N", help="Copies, on each card. [1]")
@click.option("--kind", type=click.Choice(["auto", "cpu", "gpu"]), default="auto", help="What runs them. [auto]")
@click.option("--tensorrt", type=click.Choice(["fp32", "fp16"]), help="Let TensorRT compute it, in this precision.")
@click.option("--threads", type=click.IntRange(0, 1024), default=0, metavar="N",
              help="Threads of one run on processors; 0 is one a processor. [0]")  # fmt: skip
@click.option("--version", type=click.IntRange(1, 10**9), default=1, metavar="N", help="The model's version. [1]")
@click.option("--overwrite", is_flag=True, help="Replace a version that exists.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def export_triton(name: str, folder: str, **given: Any) -> int:
    """Write a model repository for NVIDIA Triton: graph and configuration, batching included."""
    from cleancut.apps.exporting import export_triton as export  # noqa: PLC0415

    return export(name, folder, **given)
