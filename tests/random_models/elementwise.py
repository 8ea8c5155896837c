# SPDX-License-Identifier: Apache-2.0
"""Random operators that work element by element: arithmetic with broadcasting, tables, softmax, conversions."""

from __future__ import annotations

import numpy as np

from random_models.builder import GraphBuilder, Spread, float32
from runnel.graph import Quantization

ARITHMETIC = ("ADD", "SUB", "MUL")
TABLES = ("LOGISTIC", "TANH", "RELU", "RELU6", "RELU_N1_TO_1", "LEAKY_RELU", "HARD_SWISH")


def combined(builder: GraphBuilder, kind: str, first: Spread, second: Spread) -> Spread:
    if kind == "MUL":
        return first.times(second)
    return first.shifted(second, -1.0 if kind == "SUB" else 1.0)


def arithmetic(builder: GraphBuilder, kind: str, first: int, second: int) -> int:
    """ADD, SUB or MUL of two tensors whose shapes broadcast."""
    spread = combined(builder, kind, builder.spreads[first], builder.spreads[second])
    activation = builder.activation(spread)
    shape = np.broadcast_shapes(builder.shape(first), builder.shape(second))
    output = builder.fitted(spread, activation)
    if kind != "MUL":
        # TFLM aborts unless twice the larger input scale is well below 2^20 output scales.
        larger = max(builder.quantization_of(i).scale for i in (first, second))
        output = Quantization((float32(max(output.scale, larger / 2**17)),), output.zero_points)
    attributes = {"fused_activation_function": activation}
    return builder.operator(kind, (first, second), shape, output, attributes, spread)


def smaller_shape(builder: GraphBuilder, shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape that broadcasts to `shape`: some axes become 1, or leading axes are left out."""
    source = builder.source
    if len(shape) == 4 and source.chance(0.5):
        return source.choice(((1, 1, 1, shape[3]), (1, 1, 1, 1), (1, shape[1], shape[2], 1), (1, 1, shape[2], 1)))
    kept = shape[source.integer(0, len(shape)) :]
    return tuple(1 if source.chance(0.3) else size for size in kept)


def similar_quantization(builder: GraphBuilder, other: int) -> Quantization:
    """A scale within a factor of 16 of the other operand's, so that neither drowns the other; sometimes beyond."""
    reach = 4.0 if not builder.source.chance(0.1) else 10.0
    scale = builder.quantization_of(other).scale * 2.0 ** builder.source.real(-reach, reach)
    return Quantization((float32(scale),), (builder.zero_point(),))


def constant_operand(builder: GraphBuilder, shape: tuple[int, ...], quantization: Quantization) -> int:
    return builder.constant(builder.random.integers(-128, 128, shape).astype(np.int8), quantization)


def operand(builder: GraphBuilder, data: int, shape: tuple[int, ...]) -> int:
    """A second operand for `data`: a new input or a constant."""
    quantization = similar_quantization(builder, data)
    if builder.source.chance(0.3):
        return constant_operand(builder, shape, quantization)
    if shape and shape[0] != 1:
        shape = (1, *shape)  # inputs have batch 1
    return builder.input(shape, quantization)


def table(builder: GraphBuilder, kind: str, data: int) -> int:
    """Operators that map each value on its own. LOGISTIC and TANH have fixed output scales."""
    spread = builder.spreads[data]
    attributes: dict[str, object] = {}
    if kind == "LOGISTIC":
        output, after = Quantization((1 / 256,), (-128,)), Spread(0.5, 0.3)
    elif kind == "TANH":
        output, after = Quantization((1 / 128,), (0,)), Spread(0.0, 0.5)
    else:
        after = spread
        output = builder.fitted(spread, kind if kind.startswith("RELU") else "NONE")
        if kind == "RELU6":  # TFLM only clamps here, whatever the output's scale
            output = builder.quantization_of(data)
        if kind == "LEAKY_RELU":
            attributes = {"alpha": float32(builder.source.choice((0.1, 0.01, 0.3, 1.5, -0.2)))}
        if kind == "HARD_SWISH" and builder.source.chance(0.3):
            output = builder.quantization_of(data)
    return builder.operator(kind, (data,), builder.shape(data), output, attributes, after)


def softmax(builder: GraphBuilder, data: int) -> int:
    attributes = {"beta": float32(builder.source.choice((1.0, 1.0, 0.5, 2.0)))}
    output = Quantization((1 / 256,), (-128,))
    return builder.operator("SOFTMAX", (data,), builder.shape(data), output, attributes, Spread(0.2, 0.2))


def as_uint8(quantization: Quantization) -> Quantization:
    """The same real values with uint8 instead of int8."""
    return Quantization(quantization.scales, (quantization.zero_point + 128,))


def requantize(builder: GraphBuilder, data: int, output_type: str = "int8") -> int:
    """QUANTIZE between 8-bit types."""
    fitted = builder.fitted(builder.spreads[data])
    output = as_uint8(fitted) if output_type == "uint8" else fitted
    return builder.operator("QUANTIZE", (data,), builder.shape(data), output, {}, builder.spreads[data], output_type)


def dequantize(builder: GraphBuilder, data: int) -> int:
    return builder.operator("DEQUANTIZE", (data,), builder.shape(data), None, {}, builder.spreads[data], "float32")


def quantize_float(builder: GraphBuilder, shape: tuple[int, ...]) -> int:
    """A float32 model input and its QUANTIZE."""
    quantization = builder.quantization()
    index = builder.tensor(shape, "float32")
    builder.inputs.append(index)
    spread = Spread(-0.5 * quantization.scale, 74 * quantization.scale)
    return builder.operator("QUANTIZE", (index,), shape, quantization, {}, spread)
