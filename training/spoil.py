"""What cameras, editors and networks do to pictures: light, colour, blur, noise, JPEG. (N, 3, H, W) in [0, 1]."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

_LUMA = (0.299, 0.587, 0.114)

_TABLE = torch.tensor([
    [16, 11, 10, 16, 24, 40, 51, 61], [12, 12, 14, 19, 26, 58, 60, 55], [14, 13, 16, 24, 40, 57, 69, 56],
    [14, 17, 22, 29, 51, 87, 80, 62], [18, 22, 37, 56, 68, 109, 103, 77], [24, 35, 55, 64, 81, 104, 113, 92],
    [49, 64, 78, 87, 103, 121, 120, 101], [72, 92, 95, 98, 112, 100, 103, 99],
], dtype=torch.float32)  # fmt: skip
"""Quantisation of the example in JPEG's standard (ITU-T T.81, table K.1), for all three channels."""


def spoilt(rgb: Tensor, random: torch.Generator) -> Tensor:
    """Spoil pictures, each of them in a few ways of its own."""
    rgb = _relit(rgb, random)
    for probability, spoil in _SPOILERS:
        drawn = torch.rand(len(rgb), device=rgb.device, generator=random)
        chosen = (drawn < probability).nonzero().flatten()
        if len(chosen):
            rgb = rgb.index_copy(0, chosen, spoil(rgb[chosen], random).clamp(0, 1))
    return rgb


def _uniform(random: torch.Generator, low: float, high: float, count: int, channels: int = 1) -> Tensor:
    drawn = torch.empty(count, channels, 1, 1, device=random.device)
    return drawn.uniform_(low, high, generator=random)


def _relit(rgb: Tensor, random: torch.Generator) -> Tensor:
    """Change exposure, white balance, contrast and saturation a little."""
    count = len(rgb)
    gain = _uniform(random, -0.3, 0.3, count).exp() * _uniform(random, -0.1, 0.1, count, 3).exp()
    rgb = rgb * gain
    grey = _grey(rgb)
    rgb = grey + (rgb - grey) * _uniform(random, 0.6, 1.4, count)
    mean = rgb.mean((1, 2, 3), keepdim=True)
    rgb = mean + (rgb - mean) * _uniform(random, 0.7, 1.3, count)
    return rgb.clamp(0, 1)


