"""Batches beside `rembg p` and single calls, their memory, and their deaths: python -m bench.batch WHAT.

    python -m bench.batch speed U2NETP.onnx --rembg ENVIRONMENT --photos 200
    python -m bench.batch memory --photos 5000
    python -m bench.batch kill --photos 60 --kills 50

Speed is of whole commands, from start to the last file, run in turn so that a busy moment hits all; a ratio is the
median of the rounds' ratios. The photos are drawn, 1080p, and no two are alike.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from bench.machine import machine
from bench.serving import Memory
from bench.speed import HOME, photo, rembg_environment, surroundings

BATCH = [sys.executable, "-m", "cleancut", "batch"]
LOOP = """
import sys
from pathlib import Path
import cleancut
weights, source, out = sys.argv[1:]
engine = cleancut.Engine()
given = {"model": engine.add(weights, "u2netp"), "refine": "none", "foreground": "source"} if weights else {}
recipe = cleancut.recipe(**given)
Path(out).mkdir()
for path in sorted(Path(source).iterdir()):
    cleancut.cut(path, recipe, load=engine.load).save(Path(out, path.stem + ".png"))
"""


def photos(count: int, size: tuple[int, int] = (1920, 1080)) -> Path:
    """Draw so many photos, unless they are there from before."""
    folder = (HOME / f"photos-{size[0]}x{size[1]}-{count}").resolve()
    if folder.exists():
        return folder
    drawn = np.asarray(photo(*size))
    making = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    for number in range(count):
        turned = np.roll(drawn[:, :: -1 if number % 2 else 1], 7 * number, axis=1)
        Image.fromarray(turned).save(making / f"{number:05}.jpg", quality=92)
    making.rename(folder)
    return folder


def timed(command: list[str], out: Path, expected: int, environ: dict[str, str] | None = None) -> float:
    """Run a command that fills a folder; give its seconds."""
    shutil.rmtree(out, ignore_errors=True)
    start = time.perf_counter()
    done = subprocess.run(command, env=environ, capture_output=True, check=False)
    seconds = time.perf_counter() - start
    found = sum(1 for path in out.rglob("*.png") if path.is_file())
    if done.returncode or found != expected:
        raise SystemExit(f"{command[:4]} ended with {done.returncode} and {found} files: {done.stderr.decode()[-500:]}")
    return seconds


def speed(given: argparse.Namespace) -> None:
    """Print the table of speeds."""
    weights, source = given.weights.resolve(), photos(given.photos)
    environment = rembg_environment(given.rembg, weights)
    theirs = [str(environment / "bin" / "rembg"), "p", "-m", "u2netp"]
    same = ["-m", str(weights), "--like", "u2netp", "--refine", "none", "--foreground", "source"]
    print(f"{machine()}, {given.photos} photos of 1080p, {given.rounds} rounds\n")
    print("| | rembg p | single calls | batch | beside rembg | spread | beside single calls | spread |")
    print("|---|---|---|---|---|---|---|---|")
    for title, flags, model in (("same weights (u2netp)", same, str(weights)), ("each one's small default", [], "")):
        with tempfile.TemporaryDirectory(dir=HOME) as folder:
            out = Path(folder).resolve() / "out"
            commands: list[tuple[list[str], dict[str, str] | None]] = [
                ([*theirs, str(source), str(out)], surroundings(environment)),
                ([sys.executable, "-c", LOOP, model, str(source), str(out)], None),
                ([*BATCH, str(source), "-o", str(out), *flags], None),
            ]
            rounds = [[timed(c, out, given.photos, e) for c, e in commands] for _ in range(given.rounds)]
        rates = [f"{given.photos / statistics.median(column):.2f}/s" for column in zip(*rounds, strict=True)]
        cells = [title, *rates]
        for other in (0, 1):
            ratios = [one[other] / one[2] for one in rounds]
            cells += [f"**{statistics.median(ratios):.2f}×**", f"{min(ratios):.2f}–{max(ratios):.2f}"]
        print(f"| {' | '.join(cells)} |", flush=True)


def memory(given: argparse.Namespace) -> None:
    """Print memory by pictures done, and its growth after the first tenth."""
    source = photos(min(given.photos, 200))
    with tempfile.TemporaryDirectory(dir=HOME) as name:
        folder = Path(name).resolve()
        listed = sorted(source.iterdir())
        (folder / "in").mkdir()
        for number in range(given.photos):
            (folder / "in" / f"{number:06}.jpg").hardlink_to(listed[number % len(listed)])
        command = [*BATCH, str(folder / "in"), "-o", str(folder / "out"), "--json"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        held = Memory(psutil.Process(process.pid))
        assert process.stdout is not None
        for line in process.stdout:
            told = json.loads(line)
            held.done += told["event"] == "result"
            if told["event"] == "result":
                with suppress(OSError):  # the disk need not hold thousands of results
                    (folder / "out" / told["output"]).unlink()
        process.wait()
        held.stop()
    tenth = given.photos // 10
    first = held.between(tenth // 2, tenth)
    print(f"{machine()}, {given.photos} photos of 1080p\n\n| photos | MB |\n|---|---|")
    for number in range(1, 11):
        print(f"| {number * tenth} | {held.between((number - 1) * tenth, number * tenth):.0f} |")
    last = held.between(given.photos - tenth, given.photos)
    print(f"\nFrom {first:.0f} to {last:.0f} MB: {100 * (last / first - 1):+.1f} %.")


def digests(folder: Path) -> dict[str, str]:
    """Digest every result by its name."""
    found = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".cleancut"))
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def kill(given: argparse.Namespace) -> None:
    """Kill a batch again and again at random moments; compare what it leaves with an undisturbed run."""
    source, chance = photos(given.photos), random.Random(given.seed)
    with tempfile.TemporaryDirectory(dir=HOME) as name:
        calm, out = (Path(name).resolve() / part for part in ("calm", "out"))
        start = time.perf_counter()
        subprocess.run([*BATCH, str(source), "-o", str(calm)], check=True, capture_output=True)
        whole = time.perf_counter() - start
        expected, died = digests(calm), 0
        for _ in range(given.kills):
            died += _killed([*BATCH, str(source), "-o", str(out)], out / ".cleancut.jsonl", chance, whole / given.kills)
            wrong = {name for name, digest in digests(out).items() if expected.get(name) != digest}
            if wrong:
                raise SystemExit(f"half-written: {sorted(wrong)}")
        left = len(expected) - len(digests(out))
        subprocess.run([*BATCH, str(source), "-o", str(out)], check=True, capture_output=True)
        if digests(out) != expected:
            raise SystemExit("the results differ from those of an undisturbed run")
        remains = [path.name for path in out.rglob(".cleancut-*")]
        print(f"{died} of {given.kills} kills hit a batch at work; {left} of {len(expected)} results came last.")
        print(f"All results are those of an undisturbed run, byte for byte; {len(remains)} files are left over.")


def _killed(command: list[str], journal: Path, chance: random.Random, pace: float) -> bool:
    """Kill a batch some time after it has begun its work, or now and then while it starts; tell whether it lived."""
    before = journal.stat().st_size if journal.exists() else 0
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    starting = chance.random() < 0.1
    while not starting and process.poll() is None and not (journal.exists() and journal.stat().st_size > before):
        time.sleep(0.001)
    time.sleep(chance.uniform(0, 2 * pace))
    lived = process.poll() is None
    process.kill()
    process.wait()
    return lived


DOES: dict[str, Callable[[argparse.Namespace], None]] = {"speed": speed, "memory": memory, "kill": kill}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("what", choices=DOES)
    arguments.add_argument("weights", type=Path, nargs="?", help="u2netp.onnx, for speed")
    arguments.add_argument("--rembg", type=Path, help="an environment that has rembg; made if not given")
    arguments.add_argument("--photos", type=int, default=200)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--kills", type=int, default=50)
    arguments.add_argument("--seed", type=int, default=0)
    given = arguments.parse_args()
    if given.what == "speed" and given.weights is None:
        arguments.error("speed needs u2netp.onnx")
    HOME.mkdir(exist_ok=True)
    DOES[given.what](given)


if __name__ == "__main__":
    main()
