# SPDX-License-Identifier: Apache-2.0
"""What operators that run by rows have in common: which tensors they take, and the fields of their shape structs."""

from __future__ import annotations

from runnel.graph import Graph, Operator, Tensor
from runnel.operators.base import RowLayout, Window
from runnel.operators.checks import input_at, output_of

ONE_PIXEL = Window(1, 1, 1, 1, 1, 1, 0, 0)
"""The window of row kernels that read the input pixel at the output pixel's place."""

COLUMN_ORDER = (0, 2, 1, 3)
"""Where channels 0..3 of every four lie in an int16 column, so that words pair with SXTB16 of int8 weights."""


def is_feature_map(tensor: Tensor) -> bool:
    """Whether rows of the tensor can be kept in a ring: int8, [1, height, width, channels]."""
    return tensor.type == "int8" and len(tensor.shape) == 4 and tensor.shape[0] == 1


def maps_to_map(graph: Graph, operator: Operator) -> bool:
    """Whether input 0 and the output are feature maps."""
    return is_feature_map(input_at(graph, operator, 0)) and is_feature_map(output_of(graph, operator))


def output_steps(layout: RowLayout) -> dict[str, int]:
    """The fields that say where a row kernel puts its pixels."""
    return {
        "output_pixel_step": layout.output_pixel_step,
        "output_channel_step": layout.output_channel_step,
    }


def general_steps(layout: RowLayout) -> tuple[str, ...]:
    """Which of these fields a kernel need not know: one of them is 1, be it for pixels or for planes, and it helps."""
    return tuple(name for name, step in output_steps(layout).items() if step != 1)


def column_pitch(channels: int) -> int:
    """int16 elements from one column to the next."""
    return -(-channels // 4) * 4
