# SPDX-License-Identifier: Apache-2.0
"""RESHAPE: an alias. Source: micro/kernels/reshape_common.cc."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar

from runnel.errors import ModelError
from runnel.graph import Graph, Operator
from runnel.operators.alias import AliasOperator, same_type
from runnel.operators.base import Constraint, register
from runnel.operators.checks import input_at, inputs_and_outputs, integers_at, output_of


def _resolved(wanted: Sequence[int], elements: int, operator: Operator) -> tuple[int, ...]:
    """`wanted` with its -1, if any, replaced by what makes the number of elements right."""
    known = math.prod(size for size in wanted if size != -1)
    if wanted.count(-1) == 1 and known > 0 and elements % known == 0:
        return tuple(elements // known if size == -1 else size for size in wanted)
    if -1 in wanted or known != elements:
        raise ModelError(f"{operator.label}: {elements} elements cannot take the shape {tuple(wanted)}")
    return tuple(wanted)


@register
class Reshape(AliasOperator):
    kind = "RESHAPE"
    summary = "Another shape for the same bytes; costs nothing."
    role = "renames"
    input_count = (1, 2)
    required_inputs = 1
    options_table = "ReshapeOptions"
    options: ClassVar[Mapping[str, str]] = {"new_shape": "int[]"}
    constraints: ClassVar[tuple[Constraint, ...]] = (inputs_and_outputs(1, 2), same_type)

    def output_shapes(self, graph: Graph, operator: Operator) -> tuple[tuple[int, ...], ...]:
        """The shape of input 1 where it is constant, else that of the option, else what the file says."""
        wanted: Sequence[int] = tuple(operator.attributes.get("new_shape", ()) or ())
        if len(operator.inputs) > 1 and operator.inputs[1] is not None:
            computed = not input_at(graph, operator, 1).is_constant
            wanted = output_of(graph, operator).shape if computed else integers_at(graph, operator, 1)
        elements = input_at(graph, operator, 0).elements
        if not wanted and elements != 1:
            wanted = output_of(graph, operator).shape
        return (_resolved(wanted, elements, operator),)
