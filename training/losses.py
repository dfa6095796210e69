"""What the network is punished for.

Binary cross-entropy weighted near edges and soft IoU (as BASNet, Qin et al. 2019), structural similarity (Wang et al.
2004), and where alpha is true, L1 on its Laplacian pyramid (Hou & Liu 2019, arXiv:1909.09725) and on the composition
(Xu et al. 2017, arXiv:1703.03872). Every term is a mean over the pictures of a batch, so that batches of any mixture
weigh the same.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from training.augment import Batch
from training.network import Answer

BAND = 7
"""Width of the neighbourhood that says how near an edge a pixel is, in pixels of half the size."""

WINDOW = 5
"""Width of the windows of structural similarity, likewise; half the size costs a tenth of the time."""

LEVELS = 4
"""Of the Laplacian pyramid."""

WEIGHTS = {
    "bce": 1.0, "iou": 0.6, "l1": 0.5, "ssim": 0.3, "coarse": 0.3, "laplacian": 0.6, "composition": 0.3, "error": 0.1,
    "subject": 0.1,
}  # fmt: skip
"""Chosen so that no term of a fresh network outweighs the first."""


def losses(answer: Answer, batch: Batch) -> dict[str, Tensor]:
    """Give every term, unweighted, for an answer to `batch.picture`."""
    truth = batch.alpha
    logits = answer.alpha.float()
    alpha = torch.sigmoid(logits)
    weight = _edge_weight(truth, batch.edge_trust)
    there = batch.subject.flatten() > 0.5
    off = (alpha - truth).abs()
    terms = {
        "bce": _mean(functional.binary_cross_entropy_with_logits(logits, truth, reduction="none"), weight).mean(),
        "iou": _iou(alpha, truth)[there].sum() / len(truth),
        "l1": _mean(off, weight).mean(),
        "ssim": (_dissimilar(alpha, truth).mean((1, 2, 3)) * (0.2 + 0.8 * batch.edge_trust.flatten())).mean(),
        "coarse": _coarse(answer.coarse, truth),
        "error": functional.binary_cross_entropy_with_logits(
            answer.error.float(), functional.avg_pool2d(off, 2).detach().clamp(0, 1)
        ),
        "subject": functional.binary_cross_entropy_with_logits(answer.subject.float(), batch.subject),
    }
    exact = batch.exact.flatten() > 0.5
    if bool(exact.any()):
        share = exact.float().mean()
        terms["laplacian"] = laplacian(alpha[exact] - truth[exact]) * share
        terms["composition"] = (off[exact] * batch.contrast[exact]).mean() * share
    return terms


def total(terms: dict[str, Tensor]) -> Tensor:
    """Add the terms up by their weights."""
    return torch.stack([WEIGHTS[name] * value for name, value in terms.items()]).sum()


def _edge_weight(truth: Tensor, trust: Tensor) -> Tensor:
    """Weigh pixels near edges more where the labels of the picture are sharp, and less where they are rough."""
    small = functional.avg_pool2d(truth, 2)
    around = functional.avg_pool2d(small, BAND, 1, BAND // 2, count_include_pad=False)
    near = functional.interpolate((small - around).abs(), scale_factor=2, mode="nearest")
    return 1 + (3 * trust - 1.5 * (1 - trust)) * near.clamp(0, 0.5)


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    """Average a plane (N, 1, H, W) by weight, a number for each picture."""
    return (values * weight).sum((1, 2, 3)) / weight.sum((1, 2, 3))


def _iou(alpha: Tensor, truth: Tensor) -> Tensor:
    both = (alpha * truth).sum((1, 2, 3))
    any_of = (alpha + truth - alpha * truth).sum((1, 2, 3))
    return 1 - (both + 1) / (any_of + 1)


def _dissimilar(alpha: Tensor, truth: Tensor) -> Tensor:
    """Give (1 − SSIM) / 2 at half the size, where a box stands for the Gaussian."""
    a, t = functional.avg_pool2d(alpha, 2), functional.avg_pool2d(truth, 2)
    planes = torch.cat([a, t, a * a, t * t, a * t], 1)
    means = functional.avg_pool2d(planes, WINDOW, 1, WINDOW // 2, count_include_pad=False)
    a, t, aa, tt, at = torch.split(means, 1, 1)
    c1, c2 = 0.01**2, 0.03**2
    top = (2 * a * t + c1) * (2 * (at - a * t) + c2)
    bottom = (a * a + t * t + c1) * ((aa - a * a) + (tt - t * t) + c2)
    return (1 - top / bottom).clamp(0, 2) / 2


def _coarse(planes: tuple[Tensor, ...], truth: Tensor) -> Tensor:
    """Supervise the decoder's earlier steps with the truth at their size."""
    if not planes:
        return truth.new_zeros(())
    terms = []
    for logits in planes:
        small = functional.adaptive_avg_pool2d(truth, tuple(logits.shape[-2:]))
        bce = functional.binary_cross_entropy_with_logits(logits.float(), small)
        terms.append(bce + 0.5 * _iou(torch.sigmoid(logits.float()), small).mean())
    return torch.stack(terms).mean()


def laplacian(difference: Tensor) -> Tensor:
    """Give the L1 norm of a difference over the levels of its pyramid; a linear pyramid needs only one."""
    terms = []
    for level in range(LEVELS):
        small = functional.avg_pool2d(difference, 2)
        grown = functional.interpolate(small, size=difference.shape[-2:], mode="bilinear", align_corners=False)
        terms.append((difference - grown).abs().mean() * 2**level)
        difference = small
    return torch.stack(terms).sum()
