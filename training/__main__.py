"""The commands of training: python -m training COMMAND --help."""

from __future__ import annotations

from pathlib import Path

import click

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
OUT = click.Path(file_okay=False, path_type=Path)


@click.group()
def main() -> None:
    """Make cleancut-small: label, train, export; smoke tries the whole road on ten pictures."""


@main.command()
@click.argument("unlabelled", nargs=-1, required=True, type=FILE)
@click.option("--out", required=True, type=OUT, help="Folder to write the tars of pairs to.")
@click.option("--teacher", required=True, help="A model's name, or an ONNX file with --like.")
@click.option("--like", help="The model whose table the teacher's file has.")
@click.option("--most", type=int, help="Pictures of a tar at the most.")
def label(unlabelled: tuple[Path, ...], out: Path, teacher: str, like: str | None, most: int | None) -> None:
    """Label tars of pictures with a teacher, keeping those on which its views agree."""
    from training.labels import label as run  # noqa: PLC0415 - each command loads what it needs

    run(list(unlabelled), out, teacher, like, most)


@main.command()
@click.argument("data", nargs=-1, required=True, type=FOLDER)
@click.option("--out", required=True, type=OUT, help="Folder for checkpoints and the log; goes on from its last one.")
@click.option("--encoder", type=FILE, help="The encoder's first weights (.npz).")
@click.option("--start", type=FILE, help="A checkpoint to start from.")
@click.option("--leave-out", multiple=True, help="A source to do without.")
@click.option("--samples", default=90_000, show_default=True, help="Pictures to show in all.")
@click.option("--sides", type=(int, int, int), default=(256, 288, 320), show_default=True, help="Of the pictures.")
@click.option("--batch", default=12, show_default=True, help="Pictures a step.")
@click.option("--rate", default=1e-3, show_default=True, help="Learning rate of the decoder.")
@click.option("--encoder-rate", default=2e-4, show_default=True, help="Learning rate of the encoder.")
@click.option("--frozen", default=3, show_default=True, help="Blocks of the encoder that are not trained.")
@click.option("--seed", default=7, show_default=True)
@click.option("--every", default=6_000, show_default=True, help="Pictures between two validations.")
@click.option("--most", type=int, help="Pictures of a source at the most.")
@click.option("--minutes", type=float, default=float("inf"), help="Stop after so many, to be resumed.")
def train(data: tuple[Path, ...], out: Path, leave_out: tuple[str, ...], **settings: object) -> None:
    """Train the network on the files in the folders DATA."""
    from training.train import Plan  # noqa: PLC0415
    from training.train import train as run  # noqa: PLC0415

    run(Plan(data=data, out=out, leave_out=leave_out, **settings))  # type: ignore[arg-type]


@main.command()
@click.argument("checkpoint", type=FILE)
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--side", default=320, show_default=True, help="Of the input, in pixels.")
def export(checkpoint: Path, out: Path, side: int) -> None:
    """Write a checkpoint as an ONNX file, and compare both."""
    from training.export import export as run  # noqa: PLC0415

    print(f"The file's answers differ by {run(checkpoint, out, side):.2g} at the most.")


@main.command()
@click.argument("data", nargs=-1, required=True, type=FOLDER)
@click.option("--out", required=True, type=OUT, help="Folder for canvases, checkpoints and the log.")
@click.option("--model", required=True, type=FILE, help="The ONNX file of cleancut-small.")
@click.option("--canvases", default=2_400, show_default=True, help="Pictures with true alpha to make.")
@click.option("--samples", default=60_000, show_default=True, help="Crops to show in all.")
@click.option("--batch", default=16, show_default=True, help="Crops a step.")
@click.option("--rate", default=2e-3, show_default=True, help="Learning rate.")
@click.option("--every", default=4_800, show_default=True, help="Crops between two validations.")
@click.option("--minutes", type=float, default=float("inf"), help="Stop after so many, to be resumed.")
def closeup(data: tuple[Path, ...], **settings: object) -> None:
    """Train the close-up network on canvases made from the files in the folders DATA."""
    from training.closeup.train import Plan, train  # noqa: PLC0415

    train(Plan(data=data, **settings))  # type: ignore[arg-type]


@main.command()
@click.argument("checkpoint", type=FILE)
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
def export_closeup(checkpoint: Path, out: Path) -> None:
    """Write the close-up network's checkpoint as an ONNX file, and compare both."""
    from training.export import export_closeup as run  # noqa: PLC0415

    print(f"The file's answers differ by {run(checkpoint, out):.2g} at the most.")


@main.command()
@click.argument("model", type=FILE)
@click.argument("data", nargs=-1, required=True, type=FOLDER)
def calibrate(model: Path, data: tuple[Path, ...]) -> None:
    """Print what a model's confidence is worth, measured on the validation split."""
    from training.calibrate import calibrate as run  # noqa: PLC0415

    run(model, list(data))


@main.command()
@click.argument("logs", nargs=-1, required=True, type=FILE)
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The SVG to write.")
def curves(logs: tuple[Path, ...], out: Path) -> None:
    """Draw the logs of one or several runs."""
    from training.curves import draw  # noqa: PLC0415

    draw(list(logs), out)


@main.command()
def smoke() -> None:
    """Go the whole road with ten drawn pictures."""
    from training.smoke import smoke as run  # noqa: PLC0415

    run()


if __name__ == "__main__":
    main(prog_name="python -m training")
