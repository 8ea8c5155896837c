# SPDX-License-Identifier: Apache-2.0
"""SQUEEZE: an alias. Source: micro/kernels/squeeze.cc."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from runnel.errors import ModelError
from runnel.graph import Graph, Operator
from runnel.operators.alias import AliasOperator, same_type
from runnel.operators.base import Constraint, register
from runnel.operators.checks import axis_index, input_at, inputs_and_outputs


@register
class Squeeze(AliasOperator):
    kind = "SQUEEZE"
    summary = "Drops dimensions of size 1; costs nothing."
    role = "renames"
    options_table = "SqueezeOptions"
    options: ClassVar[Mapping[str, str]] = {"squeeze_dims": "int[]"}
    constraints: ClassVar[tuple[Constraint, ...]] = (inputs_and_outputs(1), same_type)

    def output_shapes(self, graph: Graph, operator: Operator) -> tuple[tuple[int, ...], ...]:
        shape = input_at(graph, operator, 0).shape
        named = operator.attributes.get("squeeze_dims", ()) or ()
        dropped = {axis_index(operator, int(axis), len(shape)) for axis in named}
        if any(shape[axis] != 1 for axis in dropped):
            raise ModelError(f"{operator.label}: dimensions {sorted(dropped)} of shape {shape} are not all 1")
        if not named:
            dropped = {axis for axis, size in enumerate(shape) if size == 1}
        return (tuple(size for axis, size in enumerate(shape) if axis not in dropped),)
