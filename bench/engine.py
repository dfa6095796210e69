"""What starting and running a network costs, by how it is told to: python -m bench.engine start|run|precision MODEL….

`start` measures in fresh processes, in turn; `run` the network alone and the whole road from JPEG to PNG at 1080p, in
turn; `precision MODEL FOLDER…` compares OpenVINO's answers with onnxruntime's on pictures. MODEL is a name, or a file
that is like u2netp. Medians of nine, and ratios of pairs. OpenVINO appears where it is installed.
"""

from __future__ import annotations

import io
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bench.machine import machine
from cleancut import Engine
from cleancut.apps.scene import scene
from cleancut.matting.pipeline import cut
from cleancut.matting.predict import fit_of, normalised, seen
from cleancut.matting.recipe import make
from cleancut.matting.write import encoded
from cleancut.models import openvino, sessions, weights
from cleancut.pictures.images import read

RUNS = 9

FRESH = """
import hashlib, resource, sys, time
import numpy as np
from cleancut.models.openvino import silent_openvino
from cleancut.models.sessions import silent_onnxruntime
path, way, width, height = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
picture, marks = np.zeros((1, 3, height, width), np.float32), [time.perf_counter()]
mark = lambda: marks.append(time.perf_counter())
library = silent_openvino() if way.startswith("OpenVINO") else silent_onnxruntime()
mark()
data = open(path, "rb").read(); hashlib.sha256(data).digest()
mark()
if way.startswith("OpenVINO"):
    core = library.Core()
    hint = {"INFERENCE_PRECISION_HINT": "bf16" if "bf16" in way else "f32", "PERFORMANCE_HINT": "LATENCY"}
    request = core.compile_model(core.read_model(data), "CPU", hint).create_infer_request()
    run = lambda: request.infer({0: picture})
else:
    options = library.SessionOptions()
    if way == "optimised graph":
        options.graph_optimization_level = library.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.enable_cpu_mem_arena = way != "no arena"
    options.enable_mem_pattern = way != "no pattern"
    session = library.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    wanted, given = [session.get_outputs()[0].name], session.get_inputs()[0].name
    run = lambda: session.run(wanted, {given: picture})
mark(); run(); mark()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
print(*((b - a) * 1000 for a, b in zip(marks, marks[1:])), peak)
"""


def paired(ways: dict[str, Callable[[], Any]], title: str) -> None:
    """Run ways in turn, a different one first each time, and print medians and the ratios of pairs to the first."""
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(-1, RUNS):
        names = list(ways)
        for way in names[turn % len(names) :] + names[: turn % len(names)]:
            start = time.perf_counter()
            ways[way]()
            if turn >= 0:
                taken[way].append((time.perf_counter() - start) * 1000)
    first = next(iter(taken.values()))
    for way, ms in taken.items():
        ratio = statistics.median(a / b for a, b in zip(ms, first, strict=True))
        print(f"| {title} | {way} | {statistics.median(ms):.1f} | {min(ms):.1f} | {ratio:.2f} |", flush=True)


def start(models: Iterable[str]) -> None:
    ways = ["as it is", "optimised graph", "no arena", "no pattern"]
    ways += ["OpenVINO fp32", "OpenVINO bf16"] if openvino.installed() else []
    print("| | | import | read, hash | session | first run | peak MB |\n|---|---|---|---|---|---|---|")
    for name in models:
        model = known(Engine("cpu"), name)
        path = str(weights.path_of(model.weights["network"]))
        with tempfile.TemporaryDirectory() as folder:
            optimised = str(Path(folder) / "graph.onnx")
            library = sessions.silent_onnxruntime()
            options = library.SessionOptions()
            options.optimized_model_filepath, options.log_severity_level = optimised, 4
            library.InferenceSession(path, options, providers=["CPUExecutionProvider"])
            taken: dict[str, list[list[float]]] = {way: [] for way in ways}
            for _ in range(RUNS):
                for way in ways:
                    given = [optimised if way == "optimised graph" else path, way, *map(str, model.input.size)]
                    done = subprocess.run([sys.executable, "-c", FRESH, *given], capture_output=True, check=True)
                    taken[way].append([float(number) for number in done.stdout.split()])
        for way, rows in taken.items():
            columns = " | ".join(f"{statistics.median(column):.0f}" for column in zip(*rows, strict=True))
            print(f"| {model.name} | {way} | {columns} |", flush=True)


def run(models: Iterable[str]) -> None:
    stream = io.BytesIO()
    Image.fromarray(scene(1920, 1080).photo.rgb).save(stream, "JPEG", quality=90)
    print("| | | ms | least | ratio |\n|---|---|---|---|---|")
    for name in models:
        networks: dict[str, Callable[[], Any]] = {}
        roads: dict[str, Callable[[], Any]] = {}
        for way, engine in told():
            loaded = engine.load(known(engine, name).name)
            picture = np.zeros((1, 3, *reversed(loaded.model.input.size)), np.float32)
            recipe = make(model=loaded.model.name)
            networks[way] = lambda loaded=loaded, picture=picture: loaded.network({"image": picture})
            roads[way] = lambda engine=engine, recipe=recipe: encoded(cut(stream.getvalue(), recipe, load=engine.load))
        paired(networks, f"{name}, network")
        paired(roads, f"{name}, 1080p JPEG to PNG")


def told() -> Iterable[tuple[str, Engine]]:
    """Engines that are told something different: what they are told counts when they load."""
    entries, spinning = sessions._ENTRIES, "session.force_spinning_stop"
    kept = entries.pop(spinning)
    yield "onnxruntime as it comes", Engine("cpu")
    entries["session.intra_op.allow_spinning"] = "0"
    yield "no spinning", Engine("cpu")
    del entries["session.intra_op.allow_spinning"]
    entries[spinning] = kept
    yield "no spinning after a run", Engine("cpu")
    for precision in ("fp32", "bf16") if openvino.installed() else ():
        yield f"OpenVINO {precision}", Engine("openvino", precision=precision)


def precision(given: list[str]) -> None:
    name, *folders = given
    engines = [Engine("cpu"), Engine("openvino"), Engine("openvino", precision="bf16")]
    reference, *others = [engine.load(known(engine, name).name) for engine in engines]
    print("| | pictures | largest: median | worst | mean: median | worst |\n|---|---|---|---|---|---|")
    found: dict[str, list[tuple[float, float]]] = {}
    paths = [path for folder in folders for path in sorted(Path(folder).iterdir())[:6]]
    for path in paths:
        picture, model = read(path), reference.model
        tensor = normalised(seen(picture, fit_of(picture, model.input)), model.input)
        expected = next(iter(reference.network({"image": tensor}).values()))
        for other in others:
            error = np.abs(next(iter(other.network({"image": tensor}).values())) - expected) * 255
            found.setdefault(other.precision, []).append((float(error.max()), float(error.mean())))
    for way, errors in found.items():
        (worst, mean) = zip(*errors, strict=True)
        numbers = (statistics.median(worst), max(worst), statistics.median(mean), max(mean))
        print(f"| {reference.model.name}, {way} | {len(paths)} | {' | '.join(f'{n:.2f}' for n in numbers)} |")


def known(engine: Engine, name: str) -> Any:
    return engine.model(engine.add(name, "u2netp") if name.endswith(".onnx") else name)


if __name__ == "__main__":
    print(f"{machine()}\n")
    {"start": start, "run": run, "precision": precision}[sys.argv[1]](sys.argv[2:])
