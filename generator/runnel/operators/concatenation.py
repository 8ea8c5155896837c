# SPDX-License-Identifier: Apache-2.0
"""CONCATENATION on int8 along any axis. Source: TFLite's reference/concatenation.h, micro/kernels/concatenation.cc."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from runnel.errors import ModelError
from runnel.graph import Graph, Operator, Tensor
from runnel.operators.base import Constraint, Footprint, KernelCall, OperatorType, Target, register
from runnel.operators.checks import (
    axis_index,
    input_at,
    inputs_and_outputs,
    output_of,
    per_tensor_quantization,
    types,
)
from runnel.operators.quantize_math import quantization_of

MOST_INPUTS = 1024


def _inputs(graph: Graph, operator: Operator) -> list[Tensor]:
    return [input_at(graph, operator, position) for position in range(len(operator.inputs))]


def equal_quantization(graph: Graph, operator: Operator) -> str | None:
    """All inputs have exactly the scale and zero point of the output (Micro copies values as they are)"""
    output = quantization_of(output_of(graph, operator), operator)
    for tensor in _inputs(graph, operator):
        given = quantization_of(tensor, operator)
        if (given.scale, given.zero_point) != (output.scale, output.zero_point):
            return (
                f"'{tensor.name}' has scale {given.scale:g}, zero point {given.zero_point}; "
                f"the output has scale {output.scale:g}, zero point {output.zero_point}"
            )
    return None


def no_activation(graph: Graph, operator: Operator) -> str | None:
    """No fused activation"""
    activation = str(operator.attributes.get("fused_activation_function", "NONE"))
    return None if activation == "NONE" else activation


@register
class Concatenation(OperatorType):
    kind = "CONCATENATION"
    summary = "Joins tensors along any axis; one copy for each input."
    options_table = "ConcatenationOptions"
    options: ClassVar[Mapping[str, str]] = {"axis": "int", "fused_activation_function": "ActivationFunctionType"}
    constraints: ClassVar[tuple[Constraint, ...]] = (
        inputs_and_outputs(1, MOST_INPUTS),
        types("inputs", "int8"),
        types("output", "int8"),
        per_tensor_quantization,
        equal_quantization,
        no_activation,
    )

    def output_shapes(self, graph: Graph, operator: Operator) -> tuple[tuple[int, ...], ...]:
        shapes = [tensor.shape for tensor in _inputs(graph, operator)]
        axis = axis_index(operator, int(operator.attributes.get("axis", 0)), len(shapes[0]))
        if len({(shape[:axis], shape[axis + 1 :], len(shape)) for shape in shapes}) != 1:
            raise ModelError(f"{operator.label}: shapes {shapes} cannot be joined along axis {axis}")
        return ((*shapes[0][:axis], sum(shape[axis] for shape in shapes), *shapes[0][axis + 1 :]),)

    def reference(
        self, graph: Graph, operator: Operator, inputs: tuple[npt.NDArray[Any] | None, ...]
    ) -> tuple[npt.NDArray[Any], ...]:
        axis = int(operator.attributes.get("axis", 0))
        return (np.concatenate([data for data in inputs if data is not None], axis=axis),)

    def footprint(self, graph: Graph, operator: Operator, target: Target) -> Footprint:
        return Footprint(calls=len(operator.inputs))

    def lower(self, graph: Graph, operator: Operator, target: Target) -> tuple[KernelCall, ...]:
        output = output_of(graph, operator)
        axis = axis_index(operator, int(operator.attributes.get("axis", 0)), len(output.shape))
        calls = []
        offset = 0
        for tensor in _inputs(graph, operator):
            block = math.prod(tensor.shape[axis:])
            calls.append(
                KernelCall(
                    kernel="concatenation",
                    shape={
                        "blocks": math.prod(tensor.shape[:axis]),
                        "block_bytes": block,
                        "output_offset": offset,
                        "output_step": math.prod(output.shape[axis:]),
                    },
                    layer={"unused": 0},
                    constants=(),
                    inputs=(tensor.index,),
                    output=output.index,
                )
            )
            offset += block
        return tuple(calls)
