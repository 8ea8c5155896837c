# SPDX-License-Identifier: Apache-2.0
"""Random networks most of whose operators can run by rows, in the combinations that make streaming hard."""

from __future__ import annotations

import numpy as np

from random_models import elementwise, shaping
from random_models.builder import GraphBuilder, Spread
from random_models.graphs import (
    Block,
    activation,
    branches,
    constant_operand,
    convolution,
    inverted_bottleneck,
    old_friend,
    pad_then_stride,
    padded_twice,
    pooling,
    pyramid,
    requantized,
    reshaped,
    residual,
    second_input,
    squeeze_and_excite,
    twice,
)
from random_models.source import Source
from random_models.windowed import Axis, average_pool_2d, conv_2d, depthwise_conv_2d, fully_connected
from random_models.windowed import square_window as window
from runnel.graph import Graph
from runnel.reference import evaluate
from runnel.run.inputs import random_inputs

MOST_ELEMENTS = 3000
NOISE = 3
"""Which of the inputs of random_inputs is another noise than the first."""


def separable(builder: GraphBuilder, data: int) -> int:
    """Any depthwise window, dilated now and then, and a 1x1 convolution that may read its columns."""
    narrow = depthwise_conv_2d(builder, data, builder.source.choice((1, 1, 2)))
    return conv_2d(builder, narrow, builder.source.integer(1, 10), window(builder, narrow, 1))


def dilated(builder: GraphBuilder, data: int) -> int:
    """A dilated window: a depthwise one with a 1x1 convolution behind it, or a convolution."""
    source, same = builder.source, builder.source.chance(0.7)
    axes = [_dilated_axis(builder, size, same) for size in builder.shape(data)[1:3]]
    if source.chance(0.3):
        return conv_2d(builder, data, source.integer(1, 10), (same, axes[0], axes[1]))
    narrow = depthwise_conv_2d(builder, data, 1, (same, axes[0], axes[1]))
    return conv_2d(builder, narrow, source.integer(1, 10), window(builder, narrow, 1))


def _dilated_axis(builder: GraphBuilder, size: int, same: bool) -> Axis:
    dilation = builder.source.integer(2, 3)
    kernel = builder.source.integer(1, 4) if same else min(builder.source.integer(1, 4), (size - 1) // dilation + 1)
    return Axis(kernel, 1, dilation, size if same else size - (kernel - 1) * dilation)


def chain(builder: GraphBuilder, data: int) -> int:
    """Inverted bottlenecks without a pause, as networks for microcontrollers are made of."""
    for _ in range(builder.source.integer(2, 3)):
        data = inverted_bottleneck(builder, data)
    return data


def two_readers(builder: GraphBuilder, data: int) -> int:
    """One row of pixels that a depthwise convolution and something else read; joined again."""
    source, channels = builder.source, builder.shape(data)[3]
    wide = conv_2d(builder, data, channels, window(builder, data, 1))
    kernel = source.choice((3, 5, 1))
    left = depthwise_conv_2d(builder, wide, 1, window(builder, wide, kernel))
    right = wide
    if source.chance(0.6):
        other = window(builder, wide, source.choice((3, 7)))
        right = (
            depthwise_conv_2d(builder, wide, 1, other)
            if source.chance(0.5)
            else conv_2d(builder, wide, channels, other)
        )
    pair = (left, right) if source.chance(0.5) else (right, left)
    return elementwise.arithmetic(builder, source.choice(("ADD", "SUB", "MUL")), *pair)


def resized(builder: GraphBuilder, data: int) -> int:
    _, height, width, _ = builder.shape(data)
    size = builder.source.integer(1, height + 4), builder.source.integer(1, width + 4)
    return shaping.resize_nearest_neighbor(builder, data, size)


BLOCKS: tuple[Block, ...] = (
    convolution,
    separable,
    separable,
    dilated,
    dilated,
    chain,
    residual,
    inverted_bottleneck,
    inverted_bottleneck,
    two_readers,
    branches,
    pad_then_stride,
    squeeze_and_excite,
    activation,
    pooling,
    pyramid,
    resized,
    requantized,
    twice,
    old_friend,
    padded_twice,
    constant_operand,
    second_input,
    reshaped,
)


BOTTLENECKS: tuple[Block, ...] = (chain, inverted_bottleneck, inverted_bottleneck, two_readers, separable, dilated)


def tail(builder: GraphBuilder, data: int) -> int:
    """Global pooling by MEAN or a pool, and what classifiers have after it."""
    source = builder.source
    keep = source.chance(0.6)
    if source.chance(0.5):
        data = shaping.mean(builder, data, (1, 2), keep=keep)
    else:
        data = average_pool_2d(builder, data, everything=True)
    if len(builder.shape(data)) == 4 and source.chance(0.6):
        data = conv_2d(builder, data, source.integer(1, 12), window(builder, data, 1))
    if source.chance(0.5):
        data = shaping.reshape(builder, data, (1, builder.tensors[data].elements))
        data = fully_connected(builder, data, source.integer(1, 8))
    return elementwise.softmax(builder, data) if source.chance(0.3) else data


def measure(builder: GraphBuilder, data: int) -> bool:
    """Keeps the spread of the values that `data` takes for noise. False where they hardly vary."""
    graph = builder.finish((data,))
    inputs = random_inputs([graph.tensor(i) for i in graph.inputs], NOISE + 1, 0)
    values = np.stack([evaluate(graph, inputs[n])[0].reshape(-1).astype(np.float64) for n in (0, NOISE)])
    quantization = builder.quantization_of(data)
    real = (values - quantization.zero_point) * quantization.scale
    builder.spreads[data] = Spread(float(real.mean()), float(real.std()))
    return float(np.mean(values[0] == values[1])) < 0.6


def extended(builder: GraphBuilder, data: int, block: Block) -> tuple[GraphBuilder, int]:
    """The graph with one more block, or as it was where the block's output would hardly vary."""
    before = builder.snapshot()
    after = block(builder, data)
    return (builder, after) if measure(builder, after) else (before, data)


def network(source: Source) -> Graph:
    """Up to 6 blocks on an image of any shape, often a tail, one to three outputs."""
    builder = GraphBuilder(source, gentle=True)
    blocks = source.choice((BLOCKS, BLOCKS, BOTTLENECKS))
    largest = source.choice((9, 14, 22))
    data = builder.input((1, source.integer(2, largest), source.integer(2, largest), source.choice((3, 1, 4, 8, 5))))
    extra: list[int] = []
    for _ in range(source.integer(1, 6)):
        builder, data = extended(builder, data, source.choice(blocks))
        if source.chance(0.12) and data not in builder.inputs:
            extra.append(data)
        if builder.tensors[data].elements > MOST_ELEMENTS:
            data = conv_2d(builder, data, 4, window(builder, data, source.choice((3, 2, 4)), 2))
    if source.chance(0.5):
        builder, data = extended(builder, data, tail)
    if data in builder.inputs:
        data = convolution(builder, data)
    return builder.finish(tuple(dict.fromkeys([data, *extra])), "random_network")
