# SPDX-License-Identifier: Apache-2.0
"""CONV_2D and FULLY_CONNECTED on whole tensors: row kernels, swept over all rows."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from runnel.graph import Operator, Tensor
from runnel.operators.base import KernelCall, RowLayout, Sweep, Target, Window
from runnel.operators.convolution import stays_inside
from runnel.operators.convolution_rows import convolution_call, scratch_bytes
from runnel.operators.requantization import Requantization
from runnel.operators.row_kernels import ONE_PIXEL


def whole_scratch_bytes(data: Tensor, output: Tensor, window: Window, taps: int, target: Target) -> int:
    """Scratch of `whole_convolution_call`. Needs no weights."""
    if target.dsp and _is_pixel(output, window):
        return 0
    return scratch_bytes(taps, _is_pixels(data, output, window), target)


def whole_convolution_call(
    operator: Operator,
    data: Tensor,
    output: Tensor,
    window: Window,
    weights: npt.NDArray[np.int8],
    constants: Requantization,
    target: Target,
) -> KernelCall:
    """FULLY_CONNECTED has window ONE_PIXEL, whatever the shapes of its tensors."""
    channels = output.shape[-1]
    kernel = "conv_2d_pixels" if _is_pixels(data, output, window) else "conv_2d_window"
    if target.dsp and _is_pixel(output, window):
        kernel = "conv_2d_pixel"  # needs no scratch
    layout = RowLayout(output_pixel_step=channels, output_channel_step=1)
    call = convolution_call(kernel, operator, data, output, window, layout, weights, constants, target)
    return call if kernel == "conv_2d_pixel" else replace(call, sweep=_sweep(data, output, window))


def _is_pixels(data: Tensor, output: Tensor, window: Window) -> bool:
    return window == ONE_PIXEL or stays_inside(data, output, window)


def _is_pixel(output: Tensor, window: Window) -> bool:
    """Whether all there is to compute is one pixel from one pixel."""
    return window == ONE_PIXEL and math.prod(output.shape[:-1]) == 1


def _sweep(data: Tensor, output: Tensor, window: Window) -> Sweep:
    """A 1x1 window at stride 1 sees the whole tensor as one row of pixels."""
    if window == ONE_PIXEL:
        return Sweep(rows=1, pixels=math.prod(output.shape[:-1]), input_height=1, input_step=0, output_step=0)
    _, height, width, channels = data.shape
    return Sweep(
        rows=output.shape[1],
        pixels=output.shape[2],
        input_height=height,
        input_step=width * channels * (window.stride_h if stays_inside(data, output, window) else 1),
        output_step=output.shape[2] * output.shape[3],
    )
