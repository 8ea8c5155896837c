# SPDX-License-Identifier: Apache-2.0
"""Padding of windowed operators: TensorFlow's SAME and VALID, and EXPLICIT as the passes leave it."""

from __future__ import annotations

from dataclasses import dataclass

from runnel.errors import UnsupportedError
from runnel.graph import Operator


@dataclass(frozen=True)
class Padding:
    """Rows above and below, columns left and right of the input that windows may touch, and the output's size."""

    top: int
    bottom: int
    left: int
    right: int
    output_height: int
    output_width: int


def _one_axis(size: int, kernel: int, stride: int, dilation: int, scheme: str) -> tuple[int, int, int]:
    """(before, after, output size) of one axis. Source: ComputePaddingHeightWidth in TFLite's padding.h."""
    effective = (kernel - 1) * dilation + 1
    if scheme == "VALID":
        return 0, 0, (size - effective) // stride + 1
    output = -(-size // stride)
    total = max((output - 1) * stride + effective - size, 0)
    return total // 2, total - total // 2, output


def padding_of(operator: Operator, height: int, width: int, kernel_h: int, kernel_w: int) -> Padding:
    """Padding and output size of `operator` over an input of height x width.

    Reads the attributes padding, stride_h, stride_w, dilation_h_factor, dilation_w_factor and, for EXPLICIT,
    pad_top, pad_bottom, pad_left, pad_right. Raises UnsupportedError for another scheme.
    """
    attributes = operator.attributes
    scheme = attributes["padding"]
    strides = int(attributes["stride_h"]), int(attributes["stride_w"])
    dilations = int(attributes.get("dilation_h_factor", 1)), int(attributes.get("dilation_w_factor", 1))
    if min(*strides, *dilations) < 1:
        raise UnsupportedError(f"{operator.label}: strides {strides} and dilations {dilations} must be at least 1")
    if scheme == "EXPLICIT":
        top, bottom = int(attributes["pad_top"]), int(attributes["pad_bottom"])
        left, right = int(attributes["pad_left"]), int(attributes["pad_right"])
        rows = _one_axis(height + top + bottom, kernel_h, strides[0], dilations[0], "VALID")[2]
        columns = _one_axis(width + left + right, kernel_w, strides[1], dilations[1], "VALID")[2]
        return Padding(top, bottom, left, right, rows, columns)
    if scheme not in ("SAME", "VALID"):
        raise UnsupportedError(f"{operator.label}: padding {scheme} is not supported; supported are SAME and VALID")
    top, bottom, rows = _one_axis(height, kernel_h, strides[0], dilations[0], scheme)
    left, right, columns = _one_axis(width, kernel_w, strides[1], dilations[1], scheme)
    return Padding(top, bottom, left, right, rows, columns)
