"""Train the network: one command on a CPU and on a GPU, resuming from where it stopped."""

from __future__ import annotations

import copy
import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from training.augment import Batch, Mixer
from training.data import Data, Shelf, Use, read
from training.losses import losses, total
from training.network import Small

STARTS = (0.0, 0.45, 0.75)
"""From which share of the run on pictures have the first, second and third side: coarse things are learnt first."""

EMPTY_ALPHA = 0.02
"""Mean alpha below which a picture without a subject counts as found empty."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does.

    Attributes:
        data: folders of the training files.
        out: folder for checkpoints and the log.
        encoder: the encoder's first weights (.npz); None starts from chance.
        start: a checkpoint whose network to start from instead.
        leave_out: sources to do without.
        samples: pictures to show in all.
        sides: of the pictures, in turn as `STARTS` says; multiples of 32. Validation asks at the last.
        batch: pictures a step.
        rate: of learning, for the decoder; the encoder's is `encoder_rate`.
        frozen: layers of the encoder that are not trained, counted in blocks; they cost memory and time most.
        average: how slowly the averaged network follows, a step.
        seed: of every draw.
        every: pictures between two validations.
        most: pictures of a source at the most, for a rehearsal.
        minutes: stop after so many, with a checkpoint, to be resumed.
    """

    data: tuple[Path, ...]
    out: Path
    encoder: Path | None = None
    start: Path | None = None
    leave_out: tuple[str, ...] = ()
    samples: int = 90_000
    sides: tuple[int, int, int] = (256, 288, 320)
    batch: int = 12
    rate: float = 1e-3
    encoder_rate: float = 2e-4
    frozen: int = 3
    average: float = 0.998
    seed: int = 7
    every: int = 6_000
    most: int | None = None
    minutes: float = math.inf


