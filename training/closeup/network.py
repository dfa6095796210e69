"""The close-up network: a picture's pixels and a coarse alpha of them → alpha.

A U of separable convolutions whose first and last layers work at full size, so that a strand one pixel wide survives.
It is given the answer of the matting equation besides: with F and B spread in from where the coarse alpha is sure, each
pixel's colour says how much of F is in it. It answers by how much the coarse alpha is to be moved, and begins with "not
at all". It has no notion of what a subject is: that is the coarse alpha's part (as in CascadePSP, Cheng et al. 2020,
arXiv:2005.02551, and in the patches of BackgroundMattingV2, Lin et al. 2021, arXiv:2012.07810).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.network import Plain, Separable, enlarged

WIDTHS = (24, 48, 72, 96)
"""Channels at strides 2, 4, 8 and 16."""

FULL = 12
"""Channels at full size."""

FIRM = 0.02
"""The coarse alpha is kept this far from 0 and 1, so that it can be overruled."""


LEVELS = 4
"""Of the pyramids that spread F and B, from stride 4 on; beyond them the mean of the whole part is taken."""

SURE = 0.1
"""The coarse alpha counts as sure within this of 0 and of 1, less the farther it is."""


class Equation(nn.Module):
    """What the matting equation says of each pixel, I = αF + (1 − α)B (Porter & Duff 1984), F and B being spread in.

    Pull-push over a pyramid (Gortler et al. 1996): nearby sure pixels give the colour where there are any, those
    farther away where not.
    """

    def forward(self, picture: Tensor, coarse: Tensor) -> Tensor:
        """Give (N, 3, H, W): α by the equation, how far F and B are apart, how far off the pixel is from between."""
        front = spread(picture, (1 - (1 - coarse) / SURE).clamp(0, 1))
        back = spread(picture, (1 - coarse / SURE).clamp(0, 1))
        way, come = front - back, picture - back
        length = (way * way).sum(1, keepdim=True)
        alpha = ((come * way).sum(1, keepdim=True) / (length + 0.01)).clamp(-0.5, 1.5)
        off = come - alpha * way
        return torch.cat([alpha, length.clamp(max=4) / 2, (off * off).sum(1, keepdim=True).clamp(max=4)], 1)


def spread(picture: Tensor, sure: Tensor) -> Tensor:
    """Spread the colours of sure pixels (N, 1, H, W) over the whole picture (N, 3, H, W)."""
    sums = [functional.avg_pool2d(torch.cat([picture * sure, sure], 1), 4)]
    for _ in range(1, LEVELS):
        sums.append(functional.avg_pool2d(sums[-1], 2))
    whole = sums[-1].mean((2, 3), keepdim=True)
    known = whole[:, :3] / (whole[:, 3:] + 1e-4)
    known = known.expand(-1, -1, *sums[-1].shape[-2:])
    for level in range(LEVELS - 1, -1, -1):
        here = sums[level]
        if level < LEVELS - 1:
            known = enlarged(known)
        weight = here[:, 3:] / (here[:, 3:] + 0.02)
        known = known + weight * (here[:, :3] / (here[:, 3:] + 1e-4) - known)
    return functional.interpolate(known, scale_factor=4, mode="bilinear", align_corners=False)


class Down(nn.Sequential):
    """Half the size: a depthwise convolution of stride 2, then a separable one."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__(
            nn.Conv2d(inside, inside, 3, 2, 1, groups=inside, bias=False),
            nn.BatchNorm2d(inside),
            Plain(inside, outside),
            Separable(outside, outside),
        )


class Closeup(nn.Module):
    """(N, 3, H, W) in [−1, 1] and (N, 1, H, W) in [0, 1] → logits of alpha (N, 1, H, W); sides multiples of 32."""

    def __init__(self) -> None:
        super().__init__()
        s2, s4, s8, s16 = WIDTHS
        self.equation = Equation()
        self.full = nn.Sequential(nn.Conv2d(7, FULL, 3, 1, 1, bias=False), nn.BatchNorm2d(FULL), nn.ReLU(inplace=True))
        self.down2 = nn.Sequential(nn.Conv2d(FULL, s2, 2, 2, bias=False), nn.BatchNorm2d(s2), nn.ReLU(inplace=True))
        self.down4, self.down8, self.down16 = Down(s2, s4), Down(s4, s8), Down(s8, s16)
        self.around = nn.Sequential(Separable(s16, s16, 2), Separable(s16, s16, 4))
        self.up8, self.up4, self.up2 = Separable(s16 + s8, s8), Separable(s8 + s4, s4), Separable(s4 + s2, s2)
        self.unfold = nn.Conv2d(s2, 4 * 4, 1)
        self.out = nn.Sequential(Plain(FULL + 4, FULL, 3), nn.Conv2d(FULL, 1, 1))
        last = self.out[-1]
        assert isinstance(last, nn.Conv2d)
        assert last.bias is not None
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def forward(self, picture: Tensor, coarse: Tensor) -> Tensor:
        """Answer for a part of a picture."""
        with torch.autocast(picture.device.type, enabled=False):  # quotients of small numbers
            equation = self.equation(picture, coarse)
        full = self.full(torch.cat([picture, coarse * 2 - 1, equation], 1))
        x2 = self.down2(full)
        x4 = self.down4(x2)
        x8 = self.down8(x4)
        x16 = self.down16(x8)
        x8 = self.up8(torch.cat([enlarged(x16 + self.around(x16)), x8], 1))
        x4 = self.up4(torch.cat([enlarged(x8), x4], 1))
        x2 = self.up2(torch.cat([enlarged(x4), x2], 1))
        fine = functional.pixel_shuffle(self.unfold(x2), 2)
        moved: Tensor = self.out(torch.cat([full, fine], 1))
        return moved + torch.logit(coarse.clamp(FIRM, 1 - FIRM))
