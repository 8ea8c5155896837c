# SPDX-License-Identifier: Apache-2.0
"""PACK: computed at compile time. Source: micro/kernels/pack.cc."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from runnel.errors import ModelError
from runnel.graph import Graph, Operator
from runnel.operators.base import Constraint, register
from runnel.operators.checks import axis_index, input_at, inputs_and_outputs
from runnel.operators.folded import FoldedOperator

MOST_INPUTS = 1024


@register
class Pack(FoldedOperator):
    kind = "PACK"
    summary = "Stacks tensors along a new axis; computed at compile time."
    role = "folds"
    options_table = "PackOptions"
    options: ClassVar[Mapping[str, str]] = {"values_count": "int", "axis": "int"}
    constraints: ClassVar[tuple[Constraint, ...]] = (inputs_and_outputs(1, MOST_INPUTS),)

    def output_shapes(self, graph: Graph, operator: Operator) -> tuple[tuple[int, ...], ...]:
        shapes = {input_at(graph, operator, position).shape for position in range(len(operator.inputs))}
        if len(shapes) != 1:
            raise ModelError(f"{operator.label}: inputs of different shapes {sorted(shapes)} cannot be stacked")
        shape = shapes.pop()
        axis = axis_index(operator, int(operator.attributes.get("axis", 0)), len(shape) + 1)
        return ((*shape[:axis], len(operator.inputs), *shape[axis:]),)

    def reference(
        self, graph: Graph, operator: Operator, inputs: tuple[npt.NDArray[Any] | None, ...]
    ) -> tuple[npt.NDArray[Any], ...]:
        axis = int(operator.attributes.get("axis", 0))
        return (np.stack([data for data in inputs if data is not None], axis=axis),)
