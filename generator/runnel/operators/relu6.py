# SPDX-License-Identifier: Apache-2.0
"""RELU6 as an operator of its own, on int8. Source: micro/kernels/activations_common.cc (Relu6Prepare)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from runnel.graph import Graph, Operator
from runnel.operators.base import register
from runnel.operators.checks import input_at, same_quantization
from runnel.operators.lookup import LookupOperator, tabulate
from runnel.operators.quantize_math import quantization_of
from runnel.operators.relu import rounded_ratio


@register
class Relu6(LookupOperator):
    kind = "RELU6"
    summary = "Clamp to 0..6, element by element; a table of 256 bytes."
    constraints = (*LookupOperator.constraints, same_quantization)

    def table(self, graph: Graph, operator: Operator) -> npt.NDArray[np.uint8 | np.int8]:
        quantization = quantization_of(input_at(graph, operator, 0), operator)
        zero = quantization.zero_point
        six = min(127, zero + rounded_ratio(6.0, quantization.scale, operator))
        return tabulate(lambda value: min(six, max(zero, value)), "int8", "int8")
