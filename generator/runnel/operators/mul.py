# SPDX-License-Identifier: Apache-2.0
"""MUL on int8, with broadcasting. Source: TFLite's reference/integer_ops/mul.h, micro/kernels/mul_common.cc."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from runnel.graph import Graph, Operator
from runnel.operators.base import KernelCall, Target, register
from runnel.operators.broadcast import ElementwiseOperator, broadcast_fields
from runnel.operators.checks import bounded_multiplier, input_at, output_of
from runnel.operators.quantize_math import activation_range, quantization_of


@register
class Mul(ElementwiseOperator):
    kind = "MUL"
    summary = "Product of two tensors, with broadcasting as squeeze-and-excite uses it; in place where it can be."
    options_table = "MulOptions"
    options: ClassVar[Mapping[str, str]] = {"fused_activation_function": "ActivationFunctionType"}

    def lower(self, graph: Graph, operator: Operator, target: Target) -> tuple[KernelCall, ...]:
        first, second, output = input_at(graph, operator, 0), input_at(graph, operator, 1), output_of(graph, operator)
        a, b, result = (quantization_of(tensor, operator) for tensor in (first, second, output))
        multiplier, shift = bounded_multiplier(a.scale * b.scale / result.scale, operator)
        activation = str(operator.attributes.get("fused_activation_function", "NONE"))
        clamp_min, clamp_max = activation_range(activation, output, operator)
        call = KernelCall(
            kernel="mul",
            shape=broadcast_fields(first.shape, second.shape),
            layer={
                "input_0_zero_point": a.zero_point,
                "input_1_zero_point": b.zero_point,
                "output_zero_point": result.zero_point,
                "output_multiplier": multiplier,
                "output_shift": shift,
                "clamp_min": clamp_min,
                "clamp_max": clamp_max,
            },
            constants=(),
            inputs=(first.index, second.index),
            output=output.index,
            in_place=self.in_place(graph, operator),
        )
        return (call,)
