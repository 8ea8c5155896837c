# SPDX-License-Identifier: Apache-2.0
"""Global pooling by rows: one int32 a channel that the pixels of every row are added to."""

from __future__ import annotations

from runnel.graph import Tensor
from runnel.operators.base import KernelCall


def sums_add_call(source: Tensor, output: Tensor) -> KernelCall:
    """Adds pixels of `source` to the sums that `output` is made of at the end."""
    return KernelCall(
        kernel="sums_add",
        shape={"channels": source.shape[-1]},
        layer={"unused": 0},
        constants=(),
        inputs=(source.index,),
        output=output.index,
        form="sums",
        file="sums",
        general=("channels",),
    )
