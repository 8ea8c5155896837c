# SPDX-License-Identifier: Apache-2.0
"""DEQUANTIZE from 8-bit types to float32. Source: TFLite's reference/dequantize.h."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from runnel.graph import Graph, Operator
from runnel.operators.base import Constraint, Footprint, KernelCall, OperatorType, Target, Window, register
from runnel.operators.checks import input_at, inputs_and_outputs, output_of, per_tensor_quantization, types
from runnel.operators.float_edge import float_edge_call
from runnel.operators.lookup import SINGLE_ELEMENT
from runnel.operators.quantize_math import quantization_of


@register
class Dequantize(OperatorType):
    kind = "DEQUANTIZE"
    summary = "To float32, element by element."
    role = "converts"
    options_table = "DequantizeOptions"
    options: ClassVar[Mapping[str, str]] = {}
    constraints: ClassVar[tuple[Constraint, ...]] = (
        inputs_and_outputs(1),
        types(0, "int8", "uint8"),
        types("output", "float32"),
        per_tensor_quantization,
    )

    def output_shapes(self, graph: Graph, operator: Operator) -> tuple[tuple[int, ...], ...]:
        return (input_at(graph, operator, 0).shape,)

    def window(self, graph: Graph, operator: Operator) -> Window | None:
        return SINGLE_ELEMENT

    def reference(
        self, graph: Graph, operator: Operator, inputs: tuple[npt.NDArray[Any] | None, ...]
    ) -> tuple[npt.NDArray[Any], ...]:
        (data,) = inputs
        assert data is not None
        quantization = quantization_of(input_at(graph, operator, 0), operator)
        return ((quantization.scale * (data.astype(np.float64) - quantization.zero_point)).astype(np.float32),)

    def footprint(self, graph: Graph, operator: Operator, target: Target) -> Footprint:
        return Footprint(in_place=(0,))

    def lower(self, graph: Graph, operator: Operator, target: Target) -> tuple[KernelCall, ...]:
        source, output = input_at(graph, operator, 0), output_of(graph, operator)
        quantization = quantization_of(source, operator)
        return (float_edge_call(f"dequantize_{source.type}_float32", source, output, quantization),)
