# SPDX-License-Identifier: Apache-2.0
"""What the harness must know of a planned model."""

from __future__ import annotations

from runnel.build.harness import EdgeBuffer, HarnessModel
from runnel.emit.edges import Edge, input_edges, output_edges
from runnel.plan.plan import Plan


def harness_model(plan: Plan, *, selftest: bool = False) -> HarnessModel:
    """The edges of the generated API of `plan`, in the model's order."""
    return HarnessModel(
        name=plan.name,
        inputs=tuple(map(_buffer, input_edges(plan))),
        outputs=tuple(map(_buffer, output_edges(plan))),
        selftest=selftest,
    )


def _buffer(edge: Edge) -> EdgeBuffer:
    return EdgeBuffer(function=edge.function, c_type=edge.type, bytes=edge.bytes)
