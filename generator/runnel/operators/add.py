# SPDX-License-Identifier: Apache-2.0
"""ADD and, as its subclass, SUB on int8, with broadcasting.

Source: TFLite's reference/integer_ops/add.h, micro/kernels/add_common.cc; for SUB reference/sub.h, sub_common.cc.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from runnel.errors import UnsupportedError
from runnel.graph import Graph, Operator
from runnel.operators.base import KernelCall, RowLayout, Target, register
from runnel.operators.broadcast import ElementwiseOperator, broadcast_fields
from runnel.operators.checks import input_at, output_of
from runnel.operators.quantize_math import activation_range, quantization_of, quantize_multiplier
from runnel.operators.reference_math import multiply_by_quantized_multiplier

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


@register
class Add(ElementwiseOperator):
    kind = "ADD"
    summary = "Sum of two tensors, with broadcasting; in place where the shapes agree."
    options_table = "AddOptions"
    options: ClassVar[Mapping[str, str]] = {
        "fused_activation_function": "ActivationFunctionType",
        "pot_scale_int16": "bool",
    }
    subtract: ClassVar[bool] = False

    def reference(
        self, graph: Graph, operator: Operator, inputs: tuple[npt.NDArray[Any] | None, ...]
    ) -> tuple[npt.NDArray[Any], ...]:
        layer = self._layer(graph, operator)

        def scaled(values: npt.NDArray[Any], name: str) -> npt.NDArray[np.int64]:
            multiplier, shift = np.int64(layer[f"{name}_multiplier"]), np.int64(-layer[f"{name}_shift"])
            return multiply_by_quantized_multiplier(values, np.asarray(multiplier), np.asarray(shift))

        first, second = (
            scaled((data.astype(np.int64) - layer[f"{name}_zero_point"]) << EXTRA_BITS, name)
            for data, name in zip(inputs, ("input_0", "input_1"), strict=True)
            if data is not None
        )
        result = scaled(first - second if self.subtract else first + second, "output") + layer["output_zero_point"]
        return (np.clip(result, layer["clamp_min"], layer["clamp_max"]).astype(np.int8),)

    def lower(self, graph: Graph, operator: Operator, target: Target) -> tuple[KernelCall, ...]:
        first, second, output = input_at(graph, operator, 0), input_at(graph, operator, 1), output_of(graph, operator)
        call = KernelCall(
            kernel="add",
            shape={**broadcast_fields(first.shape, second.shape), "subtract": int(self.subtract)},
            layer=self._layer(graph, operator),
            constants=(),
            inputs=(first.index, second.index),
            output=output.index,
            in_place=self.footprint(graph, operator, target).in_place,
        )
        return (call,)

    def lower_rows(self, graph: Graph, operator: Operator, target: Target, layout: RowLayout) -> tuple[KernelCall, ...]:
        call = KernelCall(
            kernel="add_pixels",
            shape={**self.row_shape(graph, operator, layout), "subtract": int(self.subtract)},
            layer=self._layer(graph, operator),
            constants=(),
            inputs=(input_at(graph, operator, 0).index, input_at(graph, operator, 1).index),
            output=output_of(graph, operator).index,
            layer_type="runnel_add_layer",
            form="pixels",
            file="add",
        )
        return (call,)

    def _layer(self, graph: Graph, operator: Operator) -> Mapping[str, int]:
        """Both inputs are brought to twice the larger of their scales, summed and brought to the output's scale."""
        tensors = (input_at(graph, operator, 0), input_at(graph, operator, 1), output_of(graph, operator))
        a, b, result = (quantization_of(tensor, operator) for tensor in tensors)
        common = 2 * max(a.scale, b.scale)
        reals = (a.scale / common, b.scale / common, common / ((1 << EXTRA_BITS) * result.scale))
        layer: dict[str, int] = {}
        for name, quantization, real in zip(("input_0", "input_1", "output"), (a, b, result), reals, strict=True):
            layer[f"{name}_zero_point"] = quantization.zero_point
            layer[f"{name}_multiplier"], layer[f"{name}_shift"] = _below_one(real, operator)
        activation = str(operator.attributes.get("fused_activation_function", "NONE"))
        layer["clamp_min"], layer["clamp_max"] = activation_range(activation, tensors[2], operator)
        return layer
