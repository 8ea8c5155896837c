# SPDX-License-Identifier: Apache-2.0
"""What the harness must know of a planned model."""

from __future__ import annotations

from runnel.build.harness import EdgeBuffer, HarnessModel, InputRows
from runnel.emit.edges import Edge, input_edges, output_edges
from runnel.plan.plan import Plan


def harness_model(plan: Plan, *, selftest: bool = False) -> HarnessModel:
    """The edges of the generated API of `plan`, in the model's order."""
    inputs = input_edges(plan)
    pulled = plan.schedule.input_passes > 0
    return HarnessModel(
        name=plan.name,
        inputs=() if pulled else tuple(map(_buffer, inputs)),
        outputs=tuple(map(_buffer, output_edges(plan))),
        selftest=selftest,
        rows=_rows(inputs[0]) if pulled else None,
    )


def _rows(edge: Edge) -> InputRows:
    row_bytes = edge.bytes // edge.height
    return InputRows(height=edge.height, row_bytes=row_bytes, pixel_bytes=row_bytes // edge.width)


def _buffer(edge: Edge) -> EdgeBuffer:
    return EdgeBuffer(function=edge.function, c_type=edge.type, bytes=edge.bytes)
