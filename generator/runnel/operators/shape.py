# SPDX-License-Identifier: Apache-2.0
"""SHAPE: computed at compile time. Source: micro/kernels/shape.cc."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from runnel.graph import Graph, Operator
from runnel.operators.base import Constraint, register
from runnel.operators.checks import input_at, inputs_and_outputs, output_of
from runnel.operators.folded import FoldedOperator


@register
class Shape(FoldedOperator):
    kind = "SHAPE"
    summary = "The shape of a tensor; computed at compile time."
    role = "folds"
    options_table = "ShapeOptions"
    options: ClassVar[Mapping[str, str]] = {"out_type": "TensorType"}
    constraints: ClassVar[tuple[Constraint, ...]] = (inputs_and_outputs(1),)

    def output_shapes(self, graph: Graph, operator: Operator) -> tuple[tuple[int, ...], ...]:
        return ((len(input_at(graph, operator, 0).shape),),)

    def reference(
        self, graph: Graph, operator: Operator, inputs: tuple[npt.NDArray[Any] | None, ...]
    ) -> tuple[npt.NDArray[Any], ...]:
        return (np.array(input_at(graph, operator, 0).shape, dtype=output_of(graph, operator).type),)
