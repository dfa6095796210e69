"""What a picture costs, by model and size: python -m bench.units [--write] [MODEL[:detail]…].

Prints the table of docs/scale.md; --write also puts the figures into the package, where `cleancut plan` reads them.
Each size runs in a process of its own, on one thread, warm; scenes drawn by formula as JPEG of quality 90, results PNG.
"""

from __future__ import annotations

import argparse
import dataclasses
import json

from bench.machine import machine
from cleancut.apps.plan.measure import measured, size_of
from cleancut.apps.plan.units import FILE, Cost

SIZES = (0.3, 1.0, 2.1, 8.3, 12.0, 24.0)
RUNS = 5

HEAD = "# Written by python -m bench.units --write: what a picture costs, by model and size. See docs/scale.md.\n\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=["cleancut-small", "cleancut-small:detail"])
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--runs", type=int, default=RUNS)
    given = parser.parse_args()
    print(f"{machine()}\n")
    print("| | MP | CPU s | wall s | in kB | out kB | idle MB | peak MB |\n|---|---|---|---|---|---|---|---|")
    parts = [f"{HEAD}machine = {json.dumps(machine())}\n"]
    for named in given.models:
        model, _, refine = named.partition(":")
        refine = refine or "auto"
        for megapixels in SIZES:
            cost = measured(model, refine, size_of(megapixels), given.runs)
            print(line(f"{model}, {refine}", cost), flush=True)
            stated = {"model": model, "refine": refine, **dataclasses.asdict(cost)}
            parts.append("[[picture]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in stated.items()))
    if given.write:
        FILE.write_text("\n".join(parts))


def line(title: str, cost: Cost) -> str:
    sizes = (cost.bytes_in / 1e3, cost.bytes_out / 1e3, cost.idle_bytes / 1e6, cost.peak_bytes / 1e6)
    numbers = " | ".join(f"{number:,.0f}" for number in sizes)
    return f"| {title} | {cost.megapixels:.1f} | {cost.cpu_seconds:.3f} | {cost.seconds:.3f} | {numbers} |"


if __name__ == "__main__":
    main()