def _grey(rgb: Tensor) -> Tensor:
    return (rgb * rgb.new_tensor(_LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)


def _to_grey(rgb: Tensor, random: torch.Generator) -> Tensor:
    return _grey(rgb).expand_as(rgb)


def _curved(rgb: Tensor, random: torch.Generator) -> Tensor:
    return rgb.clamp(min=1e-4) ** _uniform(random, -0.5, 0.5, len(rgb)).exp()


def _dark(rgb: Tensor, random: torch.Generator) -> Tensor:
    """Too little light, and the noise that comes with it."""
    dim = rgb * _uniform(random, 0.12, 0.45, len(rgb))
    return dim + _normal(rgb, random) * _uniform(random, 0.005, 0.03, len(rgb))


def _noisy(rgb: Tensor, random: torch.Generator) -> Tensor:
    return rgb + _normal(rgb, random) * _uniform(random, 0.01, 0.09, len(rgb))


def _normal(rgb: Tensor, random: torch.Generator) -> Tensor:
    return torch.randn(rgb.shape, device=rgb.device, generator=random)


def _soft(rgb: Tensor, random: torch.Generator) -> Tensor:
    return blurred(rgb, float(_uniform(random, 0.5, 2.2, 1)))


def _shaken(rgb: Tensor, random: torch.Generator) -> Tensor:
    """Motion blur along a line."""
    size = 13
    angle = float(_uniform(random, 0, math.pi, 1))
    length = float(_uniform(random, 3, size, 1))
    at = torch.arange(size, device=rgb.device) - size // 2
    y, x = torch.meshgrid(at, at, indexing="ij")
    across = (x * math.sin(angle) - y * math.cos(angle)).abs()
    along = (x * math.cos(angle) + y * math.sin(angle)).abs()
    kernel = (1 - across).clamp(min=0) * (along <= length / 2)
    return _filtered(rgb, kernel / kernel.sum())


def _small(rgb: Tensor, random: torch.Generator) -> Tensor:
    """Enlarged from too few pixels."""
    side = rgb.shape[-1]
    few = max(32, int(side * float(_uniform(random, 0.25, 0.7, 1))))
    small = functional.interpolate(rgb, size=(few, few), mode="bilinear", antialias=True, align_corners=False)
    return functional.interpolate(small, size=rgb.shape[-2:], mode="bicubic", align_corners=False)


def _jpeg(rgb: Tensor, random: torch.Generator) -> Tensor:
    """Quantise the cosine transform of 8 × 8 blocks, qualities 8 to 70; chroma at half size, as cameras write it."""
    quality = _uniform(random, 8, 70, len(rgb))
    scale = torch.where(quality < 50, 50 / quality, 2 - quality / 50)
    luma = _grey(rgb)
    chroma = rgb - luma
    small = functional.avg_pool2d(chroma, 2)
    chroma = functional.interpolate(_quantised(small, scale), scale_factor=2, mode="nearest")
    return _quantised(luma, scale) + chroma


def _quantised(planes: Tensor, scale: Tensor) -> Tensor:
    """Round the coefficients of planes (N, C, H, W) whose sides are multiples of 8."""
    count, channels, height, width = planes.shape
    transform = _cosines(planes.device)
    blocks = planes.reshape(count, channels, height // 8, 8, width // 8, 8).transpose(3, 4)
    steps = (_TABLE.to(planes.device) * scale.view(-1, 1, 1)).clamp(min=1).view(count, 1, 1, 1, 8, 8) / 255
    coefficients = transform @ blocks @ transform.T
    coarse = (coefficients / steps).round() * steps
    return (transform.T @ coarse @ transform).transpose(3, 4).reshape(planes.shape)


def _cosines(device: torch.device) -> Tensor:
    """Give the orthonormal DCT-II matrix of 8 points."""
    at = torch.arange(8, device=device, dtype=torch.float32)
    matrix = torch.cos((2 * at[None] + 1) * at[:, None] * math.pi / 16) / 2
    matrix[0] /= math.sqrt(2)
    return matrix


def blurred(planes: Tensor, sigma: float) -> Tensor:
    """Blur by a Gaussian of `sigma` pixels, the edge pixels repeated."""
    reach = max(1, math.ceil(2.5 * sigma))
    at = torch.arange(-reach, reach + 1, device=planes.device, dtype=torch.float32)
    kernel = torch.exp(-(at**2) / (2 * sigma**2))
    kernel = kernel / kernel.sum()
    return _filtered(_filtered(planes, kernel[None]), kernel[:, None])


def _filtered(planes: Tensor, kernel: Tensor) -> Tensor:
    """Filter every plane of (N, C, H, W) by one (h, w) kernel."""
    count, channels, height, width = planes.shape
    down, right = kernel.shape[0] // 2, kernel.shape[1] // 2
    flat = planes.reshape(count * channels, 1, height, width)
    padded = functional.pad(flat, (right, right, down, down), "replicate")
    return functional.conv2d(padded, kernel[None, None]).reshape(planes.shape)


_SPOILERS: tuple[tuple[float, Callable[[Tensor, torch.Generator], Tensor]], ...] = (
    (0.10, _curved),
    (0.05, _to_grey),
    (0.12, _soft),
    (0.06, _shaken),
    (0.08, _small),
    (0.06, _dark),
    (0.18, _noisy),
    (0.25, _jpeg),
)
"""How often each happens, in the order in which it happens to a photo."""
