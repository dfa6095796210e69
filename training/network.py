"""The network behind cleancut-small: a MobileNetV2 encoder and a decoder of our own.

The encoder is MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381) as DeepLab trained it (Chen et al. 2018,
arXiv:1802.02611), its batch norms folded into the weights. The decoder joins its features from coarse to fine with
separable convolutions. It never works at the picture's full resolution: the picture comes in folded (12 numbers for
2 × 2 pixels) beside the features of stride 2, and alpha goes out unfolded (4 channels as 2 × 2 pixels), which costs a
tenth of a convolution at full resolution and keeps one-pixel structures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

BLOCKS = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""Expansion, channels, repeats, stride, as in table 2 of the MobileNetV2 paper."""

COARSE = 13
"""Block from which on the stride would be 32; it stays at 16, and depthwise convolutions see every second pixel."""

TAPS = {0: 2, 2: 4, 5: 8, 12: 16}
"""Blocks whose features the decoder reads, and their strides."""


class Answer(NamedTuple):
    """What the network says of (N, 3, H, W) pictures, all as logits.

    Attributes:
        alpha: (N, 1, H, W).
        error: (N, 1, H/2, W/2), how far alpha is expected to be off.
        subject: (N, 1), whether there is a subject.
        coarse: alpha at strides 16, 8 and 4, for training only.
    """

    alpha: Tensor
    error: Tensor
    subject: Tensor
    coarse: tuple[Tensor, ...]


class Inverted(nn.Module):
    """An inverted residual: expand, filter each channel, project; the input is added where the shapes allow."""

    def __init__(self, inside: int, outside: int, expansion: int, stride: int, dilation: int) -> None:
        super().__init__()
        middle = inside * expansion
        self.expand = nn.Conv2d(inside, middle, 1) if expansion != 1 else None
        self.filter = nn.Conv2d(middle, middle, 3, stride, dilation, dilation, middle)
        self.project = nn.Conv2d(middle, outside, 1)
        self.added = stride == 1 and inside == outside

    def forward(self, x: Tensor) -> Tensor:
        """Keep the size, or halve it."""
        y = x if self.expand is None else functional.relu6(self.expand(x))
        y = self.project(functional.relu6(self.filter(y)))
        return x + y if self.added else y


class Encoder(nn.Module):
    """MobileNetV2 at width 1.0, output stride 16."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 3, 2, 1)
        blocks, inside = [], 32
        for expansion, channels, repeats, stride in BLOCKS:
            for repeat in range(repeats):
                late = len(blocks) >= COARSE
                step = stride if repeat == 0 and not late else 1
                blocks.append(Inverted(inside, channels, expansion, step, 2 if len(blocks) > COARSE else 1))
                inside = channels
        self.blocks = nn.ModuleList(blocks)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Give the features at strides 2, 4, 8 and 16 (96 channels), and the last ones (320 channels)."""
        x = functional.relu6(self.stem(x))
        taken = []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in TAPS:
                taken.append(x)
        return *taken, x

    def load(self, arrays: Mapping[str, NDArray[np.floating]]) -> None:
        """Take weights named NN.w and NN.b in the order of the layers.

        Raises:
            ValueError: there are more or fewer, or one has another shape.
        """
        layers = [layer for layer in self.modules() if isinstance(layer, nn.Conv2d)]
        if len(arrays) != 2 * len(layers):
            raise ValueError(f"The encoder has {len(layers)} layers; the file has {len(arrays) / 2:g}.")
        for number, layer in enumerate(layers):
            for name, parameter in (("w", layer.weight), ("b", layer.bias)):
                given = torch.from_numpy(np.asarray(arrays[f"{number:02}.{name}"], np.float32))
                if parameter is None or parameter.shape != given.shape:
                    raise ValueError(f"Layer {number} of the file has the shape {tuple(given.shape)}.")
                with torch.no_grad():
                    parameter.copy_(given)


