"""The command `cleancut batch`: its flags, those of recipes and limits included."""

from __future__ import annotations

from typing import Any

import click

from cleancut.apps.batch.options import source_options
from cleancut.apps.clustering import cluster_options
from cleancut.apps.options import limit_options, recipe_options
from cleancut.models.devices import PRECISIONS


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="SOURCES…")
@click.option("-o", "--output", required=True, metavar="DIR|ZIP|URL", help="Where results go.")
@click.option("--name", "pattern", default="", metavar="PATTERN", help="How results are named. [{stem}.{ext}]")
@click.option("--variant", "variants", multiple=True, metavar="NAME=JSON|FILE",
              help="One of several results of each picture: a recipe over the other flags; repeat.")  # fmt: skip
@source_options
@recipe_options
@click.option("--like", metavar="NAME", help="With -m FILE.onnx: the model whose input and output it shares.")
@cluster_options
@click.option("--device", default="auto", metavar="NAME", help="cpu, cuda, … An absent one is an error. [auto]")
@click.option("--precision", type=click.Choice(PRECISIONS), default="auto", help="Arithmetic of the network. [auto]")
@click.option("--workers", type=click.IntRange(1, 256), metavar="N",
              help="Pictures worked on at once. [one for each processor]")  # fmt: skip
@click.option("--ahead", type=click.IntRange(1, 10_000), metavar="N",
              help="Pictures in memory at once at the most. [three for each worker]")  # fmt: skip
@limit_options
@click.option("--journal", metavar="FILE", help="What was done; a second run continues from it. [beside the results]")
@click.option("--force", is_flag=True, help="Make again what is done already.")
@click.option("--retry-failed", is_flag=True, help="Try again what failed in an earlier run.")
@click.option("--max-errors", type=click.IntRange(0), metavar="N", help="Stop once more than so many have failed.")
@click.option("--overwrite", is_flag=True, help="Replace files that no run of this batch has made.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON for each result.")
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
def batch(**given: Any) -> int:
    """Cut every picture of SOURCES: folders, patterns such as "*.jpg", lists, tables, archives, addresses, pictures.

    \b
    cleancut batch photos -o cut                    the same tree of results
    cleancut batch photos -o cut                    again: only what is new or has changed
    cleancut batch photos -o cut --retry-failed
    cleancut batch photos.zip -o cut.zip --preset amazon --review 0.8 --report report.html
    cleancut batch products.csv -o s3://shop/cut --journal batch.jsonl
    cleancut batch incoming -o cut --watch
    cleancut batch photos -o cut --variant white=white.json --variant clear={}

    Ends with 0 if every picture has its results.
    """  # noqa: D301 - click reads the character \b
    from cleancut.apps.batch.doing import run  # noqa: PLC0415 - each command loads only what it needs

    return run(**given)
