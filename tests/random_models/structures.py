# SPDX-License-Identifier: Apache-2.0
"""Structures of networks that people have, small: gates, skips, several outputs, odd windows, images of one row."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from random_models import elementwise, shaping
from random_models.builder import GraphBuilder
from random_models.source import SeededSource
from random_models.windowed import Axis, Window, conv_2d, depthwise_conv_2d, fully_connected, options
from runnel.graph import Graph

Size = int | tuple[int, int]
Outputs = int | tuple[int, ...]


def structure(name: str, seed: int) -> Graph:
    """One of STRUCTURES with random weights."""
    builder = GraphBuilder(SeededSource(seed), gentle=True)
    outputs = STRUCTURES[name](builder)
    return builder.finish((outputs,) if isinstance(outputs, int) else outputs, name)


def window(builder: GraphBuilder, data: int, kernel: Size, stride: Size, same: bool, dilation: int) -> Window:
    """Sizes are one for both axes or (rows, columns)."""
    kernels, strides = ((size, size) if isinstance(size, int) else size for size in (kernel, stride))
    axes = []
    for size, k, s in zip(builder.shape(data)[1:3], kernels, strides, strict=True):
        span = (k - 1) * dilation + 1
        axes.append(Axis(k, s, dilation, -(-size // s) if same else (size - span) // s + 1))
    return same, axes[0], axes[1]


def conv(
    b: GraphBuilder, data: int, channels: int, kernel: Size = 1, stride: Size = 1, same: bool = True, dilation: int = 1
) -> int:
    return conv_2d(b, data, channels, window(b, data, kernel, stride, same, dilation))


def depthwise(
    b: GraphBuilder, data: int, kernel: Size = 3, stride: Size = 1, same: bool = True, dilation: int = 1, times: int = 1
) -> int:
    return depthwise_conv_2d(b, data, times, window(b, data, kernel, stride, same, dilation))


def pool(b: GraphBuilder, data: int, kind: str, kernel: Size, stride: Size, same: bool = False) -> int:
    same, rows, columns = window(b, data, kernel, stride, same, 1)
    attributes = options(same, rows, columns, "NONE") | {"filter_height": rows.kernel, "filter_width": columns.kernel}
    shape = (1, rows.output, columns.output, b.shape(data)[3])
    return b.operator(f"{kind}_POOL_2D", (data,), shape, b.quantization_of(data), attributes, b.spreads[data])


def global_pool(b: GraphBuilder, data: int) -> int:
    _, height, width, _ = b.shape(data)
    return pool(b, data, "AVERAGE", (height, width), 1)


def padded(b: GraphBuilder, data: int, amounts: Sequence[tuple[int, int]]) -> int:
    """amounts: before and after rows, columns and channels."""
    sides = np.array([(0, 0), *amounts], np.int32)
    shape = tuple(int(size + pair.sum()) for size, pair in zip(b.shape(data), sides, strict=True))
    inputs = (data, b.constant(sides))
    return b.operator("PAD", inputs, shape, b.quantization_of(data), {}, b.spreads[data])


def add(b: GraphBuilder, first: int, second: int) -> int:
    return elementwise.arithmetic(b, "ADD", first, second)


def classifier(b: GraphBuilder, data: int) -> int:
    return fully_connected(b, shaping.mean(b, data, (1, 2), keep=False), 9)


def gated(b: GraphBuilder) -> int:
    """MobileNetV3's block: the mean of a map gates its channels."""
    data = conv(b, b.input((1, 21, 18, 3)), 8, 3, 2)
    wide = elementwise.table(b, "HARD_SWISH", depthwise(b, conv(b, data, 16), 5))
    squeezed = elementwise.table(b, "RELU", conv(b, global_pool(b, wide), 4))
    gate = elementwise.table(b, "LOGISTIC", conv(b, squeezed, 16))
    return add(b, data, conv(b, elementwise.arithmetic(b, "MUL", wide, gate), 8))


def skips(b: GraphBuilder) -> int:
    """A U-Net that adds its skips."""
    data = b.input((1, 20, 14, 1))
    kept = []
    for channels in (5, 7):
        data = conv(b, depthwise(b, data, 3), channels)
        kept.append(data)
        data = conv(b, data, channels, 3, 2)
    for skip in reversed(kept):
        _, height, width, channels = b.shape(skip)
        data = add(b, conv(b, shaping.resize_nearest_neighbor(b, data, (height, width)), channels), skip)
    return conv(b, data, 3, 3)


def detector(b: GraphBuilder) -> tuple[int, ...]:
    """Two heads at two sizes, as boxes and scores."""
    data = conv(b, b.input((1, 22, 22, 3)), 8, 3, 2)
    outputs = []
    for _ in range(2):
        data = conv(b, depthwise(b, conv(b, data, 16), 3, 2), 8)
        count = b.shape(data)[1] * b.shape(data)[2] * 2
        outputs.append(shaping.reshape(b, conv(b, depthwise(b, data), 8), (1, count, 4)))
        scores = shaping.reshape(b, conv(b, data, 4), (1, count, 2))
        outputs.append(elementwise.table(b, "LOGISTIC", scores))
    return tuple(outputs)


