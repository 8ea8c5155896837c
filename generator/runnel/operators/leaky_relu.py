# SPDX-License-Identifier: Apache-2.0
"""LEAKY_RELU on int8. Source: TFLite's reference/leaky_relu.h, micro/kernels/leaky_relu_common.cc."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from runnel.graph import Graph, Operator
from runnel.operators.base import register
from runnel.operators.checks import bounded_multiplier, input_at, output_of
from runnel.operators.fixed_point import multiply_by_quantized_multiplier, wrap
from runnel.operators.lookup import LookupOperator, tabulate
from runnel.operators.quantize_math import float32, quantization_of


@register
class LeakyRelu(LookupOperator):
    kind = "LEAKY_RELU"
    summary = "Multiply negative values by alpha, element by element; a table of 256 bytes."
    options_table = "LeakyReluOptions"
    options = {"alpha": "float"}

    def table(self, graph: Graph, operator: Operator) -> npt.NDArray[np.uint8 | np.int8]:
        before = quantization_of(input_at(graph, operator, 0), operator)
        after = quantization_of(output_of(graph, operator), operator)
        slope = float32(operator.attributes.get("alpha", 0.0))
        negative = slope < 0
        alpha = bounded_multiplier(before.scale * abs(slope) / after.scale, operator)
        identity = bounded_multiplier(before.scale / after.scale, operator)

        def leaky(value: int) -> int:
            centred = value - before.zero_point
            scaled = multiply_by_quantized_multiplier(centred, *(identity if centred >= 0 else alpha))
            return wrap(after.zero_point + (-scaled if negative and centred < 0 else scaled))

        return tabulate(leaky, "int8", "int8")
