"""Train the close-up network on canvases; resumes from its last checkpoint."""

from __future__ import annotations

import copy
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.closeup.canvases import Canvases, blank, make
from training.closeup.network import Closeup
from training.data import SIDE, read
from training.losses import laplacian

CROP = 160
"""Side in pixels of what a step shows: a part of a canvas around an edge."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does.

    Attributes:
        data: folders of the training files.
        out: folder for canvases, checkpoints and the log.
        model: the ONNX file of cleancut-small.
        canvases: how many to make.
        samples: crops to show in all.
        batch: crops a step.
        rate: of learning.
        seed: of every draw.
        every: crops between two validations.
        minutes: stop after so many, to be resumed.
    """

    data: tuple[Path, ...]
    out: Path
    model: Path
    canvases: int = 2400
    samples: int = 60_000
    batch: int = 16
    rate: float = 2e-3
    seed: int = 5
    every: int = 4_800
    minutes: float = math.inf


def train(plan: Plan) -> None:
    """Make the canvases where they are not there yet, and train to the end of the plan or of its minutes."""
    plan.out.mkdir(parents=True, exist_ok=True)
    training, validation = _canvases(plan)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(plan.seed)
    network = Closeup().to(device)
    averaged = copy.deepcopy(network).eval().requires_grad_(False)
    optimizer = torch.optim.AdamW(network.parameters(), lr=plan.rate, weight_decay=0.01)
    steps, step, began = plan.samples // plan.batch, 0, time.monotonic()
    random = torch.Generator().manual_seed(plan.seed)
    last = plan.out / "last.pt"
    if last.exists():
        state = torch.load(last, map_location="cpu", weights_only=True)
        network.load_state_dict(state["network"])
        averaged.load_state_dict(state["averaged"])
        optimizer.load_state_dict(state["optimizer"])
        random.set_state(state["random"])
        step = state["step"]
    total = 0.0
    every = max(1, plan.every // plan.batch)
    while step < steps:
        for group in optimizer.param_groups:
            group["lr"] = plan.rate * min((step + 1) / 200, 0.5 * (1 + math.cos(math.pi * step / steps)))
        picture, coarse, truth = (part.to(device) for part in crops(training, plan.batch, random))
        with torch.autocast(device.type, torch.bfloat16):
            logits = network(picture, coarse)
        loss = punished(logits.float(), coarse, truth)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        _follow(averaged, network, min(0.998, (1 + step) / (10 + step)))
        step, total = step + 1, total + float(loss.detach()) / every
        late = (time.monotonic() - began) / 60 > plan.minutes
        if step % every == 0 or step == steps or late:
            found = validate(averaged, validation, device)
            line = {"samples": step * plan.batch, "loss": round(total, 4), "validation": found}
            with (plan.out / "log.jsonl").open("a") as log:
                log.write(json.dumps(line) + "\n")
            print(json.dumps(line), flush=True)
            total = 0.0
            part = last.with_suffix(".part")
            state = {"network": network.state_dict(), "averaged": averaged.state_dict(), "step": step}
            torch.save(state | {"optimizer": optimizer.state_dict(), "random": random.get_state()}, part)
            part.replace(last)
        if late:
            return


def crops(canvases: Canvases, count: int, random: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Cut parts out of canvases around a pixel where the truth is soft or the coarse alpha is wrong.

    Returns:
        pictures (N, 3, CROP, CROP) in [−1, 1], coarse alphas and truths (N, 1, CROP, CROP) in [0, 1].
    """
    parts = []
    for number in torch.randint(len(canvases.rgb), (count,), generator=random).tolist():
        rgb, alpha, coarse = canvases.rgb[number], canvases.alpha[number], canvases.coarse[number]
        soft = (alpha > 12) & (alpha < 243)
        there = (soft | ((alpha.int() - coarse.int()).abs() > 60))[0].nonzero()
        at = (
            there[int(torch.randint(len(there), (1,), generator=random))]
            if len(there)
            else torch.tensor([SIDE // 2] * 2)
        )
        top, left = (min(max(0, int(v) - CROP // 2), SIDE - CROP) for v in at)
        whole = torch.cat([rgb, coarse, alpha])[:, top : top + CROP, left : left + CROP]
        if torch.rand(1, generator=random) < 0.5:
            whole = whole.flip(2)
        parts.append(whole.rot90(int(torch.randint(4, (1,), generator=random)), (1, 2)))
    batch = torch.stack(parts).float() / 255
    gain = torch.empty(count, 3, 1, 1).uniform_(0.75, 1.25, generator=random)
    return (batch[:, :3] * gain).clamp(0, 1) * 2 - 1, batch[:, 3:4], batch[:, 4:]


def punished(logits: Tensor, coarse: Tensor, truth: Tensor) -> Tensor:
    """Weigh what is soft or wrong, which is a small part of a crop, as much as the rest."""
    alpha = torch.sigmoid(logits)
    band = ((truth > 0.02) & (truth < 0.98)) | ((coarse - truth).abs() > 0.1)
    weight = 1 + 4 * functional.max_pool2d(band.float(), 5, 1, 2)
    off = (alpha - truth).abs()
    return (off * weight).sum() / weight.sum() + 0.5 * laplacian(alpha - truth) + _slopes(alpha, truth)


def validate(network: nn.Module, canvases: Canvases, device: torch.device) -> dict[str, float]:
    """Measure how much smaller errors get: sums of |Δα| and of differences of slope, beside the coarse alpha's."""
    random = torch.Generator().manual_seed(0)
    sums = torch.zeros(4)
    for _ in range(24):
        picture, coarse, truth = (part.to(device) for part in crops(canvases, 8, random))
        with torch.inference_mode():
            alpha = torch.sigmoid(network(picture, coarse).float())
        pairs = [
            (alpha - truth).abs().sum(),
            (coarse - truth).abs().sum(),
            _slopes(alpha, truth),
            _slopes(coarse, truth),
        ]
        sums += torch.stack(pairs).cpu()
    return {"sad": round(float(sums[0] / sums[1]), 4), "slopes": round(float(sums[2] / sums[3]), 4)}


def _slopes(alpha: Tensor, truth: Tensor) -> Tensor:
    off = alpha - truth
    return (off.diff(dim=2).abs().mean() + off.diff(dim=3).abs().mean()) / 2


@torch.no_grad()
def _follow(averaged: nn.Module, network: nn.Module, keep: float) -> None:
    own, others = averaged.state_dict(), network.state_dict()
    for name, value in own.items():
        if value.is_floating_point():
            value.lerp_(others[name], 1 - keep)
        else:
            value.copy_(others[name])


def _canvases(plan: Plan) -> tuple[Canvases, Canvases]:
    """Make the canvases, or read those of an earlier start."""
    paths = plan.out / "canvases.pt", plan.out / "canvases-validation.pt"
    if not all(path.exists() for path in paths):
        data = read(list(plan.data))
        counts = (plan.canvases, max(16, plan.canvases // 12))
        for path, shelves, count in zip(paths, (data.training, data.validation), counts, strict=True):
            made = make(shelves, plan.model, count, plan.seed)
            kept = torch.from_numpy(~blank(made))
            Canvases(made.rgb[kept], made.alpha[kept], made.coarse[kept]).save(path)
    return Canvases.load(paths[0]), Canvases.load(paths[1])
