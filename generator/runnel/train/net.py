# SPDX-License-Identifier: Apache-2.0
"""A small inverted-residual net whose padding is TensorFlow's SAME, so that no PAD operator is needed on export."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional


@dataclass(frozen=True)
class Block:
    """One inverted residual: 1x1 to `expanded` channels, depthwise, 1x1 to `channels`."""

    channels: int
    expanded: int
    stride: int = 1
    kernel: int = 3


@dataclass(frozen=True)
class Architecture:
    """What the net looks like; the input is input_size (side of a square, or height and width) x input_channels."""

    input_size: int | tuple[int, int]
    stem: int
    blocks: tuple[Block, ...]
    head: int
    classes: int = 2
    input_channels: int = 3
    stem_kernel: int = 3

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Height, width, channels."""
        size = self.input_size
        height, width = (size, size) if isinstance(size, int) else size
        return height, width, self.input_channels


PERSON = Architecture(
    input_size=80,
    stem=16,
    blocks=(
        Block(8, 16),
        Block(24, 48, stride=2),
        Block(24, 96),
        Block(32, 96, stride=2),
        Block(32, 128),
        Block(32, 128),
        Block(64, 160, stride=2),
        Block(64, 256),
        Block(64, 256),
    ),
    head=256,
)


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """TensorFlow's SAME padding of one dimension: (before, after), the odd one after."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class ConvUnit(nn.Module):
    """Convolution without bias, batch norm, and ReLU6 where `clamp` is set."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, groups: int, clamp: bool) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.kernel, self.stride, self.groups, self.clamp = kernel, stride, groups, clamp

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        top, bottom = same_padding(x.shape[2], self.kernel, self.stride)
        left, right = same_padding(x.shape[3], self.kernel, self.stride)
        if (top, left) == (bottom, right):  # the convolution's own padding is faster than a padded copy
            weight = self.convolution.weight
            x = functional.conv2d(x, weight, None, self.stride, (top, left), 1, self.groups)
        else:
            x = self.convolution(functional.pad(x, (left, right, top, bottom)))
        x = self.norm(x)
        return functional.relu6(x) if self.clamp else x


class InvertedResidual(nn.Module):
    """Expand, filter, project; adds its input where the shapes allow."""

    def __init__(self, inputs: int, block: Block) -> None:
        super().__init__()
        wide = block.expanded
        self.expand = ConvUnit(inputs, wide, 1, 1, 1, True) if wide != inputs else None
        self.filter = ConvUnit(wide, wide, block.kernel, block.stride, wide, True)
        self.project = ConvUnit(wide, block.channels, 1, 1, 1, False)
        self.residual = inputs == block.channels and block.stride == 1

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = x if self.expand is None else self.expand(x)
        y = self.project(self.filter(y))
        return x + y if self.residual else y


class Net(nn.Module):
    """Stem, blocks, 1x1 head, global average pool, fully connected. Returns logits (n x classes)."""

    def __init__(self, architecture: Architecture, dropout: float = 0.1) -> None:
        super().__init__()
        self.architecture = architecture
        self.stem = ConvUnit(architecture.input_channels, architecture.stem, architecture.stem_kernel, 2, 1, True)
        blocks, channels = [], architecture.stem
        for block in architecture.blocks:
            blocks.append(InvertedResidual(channels, block))
            channels = block.channels
        self.blocks = nn.ModuleList(blocks)
        self.head = ConvUnit(channels, architecture.head, 1, 1, 1, True)
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(architecture.head, architecture.classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Classify photos or sounds (n x channels x height x width)."""
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        pooled = self.head(x).mean((2, 3))
        logits: torch.Tensor = self.classify(self.dropout(pooled))
        return logits
