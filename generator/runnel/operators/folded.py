# SPDX-License-Identifier: Apache-2.0
"""Base of operators that passes compute at compile time (SHAPE, STRIDED_SLICE, PACK) and that have no kernel."""

from __future__ import annotations

from runnel.errors import UnsupportedError
from runnel.graph import Graph, Operator
from runnel.operators.base import KernelCall, OperatorType, Target


class FoldedOperator(OperatorType):
    """An operator that is only supported where its result is known at compile time."""

    def lower(self, graph: Graph, operator: Operator, target: Target) -> tuple[KernelCall, ...]:
        raise UnsupportedError(
            f"{operator.label}: only supported where its result is constant, as in the chain "
            "SHAPE, STRIDED_SLICE, PACK, RESHAPE over tensors of fixed shape; here it depends on the input"
        )
