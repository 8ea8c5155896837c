# SPDX-License-Identifier: Apache-2.0
"""LOGISTIC (sigmoid) on int8. Source: TFLite's reference/integer_ops/logistic.h, micro/kernels/logistic_common.cc."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from runnel.errors import UnsupportedError
from runnel.graph import Graph, Operator
from runnel.operators.base import register
from runnel.operators.checks import input_at, output_of
from runnel.operators.fixed_point import input_radius, logistic, multiply_by_quantized_multiplier, rounding_divide
from runnel.operators.lookup import LookupOperator, tabulate
from runnel.operators.quantize_math import quantization_of, quantize_multiplier

INTEGER_BITS = 4
"""The input of the sigmoid is in Q4: -16 < x < 16."""


def input_scaling(scale: float, operator: Operator) -> tuple[int, int, int]:
    """(multiplier, left shift, radius) that bring an int8 input of `scale` to Q4; beyond the radius it saturates."""
    multiplier, shift = quantize_multiplier(scale * (1 << (31 - INTEGER_BITS)))
    if shift < 0 or not math.isfinite(scale):
        raise UnsupportedError(f"{operator.label}: input scale {scale:g} is too small")
    return multiplier, shift, input_radius(INTEGER_BITS, shift)


def _output_scale(graph: Graph, operator: Operator) -> str | None:
    """The output has scale 1/256 and zero point -128"""
    quantization = quantization_of(output_of(graph, operator), operator)
    if quantization.scale != 1 / 256 or quantization.zero_point != -128:
        return f"scale {quantization.scale:g}, zero point {quantization.zero_point}"
    return None


@register
class Logistic(LookupOperator):
    kind = "LOGISTIC"
    summary = "Sigmoid, element by element; a table of 256 bytes."
    constraints = (*LookupOperator.constraints, _output_scale)

    def table(self, graph: Graph, operator: Operator) -> npt.NDArray[np.uint8 | np.int8]:
        quantization = quantization_of(input_at(graph, operator, 0), operator)
        multiplier, shift, radius = input_scaling(quantization.scale, operator)

        def sigmoid(value: int) -> int:
            centred = value - quantization.zero_point
            if abs(centred) >= radius:
                return -128 if centred <= -radius else 127
            q0 = logistic(multiply_by_quantized_multiplier(centred, multiplier, shift), INTEGER_BITS)
            return rounding_divide(q0, 23) - 128

        return tabulate(sigmoid, "int8", "int8")
