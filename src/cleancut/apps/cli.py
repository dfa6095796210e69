"""The command line: `cleancut photo.jpg` and its other commands.

Results go to stdout, words to stderr. What fails ends with one sentence and the exit code of `errors.py`.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import click

import cleancut
from cleancut.apps import completion
from cleancut.apps.batch.command import batch
from cleancut.apps.feedback.commands import feedback
from cleancut.apps.jobs import jobs
from cleancut.apps.keys.commands import keys, usage
from cleancut.apps.models import models
from cleancut.apps.options import limit_options, recipe_options
from cleancut.apps.plan.commands import plan
from cleancut.apps.rembg.commands import rembg
from cleancut.apps.serve import serve
from cleancut.apps.worker import worker
from cleancut.errors import CleancutError
from cleancut.models.devices import PRECISIONS

INTERRUPTED = 130


class Commands(click.Group):
    """Commands by name; what is no command is a picture, so that `cleancut photo.jpg` needs none."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `cut` before arguments that name no command."""
        if args and args[0] not in self.commands and args[0] not in {"--help", "-h", "--version"}:
            args = ["cut", *args]
        return super().parse_args(ctx, args)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="cleancut FILES… is short for cleancut cut FILES…; see cleancut cut --help.",
)
@click.version_option(cleancut.__version__, prog_name="cleancut")
def cli() -> None:
    """Remove the background of pictures, offline.

    \b
    cleancut photo.jpg                     writes photo_no_bg.png beside it
    cleancut photos/*.jpg -o out/          many at once
    cleancut photo.jpg -e color:white -f jpeg
    cleancut demo                          a picture of our own, to see it work
    """  # noqa: D301 - click reads the character \b


@cli.command()
@click.argument("files", nargs=-1, required=True, metavar="FILES…")
@click.option(
    "-o",
    "--output",
    metavar="FILE|DIR/|-",
    help="Where to write; - is stdout. Beside each picture by default.",
)
@recipe_options
@click.option("--like", metavar="NAME", help="With -m FILE.onnx: the model whose input and output it shares.")
@click.option("--device", default="auto", metavar="NAME", help="cpu, cuda, … An absent one is an error. [auto]")
@click.option("--precision", type=click.Choice(PRECISIONS), default="auto", help="Arithmetic of the network. [auto]")
@limit_options
@click.option("--overwrite", is_flag=True, help="Replace results that exist.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON a picture.")
@click.option("--explain", is_flag=True, help="Also write a contact sheet of every stage with its milliseconds.")
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
def cut(**given: Any) -> int:
    """Remove the background of FILES: pictures, patterns such as "*.jpg", or - for stdin."""
    from cleancut.apps.cut import cut_files  # noqa: PLC0415 - each command loads only what it needs

    return cut_files(**given)


@cli.command()
@click.option("-o", "--output", default="cleancut-demo", metavar="DIR", help="Folder to write to. [cleancut-demo]")
@click.option("--seed", default=7, metavar="N", help="Draw another scene. [7]")
@click.option("--overwrite", is_flag=True, help="Replace results that exist.")
@recipe_options
def demo(**given: Any) -> int:
    """Draw a photo whose alpha is known exactly, cut it out, and measure the error."""
    from cleancut.apps.demo import run  # noqa: PLC0415

    return run(**given)


@cli.command()
@click.argument("result", type=click.Path(dir_okay=False))
@click.argument("source", type=click.Path(dir_okay=False))
@click.option("-o", "--output", metavar="FILE", help="Where to write. RESULT's name with _replayed by default.")
@click.option("--asset", "assets", multiple=True, metavar="FILE", help="A picture the recipe used; repeat for more.")
@click.option("-m", "--model", metavar="FILE", help="The model file, where the result was made by one from disk.")
@click.option("--like", metavar="NAME", help="With -m: the model whose input and output it shares.")
@click.option("--device", default="auto", metavar="NAME", help="Device to run on. [auto]")
@click.option("--overwrite", is_flag=True, help="Replace a file that exists.")
def replay(**given: Any) -> int:
    """Make RESULT again from SOURCE, by the recipe that RESULT carries."""
    from cleancut.apps.replay import run  # noqa: PLC0415

    return run(**given)


@cli.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="[B]", required=False)
@click.option("-m", "--model", "models", multiple=True, metavar="NAME", help="Cut A by this model; give two.")
@click.option("-r", "--recipe", "recipes", multiple=True, metavar="JSON|FILE", help="Cut A by this recipe; give two.")
@click.option("--like", metavar="NAME", help="With -m FILE.onnx: the model whose input and output it shares.")
@click.option("--truth", metavar="FILE|DIR", help="The right alpha: a mask or a cut-out.")
@click.option("--html", "report", metavar="FILE", help="Write a report with pictures, in one file.")
@click.option("--device", default="auto", metavar="NAME", help="Device to run on. [auto]")
@limit_options
@click.option("--overwrite", is_flag=True, help="Replace a report that exists.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def compare(**given: Any) -> int:
    """Compare the cut-outs A and B, or the photo A cut in two ways; folders are compared name by name.

    \b
    cleancut compare a.png b.png --truth mask.png
    cleancut compare photo.jpg -m u2netp -m cleancut-small+u2netp --html report.html
    cleancut compare photos/ -r one.json -r '{"refine": ["matting"]}' --truth masks/
    """  # noqa: D301 - click reads the character \b
    from cleancut.apps.compare.run import run  # noqa: PLC0415

    return run(**given)


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def effects(as_json: bool) -> int:
    """List the effects that -e takes and the steps that --refine takes."""
    from cleancut.apps.listing import show_steps  # noqa: PLC0415

    return show_steps(as_json)


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON, recipes included.")
def presets(as_json: bool) -> int:
    """List the recipes that --preset takes, yours included."""
    from cleancut.apps.listing import show_presets  # noqa: PLC0415

    return show_presets(as_json)


@cli.command()
@click.option("--device", default="auto", metavar="NAME", help="Device to try. [auto]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(device: str, as_json: bool) -> int:
    """Print versions, devices, limits and folders, and run the model once."""
    from cleancut.apps.doctor import run  # noqa: PLC0415

    return run(device, as_json)


cli.add_command(batch)
cli.add_command(completion.completion)
cli.add_command(feedback)
cli.add_command(jobs)
cli.add_command(keys)
cli.add_command(models)
cli.add_command(plan)
cli.add_command(rembg)
cli.add_command(serve)
cli.add_command(usage)
cli.add_command(worker)


def main(args: list[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    # Strips already keep every processor busy: threads of numpy's BLAS would only fight them, and cost 50 ms to start.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.exit(run(sys.argv[1:] if args is None else args))


def run(args: list[str]) -> int:
    """Run the command line; give its exit code. No failure of ours shows a traceback."""
    try:
        code = cli.main(args, prog_name="cleancut", standalone_mode=False)
        sys.stdout.flush()
        return int(code or 0)
    except CleancutError as error:
        click.echo(f"cleancut: {error}", err=True)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("cleancut: interrupted.", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader left, as `head` does; closing stderr too keeps Python from complaining at its end.
        sys.stderr.close()
        return 141