class Run:
    """A network in training, with everything that a checkpoint must hold.

    Args:
        plan: what to do.
        data: the pictures; they move to the device whole.
    """

    def __init__(self, plan: Plan, data: Data) -> None:
        torch.manual_seed(plan.seed)
        self.plan = plan
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network = _fresh(plan).to(self.device, memory_format=torch.channels_last)
        self.averaged = copy.deepcopy(self.network).eval().requires_grad_(False)
        self.optimizer = _optimizer(self.network, plan)
        self.mixer = Mixer({use: shelf.to(self.device) for use, shelf in data.training.items()}, plan.seed)
        self.validation = data.validation
        self.step = 0
        self.best = -math.inf

    @property
    def steps(self) -> int:
        """Of the whole run."""
        return self.plan.samples // self.plan.batch

    def train(self) -> None:
        """Train to the end of the plan, or until its minutes are over."""
        every = max(1, self.plan.every // self.plan.batch)
        began, sums = time.monotonic(), dict[str, float]()
        while self.step < self.steps:
            for name, value in self._one_step().items():
                sums[name] = sums.get(name, 0.0) + value / every
            self.step += 1
            late = (time.monotonic() - began) / 60 > self.plan.minutes
            if self.step % every == 0 or self.step == self.steps or late:
                self._report(sums, time.monotonic() - began)
                sums = {}
            if late:
                return

    def _one_step(self) -> dict[str, float]:
        share = self.step / self.steps
        side = max((start, side) for start, side in zip(STARTS, self.plan.sides, strict=True) if share >= start)[1]
        for group in self.optimizer.param_groups:
            group["lr"] = group["full"] * _rate(self.step, self.steps)
        batch = self.mixer.batch(self.plan.batch, side)
        terms = self._terms(batch)
        loss = total(terms)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimizer.step()
        follow(self.averaged, self.network, min(self.plan.average, (1 + self.step) / (10 + self.step)))
        return {name: float(value.detach()) for name, value in terms.items()} | {"loss": float(loss.detach())}

    def _terms(self, batch: Batch) -> dict[str, Tensor]:
        self.network.train()
        with torch.autocast(self.device.type, torch.bfloat16):
            answer = self.network(batch.picture.contiguous(memory_format=torch.channels_last))
        return losses(answer, batch)

    def _report(self, sums: dict[str, float], seconds: float) -> None:
        found = validate(self.averaged, self.validation, self.device, self.plan.sides[-1])
        line = {
            "samples": self.step * self.plan.batch,
            "seconds": round(seconds, 1),
            "training": {name: round(value, 4) for name, value in sums.items()},
            "validation": found,
        }
        with (self.plan.out / "log.jsonl").open("a") as log:
            log.write(json.dumps(line) + "\n")
        print(json.dumps(line), flush=True)
        self.save(self.plan.out / "last.pt")
        if found["score"] > self.best:
            self.best = found["score"]
            write({"averaged": self.averaged.state_dict(), "validation": found}, self.plan.out / "best.pt")

    def save(self, path: Path) -> None:
        """Write everything needed to go on."""
        state = {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "random": self.mixer.random.get_state(),
            "step": self.step,
            "best": self.best,
        }
        write(state, path)

    def resume(self, path: Path) -> None:
        """Go on from what `save` wrote."""
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.mixer.random.set_state(state["random"])
        self.step, self.best = state["step"], state["best"]


def train(plan: Plan) -> None:
    """Carry out a plan, from its last checkpoint where there is one."""
    plan.out.mkdir(parents=True, exist_ok=True)
    (plan.out / "plan.json").write_text(json.dumps(asdict(plan), indent=1, default=str) + "\n")
    data = read(list(plan.data), frozenset(plan.leave_out), plan.most)
    sizes = {use: (len(shelf), len(data.validation.get(use, ()))) for use, shelf in data.training.items()}
    print("pictures to train on and to validate with:", sizes, flush=True)
    run = Run(plan, data)
    if (plan.out / "last.pt").exists():
        run.resume(plan.out / "last.pt")
    run.train()


def validate(network: nn.Module, shelves: dict[Use, Shelf], device: torch.device, side: int) -> dict[str, float]:
    """Measure a network on pictures it was not trained on, asked at `side` pixels.

    Returns:
        IoU by source, that of all pictures `iou`, `mae`, the share of pictures without a subject found `empty`, and a
        `score`. Sources count by their pictures: a few odd ones would decide otherwise.
    """
    network.eval()
    ious: dict[str, list[float]] = {}
    errors: list[float] = []
    empty: list[bool] = []
    for use in ("pair", "empty"):
        shelf = shelves.get(use)
        for number in range(len(shelf) if shelf else 0):
            assert shelf is not None
            rgba = shelf.rgba[number : number + 1].to(device).float() / 255
            alpha, truth = predicted(network, rgba[:, :3], side), rgba[0, 3].cpu().numpy()
            if use == "empty":
                empty.append(float(alpha.mean()) < EMPTY_ALPHA)
                continue
            found, there = alpha > 0.5, truth > 0.5
            ious.setdefault(shelf.source[number], []).append(
                float((found & there).sum() / max(1, (found | there).sum()))
            )
            errors.append(float(np.abs(alpha - truth).mean()))
    by_source = {name: round(float(np.mean(values)), 4) for name, values in sorted(ious.items())}
    iou = float(np.mean([value for values in ious.values() for value in values])) if ious else 0.0
    share = float(np.mean(empty)) if empty else 0.0
    mae = float(np.mean(errors)) if errors else 1.0
    return by_source | {
        "iou": round(iou, 4),
        "mae": round(mae, 4),
        "empty": round(share, 4),
        "score": round(iou - mae + 0.1 * share, 4),
    }


def predicted(network: nn.Module, rgb: Tensor, side: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Give alpha (H, W) for one picture (1, 3, H, W) in [0, 1], asked at `side` pixels."""
    small = nn.functional.interpolate(rgb, size=(side, side), mode="bicubic", antialias=True, align_corners=False)
    with torch.inference_mode(), torch.autocast(rgb.device.type, torch.bfloat16):
        alpha = torch.sigmoid(network(small.clamp(0, 1) * 2 - 1).alpha.float())
    full = nn.functional.interpolate(alpha, size=rgb.shape[-2:], mode="bilinear", align_corners=False)
    answer: np.ndarray[Any, np.dtype[np.float32]] = full[0, 0].cpu().numpy()
    return answer


@torch.no_grad()
def follow(averaged: nn.Module, network: nn.Module, keep: float) -> None:
    """Move an averaged network a little towards the one in training; `keep` is the part that stays."""
    own, others = averaged.state_dict(), network.state_dict()
    for name, value in own.items():
        if value.is_floating_point():
            value.lerp_(others[name], 1 - keep)
        else:
            value.copy_(others[name])


def _fresh(plan: Plan) -> Small:
    network = Small()
    if plan.encoder is not None:
        with np.load(plan.encoder) as arrays:
            network.encoder.load(dict(arrays))
    if plan.start is not None:
        network.start_from(torch.load(plan.start, map_location="cpu", weights_only=True)["averaged"])
    frozen = [network.encoder.stem, *network.encoder.blocks[: plan.frozen]] if plan.frozen else []
    for layer in frozen:
        layer.requires_grad_(False)
    return network


def _optimizer(network: Small, plan: Plan) -> torch.optim.Optimizer:
    encoder = [p for p in network.encoder.parameters() if p.requires_grad]
    own = {id(p) for p in network.encoder.parameters()}
    decoder = [p for p in network.parameters() if id(p) not in own]
    groups = [{"params": encoder, "full": plan.encoder_rate}, {"params": decoder, "full": plan.rate}]
    return torch.optim.AdamW(groups, lr=plan.rate, weight_decay=0.01)


def _rate(step: int, steps: int) -> float:
    """Warm up over 2 % of the run, then follow a cosine to nothing."""
    warm = max(1, steps // 50)
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def write(state: dict[str, Any], path: Path) -> None:
    """Write a checkpoint whole or not at all."""
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)
