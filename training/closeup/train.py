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
from training.train import follow, write

CROP = 160
"""Side in pixels of what a step shows: a part of a canvas around an edge."""

TRIES = 20
"""Crops looked at until one is of use."""

PATCH, LOST = 32, 0.6
"""A coarse alpha that is off by more than this on average over a patch of this side has found something else."""


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


class Run:
    """A close-up network in training, with everything that a checkpoint must hold."""

    def __init__(self, plan: Plan) -> None:
        torch.manual_seed(plan.seed)
        self.plan = plan
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.training, self.validation = _canvases(plan)
        self.network = Closeup().to(self.device)
        self.averaged = copy.deepcopy(self.network).eval().requires_grad_(False)
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=plan.rate, weight_decay=0.01)
        self.random = torch.Generator().manual_seed(plan.seed)
        self.step = 0

    def train(self) -> None:
        """Train to the end of the plan, or until its minutes are over."""
        steps, every = self.plan.samples // self.plan.batch, max(1, self.plan.every // self.plan.batch)
        began, total = time.monotonic(), 0.0
        while self.step < steps:
            total += self._one_step(steps) / every
            self.step += 1
            late = (time.monotonic() - began) / 60 > self.plan.minutes
            if self.step % every == 0 or self.step == steps or late:
                self._report(total)
                total = 0.0
            if late:
                return

    def _one_step(self, steps: int) -> float:
        share = min((self.step + 1) / 200, 0.5 * (1 + math.cos(math.pi * self.step / steps)))
        for group in self.optimizer.param_groups:
            group["lr"] = self.plan.rate * share
        batch = crops(self.training, self.plan.batch, self.random)
        picture, coarse, truth = (part.to(self.device) for part in batch)
        with torch.autocast(self.device.type, torch.bfloat16):
            logits = self.network(picture, coarse)
        loss = punished(logits.float(), coarse, truth)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        follow(self.averaged, self.network, min(0.998, (1 + self.step) / (10 + self.step)))
        return float(loss.detach())

    def _report(self, loss: float) -> None:
        found = validate(self.averaged, self.validation, self.device)
        line = {"samples": self.step * self.plan.batch, "loss": round(loss, 4), "validation": found}
        with (self.plan.out / "log.jsonl").open("a") as log:
            log.write(json.dumps(line) + "\n")
        print(json.dumps(line), flush=True)
        state = {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "random": self.random.get_state(),
            "step": self.step,
        }
        write(state, self.plan.out / "last.pt")

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint."""
        state = torch.load(path, map_location="cpu", weights_only=True)
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.random.set_state(state["random"])
        self.step = state["step"]


def train(plan: Plan) -> None:
    """Make the canvases where they are not there yet, and carry out a plan from its last checkpoint."""
    plan.out.mkdir(parents=True, exist_ok=True)
    run = Run(plan)
    if (plan.out / "last.pt").exists():
        run.resume(plan.out / "last.pt")
    run.train()


def crops(canvases: Canvases, count: int, random: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Cut parts out of canvases around a pixel where the truth is soft or the coarse alpha is wrong.

    Returns:
        pictures (N, 3, CROP, CROP) in [−1, 1], coarse alphas and truths (N, 1, CROP, CROP) in [0, 1].
    """
    batch = torch.stack([_crop(canvases, random) for _ in range(count)]).float() / 255
    gain = torch.empty(count, 3, 1, 1).uniform_(0.75, 1.25, generator=random)
    return (batch[:, :3] * gain).clamp(0, 1) * 2 - 1, batch[:, 3:4], batch[:, 4:]


def _crop(canvases: Canvases, random: torch.Generator) -> Tensor:
    """Cut one part out of one canvas, turned at random: (5, CROP, CROP) uint8, colours, coarse alpha and truth."""
    for _ in range(TRIES):
        number = int(torch.randint(len(canvases.rgb), (1,), generator=random))
        alpha, coarse = canvases.alpha[number], canvases.coarse[number]
        soft = (alpha > 12) & (alpha < 243)
        there = (soft | ((alpha.int() - coarse.int()).abs() > 60))[0].nonzero()
        if not len(there):
            continue
        at = there[int(torch.randint(len(there), (1,), generator=random))]
        top, left = (min(max(0, int(v) - CROP // 2), SIDE - CROP) for v in at)
        whole = torch.cat([canvases.rgb[number], coarse, alpha])[:, top : top + CROP, left : left + CROP]
        if not lost(whole[3:4], whole[4:5]):
            break
    if torch.rand(1, generator=random) < 0.5:
        whole = whole.flip(2)
    return whole.rot90(int(torch.randint(4, (1,), generator=random)), (1, 2))


def lost(coarse: Tensor, truth: Tensor) -> bool:
    """Say whether a coarse alpha (1, H, W) uint8 is wrong over a whole patch: no look from close up tells why."""
    off = (coarse.float() - truth.float()).abs() / 255
    return bool(functional.avg_pool2d(off, PATCH, PATCH // 2).max() > LOST)


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
