# SPDX-License-Identifier: Apache-2.0
"""Random small graphs out of the blocks that real networks are made of."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from random_models import elementwise, shaping
from random_models.builder import GraphBuilder, Spread, with_scale
from random_models.source import Source
from random_models.windowed import average_pool_2d, conv_2d, depthwise_conv_2d, fully_connected, max_pool_2d
from random_models.windowed import square_window as window
from runnel.errors import RunError
from runnel.graph import Graph
from runnel.run.inputs import random_inputs
from runnel.run.oracle import tflm_oracle
from runnel.tflite.writer import write_tflite

Block = Callable[[GraphBuilder, int], int]

MOST_ELEMENTS = 6000


def convolution(builder: GraphBuilder, data: int) -> int:
    return conv_2d(builder, data, builder.source.integer(1, 12))


def depthwise(builder: GraphBuilder, data: int) -> int:
    """Stride 1 and no multiplier can work in place."""
    if builder.source.chance(0.6):
        return depthwise_conv_2d(builder, data, 1, window(builder, data, builder.source.choice((3, 5, 7, 1))))
    return depthwise_conv_2d(builder, data, builder.source.choice((1, 2)))


def residual(builder: GraphBuilder, data: int) -> int:
    """ADD of the input and one or two convolutions of it; the operands in either order."""
    channels = builder.shape(data)[3]
    branch = conv_2d(builder, data, channels, window(builder, data, builder.source.choice((1, 3))))
    if builder.source.chance(0.5):
        branch = conv_2d(builder, branch, channels, window(builder, branch, 3))
    pair = (data, branch) if builder.source.chance(0.5) else (branch, data)
    return elementwise.arithmetic(builder, builder.source.choice(("ADD", "ADD", "SUB", "MUL")), *pair)


def inverted_bottleneck(builder: GraphBuilder, data: int) -> int:
    """1x1 up, depthwise, 1x1 down, and the ADD where the shape stays."""
    source, channels = builder.source, builder.shape(data)[3]
    wide = conv_2d(builder, data, channels * source.integer(1, 4), window(builder, data, 1))
    stride = source.choice((1, 1, 2))
    kernel = source.choice((3, 5, 7))
    narrow = depthwise_conv_2d(builder, wide, 1, window(builder, wide, kernel, stride))
    out = conv_2d(builder, narrow, channels if stride == 1 else source.integer(1, 9), window(builder, narrow, 1))
    return elementwise.arithmetic(builder, "ADD", data, out) if stride == 1 else out


def branches(builder: GraphBuilder, data: int) -> int:
    """Two or three convolutions side by side, concatenated along channels."""
    parts = [conv_2d(builder, data, builder.source.integer(1, 6), window(builder, data, 1))]
    for _ in range(builder.source.integer(1, 2)):
        builder.force(builder.quantization_of(parts[0]))
        parts.append(conv_2d(builder, data, builder.source.integer(1, 6), window(builder, data, 3)))
    return shaping.concatenation(builder, parts, 3)


def pad_then_stride(builder: GraphBuilder, data: int) -> int:
    """PAD and a VALID window of stride 2, as PyTorch's padding is converted."""
    padded = shaping.pad(builder, data, spatial=True)
    _, height, width, _ = builder.shape(padded)
    kernel = builder.source.choice([k for k in (1, 3, 5) if k <= min(height, width)])
    make = builder.source.choice((conv_2d, depthwise_conv_2d))
    return make(builder, padded, None, window(builder, padded, kernel, 2, same=False))


def squeeze_and_excite(builder: GraphBuilder, data: int) -> int:
    """A gate per channel from the mean of each channel, multiplied in."""
    source, channels = builder.source, builder.shape(data)[3]
    pooled = shaping.mean(builder, data, (1, 2), keep=True)
    small = conv_2d(builder, pooled, source.integer(1, 4), window(builder, pooled, 1))
    gate = conv_2d(builder, small, channels, window(builder, small, 1))
    gate = elementwise.table(builder, source.choice(("LOGISTIC", "HARD_SWISH", "RELU6")), gate)
    pair = (data, gate) if source.chance(0.7) else (gate, data)
    return elementwise.arithmetic(builder, "MUL", *pair)