class Plain(nn.Sequential):
    """A convolution without bias, batch norm, ReLU."""

    def __init__(self, inside: int, outside: int, size: int = 1, groups: int = 1, dilation: int = 1) -> None:
        convolution = nn.Conv2d(inside, outside, size, 1, dilation * (size // 2), dilation, groups, bias=False)
        super().__init__(convolution, nn.BatchNorm2d(outside), nn.ReLU(inplace=True))


class Separable(nn.Sequential):
    """A depthwise 3 × 3 and a pointwise convolution."""

    def __init__(self, inside: int, outside: int, dilation: int = 1) -> None:
        super().__init__(Plain(inside, inside, 3, inside, dilation), Plain(inside, outside))


class Context(nn.Module):
    """What is where, at the coarsest stride: three fields of view, one after another, and the whole picture's mean."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.enter = Plain(inside, outside)
        self.fields = nn.ModuleList([Separable(outside, outside, dilation) for dilation in (1, 3, 6)])
        self.mean = nn.Conv2d(outside, outside, 1)
        self.join = Plain(4 * outside, outside)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Give the features and the picture's mean (N, C, 1, 1)."""
        x = self.enter(x)
        mean = functional.relu(self.mean(x.mean((2, 3), keepdim=True)))
        seen = [x]
        for field in self.fields:
            seen.append(field(seen[-1]))
        return self.join(torch.cat(seen, 1)) + mean, mean


class Attention(nn.Module):
    """Let every place of the coarsest features see every other one (Vaswani et al. 2017, arXiv:1706.03762).

    It begins as the identity, so a network that was trained without it may go on with it.
    """

    def __init__(self, width: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.before = nn.BatchNorm2d(width)
        self.ask = nn.Conv2d(width, 3 * width, 1)
        self.answer = nn.Conv2d(width, width, 1)
        self.think = nn.Sequential(Plain(width, 2 * width), nn.Conv2d(2 * width, width, 1))
        for last in (self.answer, self.think[-1]):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Keep the size."""
        batch, width, height, across = x.shape
        parts = self.ask(self.before(x)).reshape(batch, 3, self.heads, width // self.heads, height * across)
        query, key, value = parts.unbind(1)
        weight = torch.softmax(query.transpose(2, 3) @ key / math.sqrt(width // self.heads), -1)
        seen = (value @ weight.transpose(2, 3)).reshape(batch, width, height, across)
        x = x + self.answer(seen)
        return x + self.think(x)


class Join(nn.Module):
    """One step finer: what is known, enlarged, beside what the encoder saw there."""

    def __init__(self, coarse: int, fine: int, lateral: int, outside: int) -> None:
        super().__init__()
        self.lateral = Plain(fine, lateral)
        self.mix = nn.Sequential(Separable(coarse + lateral, outside), Separable(outside, outside))

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """Give features of the finer size."""
        return self.mix(torch.cat([enlarged(coarse), self.lateral(fine)], 1))


class Small(nn.Module):
    """cleancut-small: (N, 3, H, W) in [−1, 1], H and W multiples of 16, to an `Answer`."""

    def __init__(self, widths: tuple[int, int, int, int] = (128, 80, 48, 32)) -> None:
        super().__init__()
        at16, at8, at4, at2 = widths
        self.encoder = Encoder()
        self.context = Context(320, at16)
        self.join16 = Separable(at16 + 96, at16)
        self.whole = nn.Sequential(Attention(at16), Attention(at16))
        self.join8 = Join(at16, 32, 48, at8)
        self.join4 = Join(at8, 24, 32, at4)
        self.reduce2 = Plain(at4, at2)
        self.fold = nn.Conv2d(3, 12, 2, 2)
        self.join2 = nn.Sequential(Separable(at2 + 16 + 12, at2), Separable(at2, at2))
        self.out = nn.Conv2d(at2, 4, 3, 1, 1)
        self.error = nn.Conv2d(at2, 1, 3, 1, 1)
        self.subject = nn.Linear(2 * at16, 1)
        self.coarse = nn.ModuleList([nn.Conv2d(width, 1, 1) for width in (at16, at8, at4)])

    def start_from(self, state: Mapping[str, Tensor]) -> None:
        """Take a trained network's weights; of one without attention, what is new begins as the identity.

        Raises:
            ValueError: they are another network's.
        """
        missing, unknown = self.load_state_dict(state, strict=False)
        if unknown or any(not name.startswith("whole.") for name in missing):
            raise ValueError("The checkpoint is another network's.")

    def forward(self, picture: Tensor) -> Answer:
        """Answer for pictures in [−1, 1]."""
        s2, s4, s8, s16, last = self.encoder(picture)
        x16, mean = self.context(last)
        x16 = self.whole(self.join16(torch.cat([x16, s16], 1)))
        x8 = self.join8(x16, s8)
        x4 = self.join4(x8, s4)
        x2 = self.join2(torch.cat([enlarged(self.reduce2(x4)), s2, self.fold(picture)], 1))
        alpha = functional.pixel_shuffle(self.out(x2), 2)
        whole = torch.cat([mean.flatten(1), x16.amax((2, 3))], 1)
        coarse = tuple(head(x) for head, x in zip(self.coarse, (x16, x8, x4), strict=True)) if self.training else ()
        return Answer(alpha, self.error(x2), self.subject(whole), coarse)


def enlarged(x: Tensor) -> Tensor:
    """Enlarge twofold, linearly."""
    return functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def multiplications(network: nn.Module, side: int) -> int:
    """Count the multiply-accumulate operations of the convolutions and linear layers for one square picture."""
    total = 0

    def count(layer: nn.Module, _given: object, answer: Tensor) -> None:
        nonlocal total
        if isinstance(layer, nn.Conv2d):
            total += answer[0].numel() * layer.weight[0].numel()
        elif isinstance(layer, nn.Linear):
            total += layer.weight.numel()

    hooks = [layer.register_forward_hook(count) for layer in network.modules()]
    with torch.inference_mode():
        network.eval()(torch.zeros(1, 3, side, side))
    for hook in hooks:
        hook.remove()
    return total
