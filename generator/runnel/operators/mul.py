# SPDX-License-Identifier: Apache-2.0
"""MUL on int8, with broadcasting. Source: TFLite's reference/integer_ops/mul.h, micro/kernels/mul_common.cc."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from runnel.graph import Graph, Operator
from runnel.operators.base import KernelCall, RowLayout, Target, register
from runnel.operators.broadcast import ElementwiseOperator, broadcast_fields
from runnel.operators.checks import bounded_multiplier, input_at, output_of
from runnel.operators.quantize_math import activation_range, quantization_of
from runnel.operators.reference_math import multiply_by_quantized_multiplier, wrap_int32


@register
class Mul(ElementwiseOperator):
    kind = "MUL"
    summary = "Product of two tensors, with broadcasting as squeeze-and-excite uses it; in place where it can be."
    options_table = "MulOptions"
    options: ClassVar[Mapping[str, str]] = {"fused_activation_function": "ActivationFunctionType"}

    def reference(
        self, graph: Graph, operator: Operator, inputs: tuple[npt.NDArray[Any] | None, ...]
    ) -> tuple[npt.NDArray[Any], ...]:
        layer = self._layer(graph, operator)
        first, second = (
            data.astype(np.int64) - layer[f"input_{position}_zero_point"]
            for position, data in enumerate(inputs)
            if data is not None
        )
        multiplier, shift = np.asarray(layer["output_multiplier"]), np.asarray(layer["output_shift"])
        scaled = multiply_by_quantized_multiplier(first * second, multiplier, shift)
        result = wrap_int32(scaled + layer["output_zero_point"])
        return (np.clip(result, layer["clamp_min"], layer["clamp_max"]).astype(np.int8),)

    def lower(self, graph: Graph, operator: Operator, target: Target) -> tuple[KernelCall, ...]:
        first, second, output = input_at(graph, operator, 0), input_at(graph, operator, 1), output_of(graph, operator)
        call = KernelCall(
            kernel="mul",
            shape=broadcast_fields(first.shape, second.shape),
            layer=self._layer(graph, operator),
            constants=(),
            inputs=(first.index, second.index),
            output=output.index,
            in_place=self.footprint(graph, operator, target).in_place,
        )
        return (call,)

    def lower_rows(self, graph: Graph, operator: Operator, target: Target, layout: RowLayout) -> tuple[KernelCall, ...]:
        call = KernelCall(
            kernel="mul_pixels",
            shape=self.row_shape(graph, operator, layout),
            layer=self._layer(graph, operator),
            constants=(),
            inputs=(input_at(graph, operator, 0).index, input_at(graph, operator, 1).index),
            output=output_of(graph, operator).index,
            layer_type="runnel_mul_layer",
            form="pixels",
            file="mul",
        )
        return (call,)

    def _layer(self, graph: Graph, operator: Operator) -> Mapping[str, int]:
        tensors = (input_at(graph, operator, 0), input_at(graph, operator, 1), output_of(graph, operator))
        a, b, result = (quantization_of(tensor, operator) for tensor in tensors)
        multiplier, shift = bounded_multiplier(a.scale * b.scale / result.scale, operator)
        activation = str(operator.attributes.get("fused_activation_function", "NONE"))
        clamp_min, clamp_max = activation_range(activation, tensors[2], operator)
        return {
            "input_0_zero_point": a.zero_point,
            "input_1_zero_point": b.zero_point,
            "output_zero_point": result.zero_point,
            "output_multiplier": multiplier,
            "output_shift": shift,
            "clamp_min": clamp_min,
            "clamp_max": clamp_max,
        }
