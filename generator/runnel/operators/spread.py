# SPDX-License-Identifier: Apache-2.0
"""The copy of a row of pixels into channel planes, where a depthwise convolution reads what others read as pixels."""

from __future__ import annotations

from runnel.operators.base import KernelCall, RowLayout, Target
from runnel.operators.row_kernels import general_steps, output_steps

NO_TENSOR = -1
"""The call belongs to no operator: the plan knows what it reads and writes."""


def spread_call(channels: int, layout: RowLayout, target: Target | None = None) -> KernelCall:
    """The call of kernel spread_pixels for planes as `layout` describes them (its output steps)."""
    del target  # one kernel serves all cores
    return KernelCall(
        kernel="spread_pixels",
        shape={"channels": channels, **output_steps(layout)},
        layer={"unused": 0},
        constants=(),
        inputs=(NO_TENSOR,),
        output=NO_TENSOR,
        form="pixels",
        general=("channels", *general_steps(layout)),
    )
