# SPDX-License-Identifier: Apache-2.0
"""Turns SAME and VALID into rows and columns: padding = "EXPLICIT", pad_top, pad_bottom, pad_left, pad_right.

TensorFlow's SAME is asymmetric: at stride 2 the odd row or column is added below and right.
"""

from __future__ import annotations

from runnel.graph import Graph, Operator
from runnel.operators.padding import padding_of
from runnel.passes.rewrite import with_operators

CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
_POOLS = ("AVERAGE_POOL_2D", "MAX_POOL_2D")
_STEPS = ("stride_h", "stride_w", "dilation_h_factor", "dilation_w_factor")


def run(graph: Graph) -> Graph:
    """All convolutions and poolings have explicit padding; contradictory ones are left for the check."""
    return with_operators(graph, [_explicit(graph, operator) for operator in graph.operators])


def kernel_size(graph: Graph, operator: Operator) -> tuple[int, int] | None:
    """Rows and columns of a window; None where shapes or options make no sense, or there is no window."""
    attributes = operator.attributes
    if any(attributes.get(step, 1) < 1 for step in _STEPS) or len(graph.tensor(operator.inputs[0]).shape) != 4:
        return None
    if operator.kind in CONVOLUTIONS:
        weights = graph.tensor(operator.inputs[1])
        return (weights.shape[1], weights.shape[2]) if len(weights.shape) == 4 else None
    if operator.kind in _POOLS:
        return int(attributes["filter_height"]), int(attributes["filter_width"])
    return None


def _explicit(graph: Graph, operator: Operator) -> Operator:
    if operator.kind not in (*CONVOLUTIONS, *_POOLS) or operator.attributes["padding"] not in ("SAME", "VALID"):
        return operator
    kernel = kernel_size(graph, operator)
    if kernel is None or min(kernel) < 1:
        return operator
    height, width = graph.tensor(operator.inputs[0]).shape[1:3]
    padding = padding_of(operator, height, width, *kernel)
    return with_padding(operator, padding.top, padding.bottom, padding.left, padding.right)


def with_padding(operator: Operator, top: int, bottom: int, left: int, right: int) -> Operator:
    sides = {"pad_top": top, "pad_bottom": bottom, "pad_left": left, "pad_right": right}
    return operator.replace(attributes={**operator.attributes, "padding": "EXPLICIT", **sides})
