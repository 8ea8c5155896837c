# SPDX-License-Identifier: Apache-2.0
"""CONV_2D by rows: its form, and the call of conv_2d_pixels, conv_2d_columns or conv_2d_window."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from runnel.graph import Graph, Operator, Tensor
from runnel.operators.base import Constant, KernelCall, RowForm, RowLayout, Target, Window
from runnel.operators.convolution import column_bytes, stays_inside, window_of, window_shape
from runnel.operators.quantize_math import activation_range, quantization_of
from runnel.operators.requantization import LAYER_TYPE, Requantization, accumulator_layer
from runnel.operators.row_kernels import OUTPUT_STEPS, column_pitch, maps_to_map, output_steps

_GENERAL = {
    "conv_2d_pixels": ("input_channels", "input_pixel_step", "output_channels", "column_bytes", *OUTPUT_STEPS),
    "conv_2d_columns": ("output_channels", "column_bytes", *OUTPUT_STEPS),
    "conv_2d_window": ("input_height", "input_width", "output_channels", "pad_top", "pad_left", *OUTPUT_STEPS),
}
"""Members of the shape that one function takes at run time. Gathering a window needs the others as constants."""


def convolution_row_form(graph: Graph, operator: Operator) -> RowForm | None:
    """Pixels for a 1x1 window that never leaves the input, else window."""
    if not maps_to_map(graph, operator):
        return None
    data, output = graph.tensor(operator.inputs[0]), graph.tensor(operator.outputs[0])
    window = window_of(graph, operator)
    if not stays_inside(data, output, window):
        return RowForm("window", window, writes_planes=True)
    plain = window.stride_h == window.stride_w == 1
    return RowForm("pixels", window, writes_planes=True, reads_columns=plain)


def convolution_row_scratch(graph: Graph, operator: Operator, target: Target, columns_in: bool = False) -> int:
    """Windows are gathered into a column of int8; the DSP kernels widen two pixels at a time to int16."""
    if columns_in:
        return 0
    data, output = graph.tensor(operator.inputs[0]), graph.tensor(operator.outputs[0])
    size = column_bytes(math.prod(graph.tensor(operator.inputs[1]).shape[1:]), target)
    gathered = 0 if stays_inside(data, output, window_of(graph, operator)) else size
    return gathered + (4 * size if target.dsp else 0)


def convolution_row_call(
    graph: Graph,
    operator: Operator,
    target: Target,
    layout: RowLayout,
    weights: npt.NDArray[np.int8],
    constants: Requantization,
) -> KernelCall:
    """`weights` and `constants` as requantization() gives them."""
    data, output = graph.tensor(operator.inputs[0]), graph.tensor(operator.outputs[0])
    form = convolution_row_form(graph, operator)
    if form is None:
        raise NotImplementedError(f"{operator.label} does not run by rows")
    if layout.columns_in and not form.reads_columns:
        raise NotImplementedError(f"{operator.label} does not read int16 columns")
    clamp = activation_range(operator.attributes["fused_activation_function"], output, operator)
    taps = weights.size // weights.shape[0]
    row_bytes = column_pitch(taps) if layout.columns_in else column_bytes(taps, target)
    rows = np.zeros((weights.shape[0], row_bytes), dtype=np.int8)
    rows[:, :taps] = weights.reshape(weights.shape[0], taps)
    rows = _in_pairs(rows) if target.dsp else rows
    kernel = "conv_2d_columns" if layout.columns_in else f"conv_2d_{form.form}"
    zero_points = quantization_of(data, operator).zero_point, quantization_of(output, operator).zero_point
    return KernelCall(
        kernel=kernel,
        variant="dsp" if target.dsp else "portable",
        shape={
            **_input_shape(kernel, data, form.window),
            "output_channels": output.shape[3],
            "column_bytes": row_bytes,
            **output_steps(layout),
            "rounding": constants.rounding(clamp),
        },
        layer=accumulator_layer(*zero_points, clamp),
        constants=(Constant("weights", rows), *constants.constants()),
        inputs=(data.index,),
        output=output.index,
        scratch_bytes=convolution_row_scratch(graph, operator, target, layout.columns_in),
        layer_type=LAYER_TYPE,
        form=form.form,
        file="conv_2d_window" if form.form == "window" else "conv_2d_pixels",
        general=_GENERAL[kernel],
    )


def _in_pairs(rows: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """Weights as the DSP tile reads them: four taps of a channel, then of the next one.

    Where their number is odd, the last pair begins with the last but one, which is in the pair before it too.
    """
    channels, row_bytes = rows.shape
    order = [*range(channels - channels % 2), *([max(0, channels - 2), channels - 1] if channels % 2 else [])]
    return np.ascontiguousarray(rows[order].reshape(-1, 2, row_bytes // 4, 4).transpose(0, 2, 1, 3))


def _input_shape(kernel: str, data: Tensor, window: Window) -> dict[str, int]:
    """The fields of the shape struct that say how the input is read."""
    if kernel == "conv_2d_window":
        sizes = {"input_height": data.shape[1], "input_width": data.shape[2], "input_channels": data.shape[3]}
        return {**sizes, **window_shape(window)}
    if kernel == "conv_2d_pixels":
        return {"input_channels": data.shape[3], "input_pixel_step": window.stride_w * data.shape[3]}
    return {}
