# SPDX-License-Identifier: Apache-2.0
"""The plainest schedule: every operator is a segment of its own, in the graph's order."""

from __future__ import annotations

from runnel.graph import Graph, Operator
from runnel.schedule.schedule import Objective, Schedule, Segment


def layer_by_layer(graph: Graph, objective: Objective = "sram") -> Schedule:
    """One segment an operator; every activation is a whole tensor in the arena."""
    segments = tuple(_segment(graph, step, operator) for step, operator in enumerate(graph.operators))
    return Schedule(graph=graph, segments=segments, objective=objective)


def _segment(graph: Graph, step: int, operator: Operator) -> Segment:
    inputs = tuple(dict.fromkeys(t.index for t in graph.activations(operator)))
    return Segment(
        name=f"segment_{step}",
        operators=(operator,),
        inputs=inputs,
        outputs=operator.outputs,
    )
