# SPDX-License-Identifier: Apache-2.0
"""SOFTMAX on int8 over the last dimension. Source: TFLite's reference/softmax.h, micro/kernels/softmax_common.cc."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from runnel.graph import Graph, Operator
from runnel.operators.base import (
    Constant,
    Constraint,
    Footprint,
    KernelCall,
    OperatorType,
    Target,
    int32,
    register,
)
from runnel.operators.checks import input_at, inputs_and_outputs, output_of, per_tensor_quantization, types
from runnel.operators.fixed_point import (
    doubling_high_multiply,
    exp_on_negative_values,
    input_radius,
    one_over_one_plus_x,
    rounding_divide,
    wrap,
)
from runnel.operators.quantize_math import quantization_of, quantize_multiplier

INTEGER_BITS = 5
"""Differences from the largest value are in Q5."""
SUM_BITS = 12
"""Integer bits of the sum of exponentials."""
MOST_CLASSES = 4095


def _real_multiplier(graph: Graph, operator: Operator) -> float:
    """beta * scale in Q5, capped as in PreprocessSoftmaxScaling."""
    beta = float(np.float32(operator.attributes.get("beta", 0.0)))
    scale = quantization_of(input_at(graph, operator, 0), operator).scale
    return min(beta * scale * (1 << (31 - INTEGER_BITS)), float((1 << 31) - 1))


def exponentials(real_multiplier: float) -> list[int]:
    """exp(-d * beta * scale) in Q0 for the differences d = 0, 1, ... that count."""
    multiplier, shift = quantize_multiplier(real_multiplier)
    return [
        exp_on_negative_values(doubling_high_multiply(wrap(-difference << shift), multiplier), INTEGER_BITS)
        for difference in range(min(input_radius(INTEGER_BITS, shift), 255) + 1)
    ]


def _softmax(row: Sequence[int], table: Sequence[int]) -> list[int]:
    """One row of values from the table of exponentials."""
    largest = max(row)
    powers = [table[largest - value] if largest - value < len(table) else 0 for value in row]
    total = sum(rounding_divide(power, SUM_BITS) for power in powers)
    zeros = 32 - total.bit_length()
    inverse = one_over_one_plus_x((total << zeros) - (1 << 31))
    exponent = SUM_BITS - zeros + 31 - 8
    if exponent > 31:
        return [-128] * len(row)
    return [min(rounding_divide(doubling_high_multiply(inverse, power), exponent) - 128, 127) for power in powers]


def output_scale(graph: Graph, operator: Operator) -> str | None:
    """The output has scale 1/256 and zero point -128"""
    quantization = quantization_of(output_of(graph, operator), operator)
    if quantization.scale != 1 / 256 or quantization.zero_point != -128:
        return f"scale {quantization.scale:g}, zero point {quantization.zero_point}"
    return None


def input_scale(graph: Graph, operator: Operator) -> str | None:
    """beta * input scale is more than 2^-26"""
    multiplier = _real_multiplier(graph, operator)
    return None if multiplier > 1 else f"beta * scale = {multiplier / (1 << 26):g}"


def few_classes(graph: Graph, operator: Operator) -> str | None:
    """The last dimension has at most 4095 elements"""
    shape = input_at(graph, operator, 0).shape
    return None if shape and 1 <= shape[-1] <= MOST_CLASSES else f"shape {shape}"


@register
class Softmax(OperatorType):
    kind = "SOFTMAX"
    summary = "Softmax over the last dimension; in place; a table of at most 1 kB."
    options_table = "SoftmaxOptions"
    options: ClassVar[Mapping[str, str]] = {"beta": "float"}
    constraints: ClassVar[tuple[Constraint, ...]] = (
        inputs_and_outputs(1),
        types(0, "int8"),
        types("output", "int8"),
        per_tensor_quantization,
        output_scale,
        input_scale,
        few_classes,
    )

    def output_shapes(self, graph: Graph, operator: Operator) -> tuple[tuple[int, ...], ...]:
        return (input_at(graph, operator, 0).shape,)

    def reference(
        self, graph: Graph, operator: Operator, inputs: tuple[npt.NDArray[Any] | None, ...]
    ) -> tuple[npt.NDArray[Any], ...]:
        (data,) = inputs
        assert data is not None
        table = exponentials(_real_multiplier(graph, operator))
        rows = data.reshape(-1, data.shape[-1])
        return (np.array([_softmax([int(v) for v in row], table) for row in rows], np.int8).reshape(data.shape),)

    def footprint(self, graph: Graph, operator: Operator, target: Target) -> Footprint:
        return Footprint(in_place=(0,))

    def lower(self, graph: Graph, operator: Operator, target: Target) -> tuple[KernelCall, ...]:
        source, output = input_at(graph, operator, 0), output_of(graph, operator)
        table = exponentials(_real_multiplier(graph, operator))
        depth = source.shape[-1]
        call = KernelCall(
            kernel="softmax",
            shape={"rows": source.elements // depth, "depth": depth, "exponentials_count": len(table)},
            layer={},
            constants=(Constant("exponentials", int32(table)),),
            inputs=(source.index,),
            output=output.index,
            in_place=self.footprint(graph, operator, target).in_place,
        )
        return (call,)
