# SPDX-License-Identifier: Apache-2.0
"""Removes operators whose results nobody reads."""

from __future__ import annotations

from runnel.graph import Graph
from runnel.passes.rewrite import with_operators


def run(graph: Graph) -> Graph:
    """The graph without operators that no output depends on. Inputs of the model stay, read or not."""
    needed = set(graph.outputs)
    kept = []
    for operator in reversed(graph.operators):
        if needed.intersection(operator.outputs):
            kept.append(operator)
            needed.update(i for i in operator.inputs if i is not None)
    return with_operators(graph, kept[::-1])
