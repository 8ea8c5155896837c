# SPDX-License-Identifier: Apache-2.0
"""QUANTIZE between 8-bit types and from float32. Source: TFLite's reference/requantize.h and quantize.h."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from runnel.graph import Graph, Operator
from runnel.operators.base import Constraint, KernelCall, Target, register
from runnel.operators.checks import (
    bounded_multiplier,
    input_at,
    inputs_and_outputs,
    output_of,
    per_tensor_quantization,
    types,
)
from runnel.operators.fixed_point import multiply_by_quantized_multiplier, wrap
from runnel.operators.float_edge import float_edge_call
from runnel.operators.lookup import KERNELS, LookupOperator, tabulate
from runnel.operators.quantize_math import TYPE_RANGES, quantization_of

SUPPORTED = {*KERNELS, ("float32", "int8"), ("float32", "uint8")}


def known_pair(graph: Graph, operator: Operator) -> str | None:
    """From int8 to int8 or uint8, from uint8 to int8, from float32 to int8 or uint8"""
    pair = (input_at(graph, operator, 0).type, output_of(graph, operator).type)
    return None if pair in SUPPORTED else f"from {pair[0]} to {pair[1]}"


@register
class Quantize(LookupOperator):
    kind = "QUANTIZE"
    summary = "To another scale, zero point or 8-bit type (a table of 256 bytes), or from float32."
    role = "converts"
    options_table = "QuantizeOptions"
    options: ClassVar[Mapping[str, str]] = {}
    constraints: ClassVar[tuple[Constraint, ...]] = (
        inputs_and_outputs(1),
        types(0, "int8", "uint8", "float32"),
        types("output", "int8", "uint8"),
        known_pair,
        per_tensor_quantization,
    )

    def table(self, graph: Graph, operator: Operator) -> npt.NDArray[np.uint8 | np.int8]:
        source, output = input_at(graph, operator, 0), output_of(graph, operator)
        before, after = quantization_of(source, operator), quantization_of(output, operator)
        multiplier, shift = bounded_multiplier(before.scale / after.scale, operator)

        def requantized(value: int) -> int:
            scaled = multiply_by_quantized_multiplier(value - before.zero_point, multiplier, shift)
            return wrap(scaled + after.zero_point)

        return tabulate(requantized, source.type, output.type)

    def reference(
        self, graph: Graph, operator: Operator, inputs: tuple[npt.NDArray[Any] | None, ...]
    ) -> tuple[npt.NDArray[Any], ...]:
        (data,) = inputs
        assert data is not None
        if data.dtype != np.float32:
            return super().reference(graph, operator, inputs)
        output = output_of(graph, operator)
        quantization = quantization_of(output, operator)
        quotient = (data / np.float32(quantization.scale)).astype(np.float64)
        rounded = np.copysign(np.floor(np.abs(quotient) + 0.5), quotient) + quantization.zero_point
        return (np.clip(np.nan_to_num(rounded, nan=-np.inf), *TYPE_RANGES[output.type]).astype(output.type),)

    def lower(self, graph: Graph, operator: Operator, target: Target) -> tuple[KernelCall, ...]:
        source, output = input_at(graph, operator, 0), output_of(graph, operator)
        if source.type != "float32":
            return super().lower(graph, operator, target)
        quantization = quantization_of(output, operator)
        return (float_edge_call(f"quantize_float32_{output.type}", source, output, quantization),)
