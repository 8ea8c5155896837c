# SPDX-License-Identifier: Apache-2.0
"""RELU as an operator of its own, on int8. Source: micro/kernels/activations_common.cc, activations.h.

The published sources of 2026-08 divide the scales in float32; the pinned wheel, which is the oracle, divides them in
double. The same holds for SUB, LEAKY_RELU and HARD_SWISH; clamps are divided in float32 in both.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from runnel.errors import UnsupportedError
from runnel.graph import Graph, Operator
from runnel.operators.base import register
from runnel.operators.checks import bounded_multiplier, input_at, output_of
from runnel.operators.fixed_point import multiply_by_quantized_multiplier, wrap
from runnel.operators.lookup import LookupOperator, tabulate
from runnel.operators.quantize_math import quantization_of


def rounded_ratio(real: float, scale: float, operator: Operator) -> int:
    """real / scale in float32, rounded to nearest with halves away from zero (C's roundf)."""
    with np.errstate(over="ignore", divide="ignore"):
        ratio = float(np.float32(real) / np.float32(scale))
    if not math.isfinite(ratio) or abs(ratio) >= 2**31:
        raise UnsupportedError(f"{operator.label}: scale {scale:g} is too small")
    return int(math.copysign(math.floor(abs(ratio) + 0.5), ratio))


def rescaling_clamp(
    graph: Graph, operator: Operator, lowest: float, highest: float | None
) -> npt.NDArray[np.uint8 | np.int8]:
    """Table of a requantization from the input's to the output's scale, clamped to real values lowest..highest."""
    before = quantization_of(input_at(graph, operator, 0), operator)
    after = quantization_of(output_of(graph, operator), operator)
    multiplier, shift = bounded_multiplier(before.scale / after.scale, operator)
    low = max(-128, after.zero_point + rounded_ratio(lowest, after.scale, operator))
    high = 127
    if highest is not None:
        high = min(127, after.zero_point + rounded_ratio(highest, after.scale, operator))

    def clamp(value: int) -> int:
        scaled = multiply_by_quantized_multiplier(value - before.zero_point, multiplier, shift)
        return min(high, max(low, wrap(after.zero_point + scaled)))

    return tabulate(clamp, "int8", "int8")


@register
class Relu(LookupOperator):
    kind = "RELU"
    summary = "Clamp below 0, element by element, with a change of scale; a table of 256 bytes."

    def table(self, graph: Graph, operator: Operator) -> npt.NDArray[np.uint8 | np.int8]:
        return rescaling_clamp(graph, operator, 0.0, None)