def shortcuts(b: GraphBuilder) -> int:
    """A ResNet whose shortcuts are strided convolutions."""
    data = pool(b, conv(b, b.input((1, 33, 27, 3)), 6, 7, 2), "MAX", 3, 2, True)
    for channels, stride in ((6, 1), (10, 2)):
        branch = conv(b, conv(b, data, channels, 3, stride), channels, 3)
        same = b.shape(branch) == b.shape(data)
        data = add(b, branch, data if same else conv(b, data, channels, 1, stride))
    return classifier(b, data)


def keywords(b: GraphBuilder) -> int:
    """A spectrogram of 49 x 10 under windows that are not square."""
    data = conv(b, b.input((1, 49, 10, 1)), 8, (10, 4), (2, 1))
    for _ in range(2):
        data = conv(b, depthwise(b, data, (3, 5)), 8)
    return classifier(b, data)


def one_column(b: GraphBuilder) -> int:
    data = conv(b, depthwise(b, conv(b, b.input((1, 40, 1, 3)), 6, 3, 2), (9, 1), (2, 1)), 6)
    return add(b, data, conv(b, data, 6, (3, 1)))


def one_row(b: GraphBuilder) -> int:
    data = b.input((1, 1, 44, 5))
    for dilation in (1, 2, 4):
        data = add(b, data, conv(b, data, 5, (1, 3), dilation=dilation))
    return pool(b, data, "MAX", (1, 4), (1, 4))


def gaps(b: GraphBuilder) -> int:
    """Strides beyond the kernels: rows and columns that nobody reads; leftovers at the end."""
    data = conv(b, b.input((1, 33, 47, 3)), 6, 2, 3, same=False)
    return depthwise(b, pool(b, data, "AVERAGE", 1, 2, True), 2, 3, same=False)


def dilated(b: GraphBuilder) -> int:
    data = conv(b, b.input((1, 22, 25, 3)), 8, 11, 2, same=False)
    for dilation in (2, 3):
        data = add(b, data, conv(b, depthwise(b, data, 3, dilation=dilation), 8))
    return conv(b, data, 5, 2, dilation=3, same=False)


def multiplied(b: GraphBuilder) -> int:
    """Depth multipliers, 1 to 3 channels, even kernels; windows larger than the map."""
    data = depthwise(b, b.input((1, 17, 12, 1)), 4, 2, times=3)
    data = conv(b, depthwise(b, data, 2, times=2), 2)
    return conv(b, depthwise(b, depthwise(b, data, 9), 7, 2), 3)


def read_late(b: GraphBuilder) -> tuple[int, ...]:
    """The image again at the end; a tensor that is an output and read inside."""
    image = b.input((1, 16, 13, 4))
    early = depthwise(b, image, 3)
    data = conv(b, conv(b, early, 6, 3), 4)
    return add(b, image, data), early


def constants(b: GraphBuilder) -> int:
    """Batch norms that were not folded; a PAD that has no window after it."""
    data = b.input((1, 15, 16, 3))
    for shape in ((3,), (1, 1, 16, 1), (1, 15, 1, 3)):
        other = elementwise.constant_operand(b, shape, elementwise.similar_quantization(b, data))
        data = elementwise.arithmetic(b, b.source.choice(("ADD", "MUL")), data, other)
    data = conv(b, data, 6, 3, 2)
    shortcut = padded(b, pool(b, b.inputs[0], "MAX", 2, 2, True), ((0, 0), (0, 0), (1, 2)))
    return add(b, data, shortcut)


def back_up(b: GraphBuilder) -> int:
    """A global pool that is spread over the map again, and concatenated."""
    data = conv(b, b.input((1, 18, 14, 3)), 6, 3, 2)
    b.force(b.quantization_of(data))
    pooled = conv(b, global_pool(b, data), 4)
    large = shaping.resize_nearest_neighbor(b, pooled, (9, 7))
    return conv(b, shaping.concatenation(b, [data, large], 3), 5, 3)


def two_images(b: GraphBuilder) -> int:
    parts = [conv(b, b.input((1, 12, 17, 3)), 6, 3, 2) for _ in range(2)]
    return classifier(b, conv(b, add(b, *parts), 8, 3))


STRUCTURES: dict[str, Callable[[GraphBuilder], Outputs]] = {
    function.__name__: function
    for function in (
        gated, skips, detector, shortcuts, keywords, one_column, one_row, gaps, dilated, multiplied, read_late,
        constants, back_up, two_images,
    )
}  # fmt: skip
