# SPDX-License-Identifier: Apache-2.0
"""EXPAND_DIMS: an alias. Source: micro/kernels/expand_dims.cc."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from runnel.errors import ModelError
from runnel.graph import Graph, Operator
from runnel.operators.alias import AliasOperator, same_type
from runnel.operators.base import Constraint, register
from runnel.operators.checks import axis_index, input_at, inputs_and_outputs, integers_at


def constant_axis(graph: Graph, operator: Operator) -> str | None:
    """The axis is constant"""
    axis = input_at(graph, operator, 1)
    return None if axis.is_constant else f"'{axis.name}' is computed at run time"


@register
class ExpandDims(AliasOperator):
    kind = "EXPAND_DIMS"
    summary = "Adds a dimension of size 1; costs nothing."
    role = "renames"
    options_table = "ExpandDimsOptions"
    options: ClassVar[Mapping[str, str]] = {}
    constraints: ClassVar[tuple[Constraint, ...]] = (inputs_and_outputs(2), same_type, constant_axis)

    def output_shapes(self, graph: Graph, operator: Operator) -> tuple[tuple[int, ...], ...]:
        shape = input_at(graph, operator, 0).shape
        axes = integers_at(graph, operator, 1)
        if len(axes) != 1:
            raise ModelError(f"{operator.label}: expected 1 axis, found {len(axes)}")
        axis = axis_index(operator, axes[0], len(shape) + 1)
        return ((*shape[:axis], 1, *shape[axis:]),)
