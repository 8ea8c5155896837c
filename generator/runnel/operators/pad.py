# SPDX-License-Identifier: Apache-2.0
"""PAD on int8, any dimensions. Source: TFLite's reference/pad.h, micro/kernels/pad_common.cc.

Most PAD operators never get here: a pass folds them into the window of the operator that follows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from runnel.errors import ModelError
from runnel.graph import Graph, Operator
from runnel.operators.base import Constraint, KernelCall, OperatorType, Target, register
from runnel.operators.checks import (
    input_at,
    inputs_and_outputs,
    integers_at,
    output_of,
    per_tensor_quantization,
    same_quantization,
    types,
)
from runnel.operators.quantize_math import quantization_of

KERNEL_DIMENSIONS = 4
"""How many dimensions the kernel loops over after merging."""

Padded = tuple[int, int, int]
"""(size of the input, elements before, elements after) along one dimension."""


def paddings_of(graph: Graph, operator: Operator) -> tuple[tuple[int, int], ...]:
    """(before, after) for each dimension of the input."""
    values = integers_at(graph, operator, 1)
    rank = len(input_at(graph, operator, 0).shape)
    if len(values) != 2 * rank or min(values, default=0) < 0:
        raise ModelError(f"{operator.label}: paddings {values} do not fit a tensor with {rank} dimensions")
    return tuple(zip(values[::2], values[1::2], strict=True))


def _merged(shape: Sequence[int], paddings: Sequence[tuple[int, int]]) -> list[Padded]:
    """Fewest dimensions that describe the same copy: one that is not padded joins the one outside it."""
    merged: list[Padded] = []
    for size, (before, after) in zip(shape, paddings, strict=True):
        if before == after == 0 and (merged or size == 1):
            merged[-1:] = [(s * size, b * size, a * size) for s, b, a in merged[-1:]]
        else:
            merged.append((size, before, after))
    return merged


def _value(graph: Graph, operator: Operator) -> int:
    """What is put around the input."""
    if len(operator.inputs) > 2 and operator.inputs[2] is not None:
        return integers_at(graph, operator, 2)[0]
    return quantization_of(output_of(graph, operator), operator).zero_point


def constant_paddings(graph: Graph, operator: Operator) -> str | None:
    """The paddings are constant and not negative"""
    paddings = input_at(graph, operator, 1)
    if not paddings.is_constant:
        return f"'{paddings.name}' is computed at run time"
    negative = [value for value in integers_at(graph, operator, 1) if value < 0]
    return f"padding {negative[0]}" if negative else None


def few_dimensions(graph: Graph, operator: Operator) -> str | None:
    """At most 4 dimensions are padded or lie between padded ones"""
    count = len(_merged(input_at(graph, operator, 0).shape, paddings_of(graph, operator)))
    return None if count <= KERNEL_DIMENSIONS else f"{count} dimensions"


def same_constant_quantization(graph: Graph, operator: Operator) -> str | None:
    """The padding value, where it is given, is one constant int8 in the quantization of the output"""
    if len(operator.inputs) < 3 or operator.inputs[2] is None:
        return None
    value, output = input_at(graph, operator, 2), output_of(graph, operator)
    if not value.is_constant or value.type != "int8" or value.elements != 1:
        return f"'{value.name}' is {'constant' if value.is_constant else 'computed'} {value.type} {value.shape}"
    given, expected = quantization_of(value, operator), quantization_of(output, operator)
    if (given.scale, given.zero_point) != (expected.scale, expected.zero_point):
        return f"scale {given.scale:g}, zero point {given.zero_point}"
    return None


@register
class Pad(OperatorType):
    kind = "PAD"
    summary = "Adds zeros around any dimensions."
    input_count = (2, 2)
    options_table = "PadOptions"
    options: ClassVar[Mapping[str, str]] = {}
    constraints: ClassVar[tuple[Constraint, ...]] = (
        inputs_and_outputs(2, 3),
        types(0, "int8"),
        types("output", "int8"),
        per_tensor_quantization,
        same_quantization,
        constant_paddings,
        same_constant_quantization,
        few_dimensions,
    )

    def output_shapes(self, graph: Graph, operator: Operator) -> tuple[tuple[int, ...], ...]:
        shape = input_at(graph, operator, 0).shape
        paddings = paddings_of(graph, operator)
        return (tuple(size + before + after for size, (before, after) in zip(shape, paddings, strict=True)),)

    def reference(
        self, graph: Graph, operator: Operator, inputs: tuple[npt.NDArray[Any] | None, ...]
    ) -> tuple[npt.NDArray[Any], ...]:
        data = inputs[0]
        assert data is not None
        return (np.pad(data, paddings_of(graph, operator), constant_values=_value(graph, operator)),)

    def lower(self, graph: Graph, operator: Operator, target: Target) -> tuple[KernelCall, ...]:
        source, output = input_at(graph, operator, 0), output_of(graph, operator)
        merged = _merged(source.shape, paddings_of(graph, operator))
        merged = [(1, 0, 0)] * (KERNEL_DIMENSIONS - len(merged)) + merged
        call = KernelCall(
            kernel="pad",
            shape={
                f"{name}_{n}": merged[n][part]
                for part, name in enumerate(("input", "before", "after"))
                for n in range(KERNEL_DIMENSIONS)
            },
            layer={"value": _value(graph, operator)},
            constants=(),
            inputs=(source.index,),
            output=output.index,
        )
        return (call,)
