# SPDX-License-Identifier: Apache-2.0
"""SUB on int8, with broadcasting. Source: TFLite's reference/sub.h, micro/kernels/sub_common.cc."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from runnel.graph import Graph, Operator
from runnel.operators.add import EXTRA_BITS, addition_layer
from runnel.operators.base import KernelCall, Target, register
from runnel.operators.broadcast import ElementwiseOperator, broadcast_fields
from runnel.operators.checks import input_at, output_of
from runnel.operators.quantize_math import quantization_of


@register
class Sub(ElementwiseOperator):
    kind = "SUB"
    summary = "Difference of two tensors, with broadcasting; in place where the shapes agree."
    options_table = "SubOptions"
    options: ClassVar[Mapping[str, str]] = {
        "fused_activation_function": "ActivationFunctionType",
        "pot_scale_int16": "bool",
    }

    def lower(self, graph: Graph, operator: Operator, target: Target) -> tuple[KernelCall, ...]:
        first, second, output = input_at(graph, operator, 0), input_at(graph, operator, 1), output_of(graph, operator)
        # unlike ADD, Micro computes these in float32
        scales = [np.float32(quantization_of(tensor, operator).scale) for tensor in (first, second, output)]
        with np.errstate(over="ignore", divide="ignore", invalid="ignore", under="ignore"):
            largest = np.float32(2) * max(scales[0], scales[1])
            result = largest / (np.float32(1 << EXTRA_BITS) * scales[2])
            multipliers = (float(scales[0] / largest), float(scales[1] / largest), float(result))
        call = KernelCall(
            kernel="add",
            shape={**broadcast_fields(first.shape, second.shape), "subtract": 1},
            layer=addition_layer(graph, operator, multipliers),
            constants=(),
            inputs=(first.index, second.index),
            output=output.index,
            in_place=self.in_place(graph, operator),
        )
        return (call,)