def activation(builder: GraphBuilder, data: int) -> int:
    kind = builder.source.choice(("HARD_SWISH", "RELU", "LEAKY_RELU", "LOGISTIC", "TANH", "RELU6"))
    return elementwise.table(builder, kind, data)


def pooling(builder: GraphBuilder, data: int) -> int:
    return average_pool_2d(builder, data) if builder.source.chance(0.5) else max_pool_2d(builder, data)


def pyramid(builder: GraphBuilder, data: int) -> int:
    """Half the size, scaled up again, concatenated with the original."""
    _, height, width, _ = builder.shape(data)
    builder.force(builder.quantization_of(data))
    small = conv_2d(builder, data, builder.source.integer(1, 4), window(builder, data, 3, 2))
    large = shaping.resize_nearest_neighbor(builder, small, (height, width))
    return shaping.concatenation(builder, [data, large], 3)


def second_input(builder: GraphBuilder, data: int) -> int:
    """Another input of the model joins in."""
    shape = builder.shape(data)
    if builder.source.chance(0.5):
        other = builder.input(shape, elementwise.similar_quantization(builder, data))
        return elementwise.arithmetic(builder, "ADD", data, other)
    other = builder.input((*shape[:3], builder.source.integer(1, 4)), builder.quantization_of(data))
    return shaping.concatenation(builder, [other, data], 3)


def reshaped(builder: GraphBuilder, data: int) -> int:
    """A chain of RESHAPE that ends in the shape it began with."""
    shape = builder.shape(data)
    flat = shaping.reshape(builder, data, (1, builder.tensors[data].elements))
    between = shaping.reshape(builder, flat, shaping.flat_shapes(builder, builder.tensors[data].elements))
    return shaping.reshape(builder, between, shape)


def requantized(builder: GraphBuilder, data: int) -> int:
    return elementwise.requantize(builder, data)


def twice(builder: GraphBuilder, data: int) -> int:
    """One tensor as both operands: what works in place must notice."""
    kind = builder.source.choice(("ADD", "MUL", "CONCATENATION", "SUB"))
    if kind == "CONCATENATION":
        return shaping.concatenation(builder, [data, data], 3)
    return elementwise.arithmetic(builder, kind, data, data)


def old_friend(builder: GraphBuilder, data: int) -> int:
    """ADD with any earlier tensor of the same shape, which so stays alive for long."""
    shape = builder.shape(data)
    same = [
        index
        for index, tensor in builder.tensors.items()
        if tensor.shape == shape and tensor.type == "int8" and tensor.data is None and index != data
    ]
    if not same:
        return data
    return elementwise.arithmetic(builder, "ADD", builder.source.choice(same), data)


def padded_twice(builder: GraphBuilder, data: int) -> int:
    """A PAD with two readers, of which not all can take its padding over, or a chain of PAD."""
    padded = shaping.pad(builder, data, spatial=True)
    if builder.source.chance(0.3):
        padded = shaping.pad(builder, padded, spatial=builder.source.chance(0.7))
    kind = builder.source.choice(("pool", "same", "two"))
    if kind == "pool":
        return pooling(builder, padded)
    first = conv_2d(builder, padded, 3, window(builder, padded, 3))
    if kind == "same":
        return first
    builder.force(builder.quantization_of(first))
    second = depthwise_conv_2d(builder, padded, 1, window(builder, padded, 3))
    return shaping.concatenation(builder, [first, second], 3)


def constant_operand(builder: GraphBuilder, data: int) -> int:
    """ADD or MUL with a constant, per channel or for all elements."""
    shape = builder.shape(data)
    chosen = builder.source.choice(((1, 1, 1, shape[3]), (shape[3],), shape))
    constant = elementwise.constant_operand(builder, chosen, elementwise.similar_quantization(builder, data))
    pair = (data, constant) if builder.source.chance(0.5) else (constant, data)
    return elementwise.arithmetic(builder, builder.source.choice(("ADD", "MUL", "SUB")), *pair)


