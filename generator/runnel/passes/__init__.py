# SPDX-License-Identifier: Apache-2.0
"""Passes: Graph -> Graph, one rewrite per file, bit-exact against TensorFlow Lite Micro. `optimise` runs them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

from runnel.graph import Graph
from runnel.passes import (
    depthwise_to_convolution,
    explicit_padding,
    fold_constants,
    fold_pad,
    fuse_activation,
    remove_dead,
    remove_edge_quantize,
    sink_transpose,
)

Edges = Literal["int8", "original"]
Pass = Callable[[Graph], Graph]

# In this order: dead shape computations first, so that they are not readers of an edge; padding is explicit before PAD
# is folded into it, because SAME is computed over the padded size; what PAD leaves behind is dead at the end.
PASSES: Mapping[str, Pass] = MappingProxyType(
    {
        "fold_constants": fold_constants.run,
        "remove_dead": remove_dead.run,
        "remove_edge_quantize": remove_edge_quantize.run,
        "sink_transpose": sink_transpose.run,
        "explicit_padding": explicit_padding.run,
        "fold_pad": fold_pad.run,
        "depthwise_to_convolution": depthwise_to_convolution.run,
        "fuse_activation": fuse_activation.run,
        "remove_dead_at_end": remove_dead.run,
    }
)


def optimise(graph: Graph, edges: Edges) -> Graph:
    """All passes in order. edges: "int8" makes int8 the type of inputs and outputs where that loses nothing."""
    for name, run in PASSES.items():
        if name != "remove_edge_quantize" or edges == "int8":
            graph = run(graph)
    return graph


__all__ = ["PASSES", "Edges", "Pass", "optimise"]
