# SPDX-License-Identifier: Apache-2.0
"""Broadcasting of elementwise operators with two inputs: ADD, SUB, MUL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from runnel.errors import ModelError
from runnel.graph import Graph, Operator, Tensor
from runnel.operators.base import Constraint, Footprint, OperatorType, RowForm, RowLayout, Target, Window
from runnel.operators.checks import input_at, inputs_and_outputs, output_of, per_tensor_quantization, types
from runnel.operators.lookup import SINGLE_ELEMENT
from runnel.operators.row_kernels import ONE_PIXEL, is_feature_map, output_steps

KERNEL_DIMENSIONS = 4
"""How many dimensions the kernels loop over after those that broadcast alike are merged."""

Merged = tuple[int, bool, bool]
"""(count, does input 0 advance along it, does input 1)."""


def _extended(shape: Sequence[int], rank: int) -> tuple[int, ...]:
    return (1,) * (rank - len(shape)) + tuple(shape)


def broadcast_shape(first: Sequence[int], second: Sequence[int], operator: Operator) -> tuple[int, ...]:
    """The shape of the result, or ModelError where the shapes do not fit."""
    rank = max(len(first), len(second))
    pairs = list(zip(_extended(first, rank), _extended(second, rank), strict=True))
    if any(a != b and 1 not in (a, b) for a, b in pairs):
        raise ModelError(f"{operator.label}: shapes {tuple(first)} and {tuple(second)} do not broadcast")
    return tuple(b if a == 1 else a for a, b in pairs)


def merged_dimensions(first: Sequence[int], second: Sequence[int]) -> tuple[Merged, ...]:
    """The dimensions of the result, outermost first; neighbours along which the inputs advance alike become one."""
    rank = max(len(first), len(second))
    merged: list[Merged] = []
    for a, b in zip(_extended(first, rank), _extended(second, rank), strict=True):
        if a == b == 1:
            continue
        dimension = (max(a, b), a != 1, b != 1)
        if merged and merged[-1][1:] == dimension[1:]:
            dimension = (merged.pop()[0] * dimension[0], *dimension[1:])
        merged.append(dimension)
    return tuple(merged) or ((1, True, True),)


def broadcast_fields(first: Sequence[int], second: Sequence[int]) -> Mapping[str, int]:
    """The fields count_n and input_i_step_n of the kernels' shape structs."""
    merged = merged_dimensions(first, second)
    merged = ((1, False, False),) * (KERNEL_DIMENSIONS - len(merged)) + merged
    fields = {f"count_{n}": dimension[0] for n, dimension in enumerate(merged)}
    for position in (0, 1):
        step = 1
        steps = {}
        for n in reversed(range(KERNEL_DIMENSIONS)):
            advances = merged[n][1 + position]
            steps[f"input_{position}_step_{n}"] = step if advances else 0
            step *= merged[n][0] if advances else 1
        fields.update(sorted(steps.items()))
    return fields


def kernel_dimensions(graph: Graph, operator: Operator) -> str | None:
    """At most 4 groups of dimensions broadcast differently (any shapes with up to 4 dimensions do)"""
    groups = len(merged_dimensions(input_at(graph, operator, 0).shape, input_at(graph, operator, 1).shape))
    return None if groups <= KERNEL_DIMENSIONS else f"{groups} groups"


def has_run_time_input(graph: Graph, operator: Operator) -> str | None:
    """At least one input is computed at run time"""
    return None if graph.activations(operator) else "both inputs are constant"


class ElementwiseOperator(OperatorType):
    """An operator that combines two int8 tensors element by element, with NumPy's broadcasting."""

    constraints: ClassVar[tuple[Constraint, ...]] = (
        inputs_and_outputs(2),
        types("inputs", "int8"),
        types("output", "int8"),
        per_tensor_quantization,
        has_run_time_input,
        kernel_dimensions,
    )

    def output_shapes(self, graph: Graph, operator: Operator) -> tuple[tuple[int, ...], ...]:
        return (broadcast_shape(input_at(graph, operator, 0).shape, input_at(graph, operator, 1).shape, operator),)

    def window(self, graph: Graph, operator: Operator) -> Window | None:
        shape = output_of(graph, operator).shape
        whole = all(tensor.shape == shape for tensor in graph.activations(operator))
        return SINGLE_ELEMENT if whole else None

    def footprint(self, graph: Graph, operator: Operator, target: Target) -> Footprint:
        """The output may take the place of inputs that do not broadcast."""
        elements = output_of(graph, operator).elements
        places = tuple(
            position
            for position in (0, 1)
            if input_at(graph, operator, position).elements == elements
            and not input_at(graph, operator, position).is_constant
        )
        return Footprint(in_place=places)

    def row_form(self, graph: Graph, operator: Operator) -> RowForm | None:
        """Rows of both inputs, or of one with a value for each channel, or one value, from the other."""
        output = output_of(graph, operator)
        if not is_feature_map(output):
            return None
        inputs = (input_at(graph, operator, 0), input_at(graph, operator, 1))
        if any(_row_steps(tensor, output) is None for tensor in inputs):
            return None
        if all(tensor.is_constant or tensor.shape != output.shape for tensor in inputs):
            return None
        return RowForm("pixels", ONE_PIXEL, writes_planes=True)

    def row_shape(self, graph: Graph, operator: Operator, layout: RowLayout) -> dict[str, int]:
        """The shape struct of the row kernel."""
        output = output_of(graph, operator)
        fields = {"channels": output.shape[-1]}
        for position in (0, 1):
            steps = _row_steps(input_at(graph, operator, position), output)
            assert steps is not None
            fields[f"input_{position}_pixel_step"], fields[f"input_{position}_channel_step"] = steps
        return {**fields, **output_steps(layout)}


def _row_steps(tensor: Tensor, output: Tensor) -> tuple[int, int] | None:
    """Elements from one pixel and from one channel to the next, 0 where the tensor broadcasts.

    None where it neither has the output's pixels nor is the same at each of them. A constant with the output's pixels
    is no input that comes by rows.
    """
    if tensor.shape == output.shape and (not tensor.is_constant or output.shape[1:3] == (1, 1)):
        return (output.shape[3], 1)
    if tensor.elements == 1:
        return (0, 0)
    return (0, 1) if tensor.elements == tensor.shape[-1] == output.shape[3] else None