BLOCKS: tuple[Block, ...] = (
    convolution,
    depthwise,
    residual,
    inverted_bottleneck,
    branches,
    pad_then_stride,
    squeeze_and_excite,
    activation,
    pooling,
    pyramid,
    second_input,
    reshaped,
    requantized,
    twice,
    old_friend,
    padded_twice,
    constant_operand,
)


def head(builder: GraphBuilder, data: int) -> int:
    """From feature map to a row of numbers."""
    source = builder.source
    kind = source.choice(("mean", "pool", "flat", "none", "transposed", "computed shape"))
    if kind == "none":
        return data
    if kind == "mean":
        data = shaping.mean(builder, data, (1, 2), keep=False)
    elif kind == "transposed":
        data = shaping.mean(builder, shaping.transpose(builder, data, (0, 3, 1, 2)), (2, 3), keep=False)
    elif kind == "computed shape":
        data = shaping.reshape_by_shape(builder, data)
    elif kind == "pool":
        channels = builder.shape(data)[3]
        data = shaping.reshape(builder, average_pool_2d(builder, data, everything=True), (1, channels))
    else:
        data = shaping.reshape(builder, data, (1, builder.tensors[data].elements))
    data = fully_connected(builder, data, source.integer(1, 12))
    return elementwise.softmax(builder, data) if source.chance(0.5) else data


def measure(builder: GraphBuilder, data: int) -> bool:
    """Asks TFLM which values `data` takes for noise and keeps their spread. False where they hardly vary."""
    graph = builder.finish((data,))
    inputs = random_inputs([with_scale(graph, i) for i in graph.inputs], 4, 0)
    try:
        outputs = tflm_oracle(write_tflite(graph)).run([inputs[0], inputs[3]])
    except RunError:
        return False
    values = np.stack([arrays[0].reshape(-1).astype(np.float64) for arrays in outputs])
    quantization = builder.quantization_of(data)
    real = (values - quantization.zero_point) * quantization.scale
    builder.spreads[data] = Spread(float(real.mean()), float(real.std()))
    return float(np.mean(values[0] == values[1])) < 0.6


def extended(builder: GraphBuilder, data: int, block: Block) -> tuple[GraphBuilder, int]:
    """The graph with one more block, or as it was where the block's output would hardly vary."""
    before = builder.snapshot()
    after = block(builder, data)
    return (builder, after) if measure(builder, after) else (before, data)


def graph_model(source: Source) -> Graph:
    """A graph of up to 8 blocks with one to three inputs and outputs, sometimes float32 or uint8 at its ends."""
    builder = GraphBuilder(source, gentle=True)
    shape = (1, source.integer(2, 14), source.integer(2, 14), source.choice((source.integer(1, 9), 3, 1, 8)))
    ends = source.choice(("int8", "int8", "float32", "uint8"))
    data = start(builder, shape, ends)
    extra: list[int] = []
    for _ in range(source.integer(1, 8)):
        builder, data = extended(builder, data, source.choice(BLOCKS))
        if source.chance(0.15) and builder.operators:
            extra.append(data)
        if builder.tensors[data].elements > MOST_ELEMENTS:
            data = conv_2d(builder, data, 4, window(builder, data, 3, 2))
    builder, data = extended(builder, data, head)
    if data in builder.inputs:
        data = convolution(builder, data)
    last = finish(builder, data, ends)
    outputs = tuple(dict.fromkeys([last, *(i for i in extra if i not in builder.inputs)]))
    return builder.finish(outputs, "random_graph")


def start(builder: GraphBuilder, shape: tuple[int, ...], ends: str) -> int:
    if ends == "float32":
        return elementwise.quantize_float(builder, shape)
    if ends == "int8":
        return builder.input(shape)
    chosen = builder.quantization()
    data = builder.input(shape, elementwise.as_uint8(chosen), "uint8")
    if builder.source.chance(0.7):
        builder.force(chosen)
    return elementwise.requantize(builder, data)


def finish(builder: GraphBuilder, data: int, ends: str) -> int:
    if ends == "float32":
        return elementwise.dequantize(builder, data)
    if ends == "int8":
        return data
    quantization = builder.quantization_of(data)
    if builder.source.chance(0.7):
        builder.force(quantization)
    return elementwise.requantize(builder, data, "uint8")
