# SPDX-License-Identifier: Apache-2.0
"""Base of operators that only rename a tensor's dimensions: the output is the input's bytes, no code runs."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from runnel.graph import Graph, Operator
from runnel.operators.base import Footprint, KernelCall, OperatorType, Target
from runnel.operators.checks import input_at, output_of


def same_type(graph: Graph, operator: Operator) -> str | None:
    """Input and output have the same type"""
    before, after = input_at(graph, operator, 0).type, output_of(graph, operator).type
    return None if before == after else f"{before} becomes {after}"


class AliasOperator(OperatorType):
    """An operator that lowers to nothing.

    Scale and zero point may differ (mcunet-in3 has such a RESHAPE): TensorFlow Lite Micro copies the bytes as they are.
    """

    def reference(
        self, graph: Graph, operator: Operator, inputs: tuple[npt.NDArray[Any] | None, ...]
    ) -> tuple[npt.NDArray[Any], ...]:
        data = inputs[0]
        assert data is not None
        return (data.reshape(output_of(graph, operator).shape),)

    def footprint(self, graph: Graph, operator: Operator, target: Target) -> Footprint:
        return Footprint(calls=0)

    def lower(self, graph: Graph, operator: Operator, target: Target) -> tuple[KernelCall, ...]:
        return ()
