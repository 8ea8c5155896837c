# SPDX-License-Identifier: Apache-2.0
"""DEPTHWISE_CONV_2D by rows: from a ring of channel planes, to int16 columns or to int8."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from runnel.graph import Graph, Operator
from runnel.operators.base import Constant, KernelCall, RowForm, RowLayout, Target, Window
from runnel.operators.convolution import window_of
from runnel.operators.quantize_math import activation_range, quantization_of
from runnel.operators.requantization import LAYER_TYPE, Requantization, accumulator_layer
from runnel.operators.row_kernels import column_pitch, general_steps, maps_to_map, output_steps

SHORT_ROW = 4
"""Bytes of a row of weights up to which the DSP kernel has rows twice: that saves a loop, and costs little flash."""


def depthwise_row_form(graph: Graph, operator: Operator) -> RowForm | None:
    """Planes, whatever the window."""
    if not maps_to_map(graph, operator):
        return None
    return RowForm("planes", window_of(graph, operator), writes_planes=True)


def depthwise_row_taps(window: Window, target: Target) -> tuple[bool, int]:
    """Whether the DSP kernel serves this window, and the bytes of one row of weights."""
    dsp = target.dsp and window.dilation_h == window.dilation_w == 1
    return dsp, -(-window.kernel_w // 4) * 4 if dsp else window.kernel_w


def depthwise_row_call(
    graph: Graph,
    operator: Operator,
    target: Target,
    layout: RowLayout,
    weights: npt.NDArray[np.int8],
    constants: Requantization,
) -> KernelCall:
    """`weights` [output channel][kernel row][kernel column] and `constants` as requantization() gives them."""
    if depthwise_row_form(graph, operator) is None:
        raise NotImplementedError(f"{operator.label} does not run by rows")
    data, output = graph.tensor(operator.inputs[0]), graph.tensor(operator.outputs[0])
    window = window_of(graph, operator)
    dsp, row_taps = depthwise_row_taps(window, target)
    clamp = activation_range(operator.attributes["fused_activation_function"], output, operator)
    zero_points = quantization_of(data, operator).zero_point, quantization_of(output, operator).zero_point
    rows = _weight_rows(weights, row_taps, twice=dsp and row_taps == SHORT_ROW)
    steps = output_steps(layout)
    if layout.columns_out:
        steps = {"output_pixel_step": column_pitch(output.shape[3]), "output_channel_step": 1}
    return KernelCall(
        kernel="depthwise_conv_2d_planes",
        variant="dsp" if dsp else "portable",
        shape={
            "output_channels": output.shape[3],
            "depth_multiplier": output.shape[3] // data.shape[3],
            "kernel_height": window.kernel_h,
            "kernel_width": window.kernel_w,
            "stride_width": window.stride_w,
            "dilation_height": window.dilation_h,
            "dilation_width": window.dilation_w,
            "plane_width": layout.plane_width,
            "plane_bytes": layout.plane_bytes,
            "ring_rows": layout.ring_rows,
            "row_taps": row_taps,
            "weight_rows": rows.shape[1],
            "columns_out": int(layout.columns_out),
            **steps,
            "rounding": constants.rounding(clamp),
        },
        layer=accumulator_layer(*zero_points, clamp),
        constants=(Constant("weights", rows), *constants.constants()),
        inputs=(data.index,),
        output=output.index,
        layer_type=LAYER_TYPE,
        form="planes",
        general=("output_channels", *general_steps(layout)),  # planes are stepped through in the inner loop
    )


def _weight_rows(weights: npt.NDArray[np.int8], row_taps: int, twice: bool) -> npt.NDArray[np.int8]:
    """Rows w0..wk-1 of each channel; `twice`: and w0..wk-2 again, so that any k neighbours are all rows in turn."""
    channels, height, width = weights.shape
    count = 2 * height - 1 if twice else height
    rows = np.zeros((channels, count, row_taps), dtype=np.int8)
    rows[:, :, :width] = np.concatenate([weights, weights], axis=1)[:, :count]
    return rows
