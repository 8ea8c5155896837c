# SPDX-License-Identifier: Apache-2.0
"""TANH on int8. Source: TFLite's reference/integer_ops/tanh.h, micro/kernels/tanh.cc."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from runnel.graph import Graph, Operator
from runnel.operators.base import register
from runnel.operators.checks import input_at, output_of
from runnel.operators.fixed_point import multiply_by_quantized_multiplier, rounding_divide, tanh
from runnel.operators.logistic import INTEGER_BITS, input_scaling
from runnel.operators.lookup import LookupOperator, tabulate
from runnel.operators.quantize_math import quantization_of


def _output_scale(graph: Graph, operator: Operator) -> str | None:
    """The output has scale 1/128 and zero point 0"""
    quantization = quantization_of(output_of(graph, operator), operator)
    if quantization.scale != 1 / 128 or quantization.zero_point != 0:
        return f"scale {quantization.scale:g}, zero point {quantization.zero_point}"
    return None


@register
class Tanh(LookupOperator):
    kind = "TANH"
    summary = "Hyperbolic tangent, element by element; a table of 256 bytes."
    constraints = (*LookupOperator.constraints, _output_scale)

    def table(self, graph: Graph, operator: Operator) -> npt.NDArray[np.uint8 | np.int8]:
        quantization = quantization_of(input_at(graph, operator, 0), operator)
        multiplier, shift, radius = input_scaling(quantization.scale, operator)

        def tangent(value: int) -> int:
            centred = value - quantization.zero_point
            if abs(centred) >= radius:
                return -128 if centred <= -radius else 127
            q0 = tanh(multiply_by_quantized_multiplier(centred, multiplier, shift), INTEGER_BITS)
            return rounding_divide(q0, 24)

        return tabulate(tangent, "int8", "int8")
