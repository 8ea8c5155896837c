# SPDX-License-Identifier: Apache-2.0
"""Models of one operator (and what it cannot do without), one function for each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from random_models import elementwise, shaping, windowed
from random_models.builder import GraphBuilder, float32
from random_models.source import Source
from runnel.graph import Graph, Quantization

Maker = Callable[[GraphBuilder], int]


def curved(builder: GraphBuilder) -> Quantization:
    """A quantization under which LOGISTIC, TANH and HARD_SWISH neither saturate nor look straight, mostly."""
    exponent = builder.source.real(-7, -4) if not builder.source.chance(0.2) else builder.source.real(-14, 2)
    return Quantization((float32(2.0**exponent),), (builder.source.choice((0, builder.zero_point())),))


def image(builder: GraphBuilder, quantization: Quantization | None = None) -> int:
    """An input of shape [1, rows, columns, channels]; small, and odd as often as not."""
    source = builder.source
    rows = source.choice((source.integer(1, 12), source.integer(1, 7), 1))
    columns = source.choice((source.integer(1, 12), rows, source.integer(1, 20)))
    channels = source.choice((source.integer(1, 9), 3, 1, 8, 4, source.integer(1, 40)))
    if source.chance(0.04):
        rows, columns, channels = source.integer(1, 3), source.integer(1, 3), source.integer(60, 300)
    return builder.input((1, rows, columns, channels), quantization)


def anything(builder: GraphBuilder, quantization: Quantization | None = None) -> int:
    """An input of any rank."""
    source = builder.source
    if source.chance(0.6):
        return image(builder, quantization)
    sizes = tuple(source.integer(1, 12) for _ in range(source.integer(0, 2)))
    if not sizes and source.chance(0.3):
        return builder.input((source.integer(1, 40),), quantization)
    return builder.input((1, *sizes, source.integer(1, 40)), quantization)


def matrix(builder: GraphBuilder) -> int:
    """An input for FULLY_CONNECTED: mostly one long row."""
    if builder.source.chance(0.6):
        return builder.input((1, builder.source.integer(1, 200 if builder.source.chance(0.9) else 1200)))
    return anything(builder)


def arithmetic(builder: GraphBuilder, kind: str) -> int:
    first = anything(builder)
    same = builder.source.chance(0.5)
    shape = builder.shape(first)
    second = elementwise.operand(builder, first, shape if same else elementwise.smaller_shape(builder, shape))
    if builder.source.chance(0.3):
        first, second = second, first
    return elementwise.arithmetic(builder, kind, first, second)


def concatenation(builder: GraphBuilder) -> int:
    first = anything(builder)
    shape = builder.shape(first)
    axis = builder.source.integer(1 if len(shape) > 1 else 0, len(shape) - 1)
    parts = [first]
    for _ in range(builder.source.integer(1, 3)):
        other = (*shape[:axis], builder.source.integer(1, 9), *shape[axis + 1 :])
        parts.append(builder.input(other, builder.quantization_of(first)))
    return shaping.concatenation(builder, parts, axis)


def renamed(builder: GraphBuilder, change: Callable[[GraphBuilder, int], int]) -> int:
    """What only changes the shape needs company: on its own its output would be its input."""
    data = elementwise.table(builder, "RELU", anything(builder))
    return elementwise.table(builder, "LEAKY_RELU", change(builder, data))


def reshape(builder: GraphBuilder, data: int) -> int:
    return shaping.reshape(builder, data, shaping.flat_shapes(builder, builder.tensors[data].elements))


def transpose(builder: GraphBuilder) -> int:
    data = image(builder)
    if builder.source.chance(0.5):
        relu = elementwise.table(builder, "RELU", data)
        return elementwise.table(builder, "LEAKY_RELU", shaping.transpose_without_effect(builder, relu))
    order = builder.source.choice(((0, 3, 1, 2), (0, 3, 2, 1)))
    return shaping.mean(builder, shaping.transpose(builder, data, order), (2, 3))


def quantize(builder: GraphBuilder) -> int:
    source = builder.source
    kind = source.choice(("int8", "float", "from uint8", "to uint8"))  # TFLM has no float to uint8
    if kind == "float":
        return elementwise.quantize_float(builder, shape_only(builder))
    if kind == "from uint8":
        return elementwise.requantize(builder, uint8_input(builder))
    return elementwise.requantize(builder, anything(builder), "uint8" if kind == "to uint8" else "int8")


def dequantize(builder: GraphBuilder) -> int:
    from_uint8 = builder.source.chance(0.3)
    return elementwise.dequantize(builder, uint8_input(builder) if from_uint8 else anything(builder))


def uint8_input(builder: GraphBuilder) -> int:
    return builder.input(shape_only(builder), elementwise.as_uint8(builder.quantization()), "uint8")


def shape_only(builder: GraphBuilder) -> tuple[int, ...]:
    """The shape of an input that is not made."""
    shape = builder.shape(anything(builder))
    builder.inputs.pop()
    return shape


def softmax(builder: GraphBuilder) -> int:
    source = builder.source
    shape = source.choice(((1, source.integer(1, 40)), (1, 3, 2, source.integer(1, 12)), (1, source.integer(2, 300))))
    exponent = source.real(-6, -1) if not source.chance(0.2) else source.real(-12, 3)
    logits = Quantization((float32(2.0**exponent),), (builder.zero_point(),))
    return elementwise.softmax(builder, builder.input(shape, logits))


OPERATORS: Mapping[str, Maker] = {
    "CONV_2D": lambda b: windowed.conv_2d(b, image(b)),
    "DEPTHWISE_CONV_2D": lambda b: windowed.depthwise_conv_2d(b, image(b)),
    "FULLY_CONNECTED": lambda b: windowed.fully_connected(b, matrix(b)),
    "AVERAGE_POOL_2D": lambda b: windowed.average_pool_2d(b, image(b)),
    "MAX_POOL_2D": lambda b: windowed.max_pool_2d(b, image(b)),
    "ADD": lambda b: arithmetic(b, "ADD"),
    "SUB": lambda b: arithmetic(b, "SUB"),
    "MUL": lambda b: arithmetic(b, "MUL"),
    "LOGISTIC": lambda b: elementwise.table(b, "LOGISTIC", anything(b, curved(b))),
    "TANH": lambda b: elementwise.table(b, "TANH", anything(b, curved(b))),
    "RELU": lambda b: elementwise.table(b, "RELU", anything(b)),
    "RELU6": lambda b: elementwise.table(b, "RELU6", anything(b)),
    "LEAKY_RELU": lambda b: elementwise.table(b, "LEAKY_RELU", anything(b)),
    "HARD_SWISH": lambda b: elementwise.table(b, "HARD_SWISH", anything(b, curved(b))),
    "SOFTMAX": softmax,
    "PAD": lambda b: shaping.pad(b, anything(b)),
    "MEAN": lambda b: shaping.mean(b, image(b)),
    "CONCATENATION": concatenation,
    "PADV2": lambda b: shaping.pad(b, anything(b), value=True),
    "EXPAND_DIMS": lambda b: renamed(b, shaping.expand_dims),
    "SQUEEZE": lambda b: renamed(b, shaping.squeeze),
    "RESHAPE": lambda b: renamed(b, reshape),
    "TRANSPOSE": transpose,
    "RESIZE_NEAREST_NEIGHBOR": lambda b: shaping.resize_nearest_neighbor(b, image(b)),
    "QUANTIZE": quantize,
    "DEQUANTIZE": dequantize,
}

# How often each kind is drawn: the kernels with most code paths most.
WEIGHTS: Mapping[str, int] = {
    "CONV_2D": 8,
    "DEPTHWISE_CONV_2D": 8,
    "FULLY_CONNECTED": 4,
    "ADD": 3,
    "MUL": 3,
    "AVERAGE_POOL_2D": 2,
    "MAX_POOL_2D": 2,
    "MEAN": 2,
    "PAD": 2,
    "CONCATENATION": 2,
}
KINDS: tuple[str, ...] = tuple(kind for kind in OPERATORS for _ in range(WEIGHTS.get(kind, 1)))


def operator_model(source: Source, kind: str) -> Graph:
    """A model of one operator of `kind` with random shape, options, quantization and constants."""
    builder = GraphBuilder(source)
    return builder.finish((OPERATORS[kind](builder),), f"random_{kind.lower()}")
