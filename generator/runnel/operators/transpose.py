# SPDX-License-Identifier: Apache-2.0
"""TRANSPOSE: an alias where it moves no data; passes remove those that only feed a MEAN."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy.typing as npt

from runnel.errors import ModelError
from runnel.graph import Graph, Operator
from runnel.operators.alias import AliasOperator, same_type
from runnel.operators.base import Constraint, register
from runnel.operators.checks import input_at, inputs_and_outputs, integers_at


def permutation_of(graph: Graph, operator: Operator) -> tuple[int, ...]:
    """Input axis of each output axis."""
    permutation = integers_at(graph, operator, 1)
    rank = len(input_at(graph, operator, 0).shape)
    normal = tuple(axis + rank if axis < 0 else axis for axis in permutation)
    if sorted(normal) != list(range(rank)):
        raise ModelError(f"{operator.label}: {permutation} is no order of {rank} axes")
    return normal


def moves_nothing(graph: Graph, operator: Operator) -> str | None:
    """Only dimensions of size 1 change places, or the result is only used by a MEAN over the moved dimensions"""
    if not input_at(graph, operator, 1).is_constant:
        return "the order of the axes is computed at run time"
    shape = input_at(graph, operator, 0).shape
    moved = [axis for axis in permutation_of(graph, operator) if shape[axis] != 1]
    if moved != sorted(moved):
        return (
            f"shape {shape} in the order {permutation_of(graph, operator)}: Runnel has no kernel that moves data; "
            "export the model in NHWC (channels last)"
        )
    return None


@register
class Transpose(AliasOperator):
    kind = "TRANSPOSE"
    summary = "Another order of the axes, where no data moves; costs nothing."
    input_count = (2, 2)
    options_table = "TransposeOptions"
    options: ClassVar[Mapping[str, str]] = {}
    constraints: ClassVar[tuple[Constraint, ...]] = (inputs_and_outputs(2), same_type, moves_nothing)

    def output_shapes(self, graph: Graph, operator: Operator) -> tuple[tuple[int, ...], ...]:
        shape = input_at(graph, operator, 0).shape
        return (tuple(shape[axis] for axis in permutation_of(graph, operator)),)

    def reference(
        self, graph: Graph, operator: Operator, inputs: tuple[npt.NDArray[Any] | None, ...]
    ) -> tuple[npt.NDArray[Any], ...]:
        data = inputs[0]
        assert data is not None
        return (data.transpose(permutation_of(graph, operator)),)
