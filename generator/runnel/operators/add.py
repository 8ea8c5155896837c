# SPDX-License-Identifier: Apache-2.0
"""ADD on int8, with broadcasting. Source: TFLite's reference/integer_ops/add.h, micro/kernels/add_common.cc."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from runnel.errors import UnsupportedError
from runnel.graph import Graph, Operator
from runnel.operators.base import KernelCall, Target, register
from runnel.operators.broadcast import ElementwiseOperator, broadcast_fields
from runnel.operators.checks import input_at, output_of
from runnel.operators.quantize_math import activation_range, quantization_of, quantize_multiplier

EXTRA_BITS = 20
"""Inputs are shifted left by this much before they are scaled: RUNNEL_ADD_EXTRA_BITS in add.h."""


def _below_one(real: float, operator: Operator) -> tuple[int, int]:
    """(multiplier, shift to the right) of 0 < real < 1; Micro aborts outside. Source: ...SmallerThanOneExp."""
    multiplier, shift = quantize_multiplier(real) if 0 < real < 1 else (0, 1)
    if shift > 0:
        raise UnsupportedError(
            f"{operator.label}: the output's scale must be more than 2^-19 of the larger input scale "
            f"(a multiplier below 1 is needed, it is {real:g})"
        )
    return multiplier, -shift


def addition_layer(
    graph: Graph, operator: Operator, multipliers: tuple[float, float, float]
) -> Mapping[str, int]:
    """Fields of the layer struct of the kernel `add`. multipliers: of input 0, of input 1, of the output."""
    tensors = (input_at(graph, operator, 0), input_at(graph, operator, 1), output_of(graph, operator))
    layer: dict[str, int] = {}
    for name, tensor, real in zip(("input_0", "input_1", "output"), tensors, multipliers, strict=True):
        layer[f"{name}_zero_point"] = quantization_of(tensor, operator).zero_point
        layer[f"{name}_multiplier"], layer[f"{name}_shift"] = _below_one(real, operator)
    activation = str(operator.attributes.get("fused_activation_function", "NONE"))
    layer["clamp_min"], layer["clamp_max"] = activation_range(activation, tensors[2], operator)
    return layer


@register
class Add(ElementwiseOperator):
    kind = "ADD"
    summary = "Sum of two tensors, with broadcasting; in place where the shapes agree."
    options_table = "AddOptions"
    options: ClassVar[Mapping[str, str]] = {
        "fused_activation_function": "ActivationFunctionType",
        "pot_scale_int16": "bool",
    }

    def lower(self, graph: Graph, operator: Operator, target: Target) -> tuple[KernelCall, ...]:
        first, second, output = input_at(graph, operator, 0), input_at(graph, operator, 1), output_of(graph, operator)
        scales = [quantization_of(tensor, operator).scale for tensor in (first, second, output)]
        largest = 2 * max(scales[0], scales[1])
        multipliers = (scales[0] / largest, scales[1] / largest, largest / ((1 << EXTRA_BITS) * scales[2]))
        call = KernelCall(
            kernel="add",
            shape={**broadcast_fields(first.shape, second.shape), "subtract": 0},
            layer=addition_layer(graph, operator, multipliers),
            constants=(),
            inputs=(first.index, second.index),
            output=output.index,
            in_place=self.in_place(graph, operator),
        )
        return (call,)
