"""`cleancut plan`: its flags, and which costs it takes."""

from __future__ import annotations

from typing import Any

import click

from cleancut.apps.ranges import Number


@click.command()
@click.option("--pictures", required=True, type=Number(1, 1e12), metavar="N", help="Pictures a day: 1e6.")
@click.option("--megapixels", type=Number(0.01, 250), default=2.1, metavar="M", help="Of each. [2.1]")
@click.option("-m", "--model", default="cleancut-small", metavar="NAME", help="Model that cuts. [cleancut-small]")
@click.option("--refine", type=click.Choice(["auto", "detail"]), default="auto", help="What is done to edges. [auto]")
@click.option("--cores", type=click.IntRange(1, 1024), default=16, metavar="N", help="Processors a machine. [16]")
@click.option("--memory", type=Number(0.1, 100_000), metavar="GB", help="Of a machine. [2 a processor]")
@click.option("--gbit", type=Number(0.001, 1_000), default=10.0, metavar="N", help="Network of it. [10]")
@click.option("--load", type=Number(0.05, 1), default=0.7, metavar="SHARE",
              help="How much of a machine the busiest hour may use. [0.7]")  # fmt: skip
@click.option("--busiest", type=Number(1, 24), default=2.5, metavar="N",
              help="Requests of the busiest hour, as a multiple of the mean. [2.5]")  # fmt: skip
@click.option("--repeats", type=Number(0, 1), default=0.0, metavar="SHARE",
              help="Requests that the result cache answers. [0]")  # fmt: skip
@click.option("--downloads", type=Number(0, 1e6), default=1.0, metavar="N", help="Of each result. [1]")
@click.option("--cdn", type=Number(0, 1), default=0.0, metavar="SHARE", help="Of those, by a CDN. [0]")
@click.option("--days", type=Number(0, 100_000), default=0.0, metavar="N", help="Results are kept. [0]")
@click.option("--price", type=Number(0, 1e6), default=0.0, metavar="N", help="Of a machine's hour. [0]")
@click.option("--kb-in", type=Number(0.1, 1e6), metavar="N", help="Size of a picture; by default measured.")
@click.option("--kb-out", type=Number(0.1, 1e6), metavar="N", help="Size of a result; by default measured.")
@click.option("--measure", is_flag=True, help="Measure this machine now, in place of the figures that come along.")
@click.option("--photo", metavar="FILE", help="Measure with this picture, not a drawn one; its size counts.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def plan(**given: Any) -> int:
    """Say what pictures a day take: processors, memory, bytes and machines.

    \b
    cleancut plan --pictures 1e6 --megapixels 12 --cores 16
    cleancut plan --pictures 1e8 --repeats 0.3 --cdn 0.95 --price 0.68
    cleancut plan --pictures 50000 -m u2net --measure
    """  # noqa: D301 - click reads the character \b
    from cleancut.apps.plan.run import make_plan  # noqa: PLC0415 - each command loads only what it needs

    return make_plan(**given)
