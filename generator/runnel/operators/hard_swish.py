# SPDX-License-Identifier: Apache-2.0
"""HARD_SWISH on int8. Source: TFLite's reference/hard_swish.h, micro/kernels/hard_swish_common.cc."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from runnel.graph import Graph, Operator
from runnel.operators.base import register
from runnel.operators.checks import bounded_multiplier, input_at, output_of
from runnel.operators.fixed_point import (
    INT16_MAX,
    INT32_MAX,
    doubling_high_multiply,
    rounding_divide,
    saturating_left_shift,
    wrap,
)
from runnel.operators.lookup import LookupOperator, tabulate
from runnel.operators.quantize_math import quantization_of

HIGH_RESOLUTION_BITS = 7
"""Inputs are shifted left by this much, so that they use all of an int16."""
RELUISH_SCALE = 3 / 32768
"""The scale on which the real value 3 is 32768."""


def _multiplier16(real: float, operator: Operator) -> tuple[int, int]:
    """(multiplier in Q15, exponent) of `real`. Source: DownScaleInt32ToInt16Multiplier."""
    multiplier, exponent = bounded_multiplier(real, operator)
    if multiplier >= INT32_MAX - (1 << 15):
        return INT16_MAX, exponent
    return (multiplier + (1 << 15)) >> 16, exponent


def _output_multiplier(graph: Graph, operator: Operator) -> float:
    before = quantization_of(input_at(graph, operator, 0), operator)
    after = quantization_of(output_of(graph, operator), operator)
    return before.scale / 128 / after.scale


def _scale_ratio(graph: Graph, operator: Operator) -> str | None:
    """The scale of the output is at least 1/128 of the input's"""
    return None if _output_multiplier(graph, operator) < 1 else "the output's scale is smaller"


def _reluish(high: int, multiplier: int, exponent: int) -> int:
    """max(0, min(1, (x + 3) / 6)) in Q15 for x = `high` on the high-resolution input scale; all in 16 bits."""
    value = saturating_left_shift(high, exponent - 1, 16) if exponent > 0 else high
    value = doubling_high_multiply(value, multiplier, 16)
    if exponent > 0:
        value = saturating_left_shift(value, 1, 16)
    if exponent < 0:
        value = rounding_divide(value, -exponent, 16)
    return (value + (1 << 15)) >> 1


@register
class HardSwish(LookupOperator):
    kind = "HARD_SWISH"
    summary = "x * relu6(x + 3) / 6, element by element; a table of 256 bytes."
    options_table = "HardSwishOptions"
    constraints = (*LookupOperator.constraints, _scale_ratio)

    def table(self, graph: Graph, operator: Operator) -> npt.NDArray[np.uint8 | np.int8]:
        before = quantization_of(input_at(graph, operator, 0), operator)
        after = quantization_of(output_of(graph, operator), operator)
        output_multiplier, output_exponent = _multiplier16(_output_multiplier(graph, operator), operator)
        reluish = _multiplier16(before.scale / 128 / RELUISH_SCALE, operator)

        def swish(value: int) -> int:
            high = (value - before.zero_point) << HIGH_RESOLUTION_BITS
            unshifted = doubling_high_multiply(high, output_multiplier, 16)
            product = _reluish(high, *reluish) * unshifted
            # division truncates towards zero here: it cancels the bias of the roundings before
            truncated = product >> 15 if product >= 0 else -(-product >> 15)
            return wrap(rounding_divide(truncated, -output_exponent, 16) + after.zero_point, 16)

        return tabulate(swish, "int8", "int8")
