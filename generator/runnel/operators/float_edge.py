# SPDX-License-Identifier: Apache-2.0
"""The kernel call between an 8-bit tensor and float32, element by element: QUANTIZE and DEQUANTIZE at the ends."""

from __future__ import annotations

import numpy as np

from runnel.graph import Quantization, Tensor
from runnel.operators.base import Constant, KernelCall


def float_edge_call(kernel: str, source: Tensor, output: Tensor, quantization: Quantization) -> KernelCall:
    """`quantization` is that of the 8-bit side. The scale is a constant: layer structs hold integers only."""
    return KernelCall(
        kernel=kernel,
        shape={"elements": source.elements},
        layer={"zero_point": quantization.zero_point},
        constants=(Constant("scale", np.array([quantization.scale], dtype=np.float32)),),
        inputs=(source.index,),
        output=output.index,
        in_place=(0,),
    )
