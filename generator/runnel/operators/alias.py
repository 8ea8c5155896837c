# SPDX-License-Identifier: Apache-2.0
"""Base of operators that only rename a tensor's dimensions: the output is the input's bytes, no code runs."""

from __future__ import annotations

from runnel.graph import Graph, Operator
from runnel.operators.base import KernelCall, OperatorType, Target
from runnel.operators.checks import input_at, output_of, same_quantization


def same_type(graph: Graph, operator: Operator) -> str | None:
    """Input and output have the same type"""
    before, after = input_at(graph, operator, 0).type, output_of(graph, operator).type
    return None if before == after else f"{before} becomes {after}"


def same_numbers(graph: Graph, operator: Operator) -> str | None:
    """Input and output have the same scale and zero point, where they have any"""
    if input_at(graph, operator, 0).quantization is None or output_of(graph, operator).quantization is None:
        return None
    return same_quantization(graph, operator)


class AliasOperator(OperatorType):
    """An operator that lowers to nothing."""

    def lower(self, graph: Graph, operator: Operator, target: Target) -> tuple[KernelCall, ...]:
        return ()
