# SPDX-License-Identifier: Apache-2.0
"""CONV_2D by rows, and on whole tensors by the same kernels: its form, and the call of conv_2d_<something>."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from runnel.graph import Graph, Operator, Tensor
from runnel.operators.base import Constant, KernelCall, RowForm, RowLayout, Target, Window
from runnel.operators.convolution import column_bytes, stays_inside, window_of, window_shape
from runnel.operators.quantize_math import activation_range, quantization_of
from runnel.operators.requantization import LAYER_TYPE, Requantization, accumulator_layer
from runnel.operators.row_kernels import column_pitch, general_steps, maps_to_map, output_steps

_GENERAL = {
    "conv_2d_pixels": ("input_channels", "input_pixel_step", "output_channels", "column_bytes"),
    "conv_2d_pixel": ("input_channels", "output_channels", "column_bytes"),
    "conv_2d_columns": ("output_channels", "column_bytes"),
    "conv_2d_window": ("input_height", "input_width", "output_channels", "pad_top", "pad_left"),
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
    taps = math.prod(graph.tensor(operator.inputs[1]).shape[1:])
    return scratch_bytes(taps, stays_inside(data, output, window_of(graph, operator)), target)


def scratch_bytes(taps: int, inside: bool, target: Target) -> int:
    """Of conv_2d_pixels (where windows stay inside the input) or conv_2d_window."""
    size = column_bytes(taps, target)
    return (0 if inside else size) + (4 * size if target.dsp else 0)


def convolution_row_call(
    graph: Graph,
    operator: Operator,
    target: Target,
    layout: RowLayout,
    weights: npt.NDArray[np.int8],
    constants: Requantization,
) -> KernelCall:
    """`weights` and `constants` as requantization() gives them."""
    form = convolution_row_form(graph, operator)
    if form is None:
        raise NotImplementedError(f"{operator.label} does not run by rows")
    if layout.columns_in and not form.reads_columns:
        raise NotImplementedError(f"{operator.label} does not read int16 columns")
    kernel = "conv_2d_columns" if layout.columns_in else f"conv_2d_{form.form}"
    data, output = graph.tensor(operator.inputs[0]), graph.tensor(operator.outputs[0])
    return convolution_call(kernel, operator, data, output, form.window, layout, weights, constants, target)


def convolution_call(
    kernel: str,
    operator: Operator,
    data: Tensor,
    output: Tensor,
    window: Window,
    layout: RowLayout,
    weights: npt.NDArray[np.int8],
    constants: Requantization,
    target: Target,
) -> KernelCall:
    """The call of one of the kernels in _GENERAL; FULLY_CONNECTED is one of pixels that hold all its inputs."""
    clamp = activation_range(operator.attributes["fused_activation_function"], output, operator)
    channels = weights.shape[0]
    taps = weights.size // channels
    row_bytes = column_pitch(taps) if kernel == "conv_2d_columns" else column_bytes(taps, target)
    rows = np.zeros((channels, row_bytes), dtype=np.int8)
    rows[:, :taps] = weights.reshape(channels, taps)
    arrays = (Constant("weights", rows), *constants.constants())
    zero_points = quantization_of(data, operator).zero_point, quantization_of(output, operator).zero_point
    widens = kernel in ("conv_2d_pixels", "conv_2d_window")
    return KernelCall(
        kernel=kernel,
        variant="dsp" if target.dsp else "portable",
        shape={
            **_input_shape(kernel, data, taps, window),
            "output_channels": channels,
            "odd_channels": channels % 2,
            "column_bytes": row_bytes,
            **({} if kernel == "conv_2d_pixel" else output_steps(layout)),
            "rounding": constants.rounding(clamp),
        },
        layer=accumulator_layer(*zero_points, clamp),
        constants=_in_pairs(arrays) if target.dsp else arrays,
        inputs=(data.index,),
        output=output.index,
        scratch_bytes=scratch_bytes(taps, kernel == "conv_2d_pixels", target) if widens else 0,
        layer_type=LAYER_TYPE,
        form="whole" if kernel == "conv_2d_pixel" else "window" if kernel == "conv_2d_window" else "pixels",
        file="conv_2d_window" if kernel == "conv_2d_window" else "conv_2d_pixels",
        general=(*_GENERAL[kernel], *(() if kernel == "conv_2d_pixel" else general_steps(layout))),
    )


def _in_pairs(constants: tuple[Constant, ...]) -> tuple[Constant, ...]:
    """As the DSP tile reads them. Weights: four taps of a channel, then of the next one, for each pair of channels.

    Where channels are odd, the last pair begins with the last but one, which is in the pair before it too; a channel
    alone is both of its pair.
    """
    weights, *others = constants
    channels, row_bytes = weights.data.shape
    if channels == 1:
        return _in_pairs(tuple(Constant(c.name, np.repeat(c.data, 2, axis=0)) for c in constants))
    order = [*range(channels), *((channels - 1,) if channels % 2 else ())]
    order[-2:] = (channels - 2, channels - 1)
    paired = weights.data[order].reshape(-1, 2, row_bytes // 4, 4).transpose(0, 2, 1, 3)
    return (Constant("weights", np.ascontiguousarray(paired)), *others)


def _input_shape(kernel: str, data: Tensor, taps: int, window: Window) -> dict[str, int]:
    """The fields of the shape struct that say how the input is read."""
    if kernel == "conv_2d_window":
        sizes = {"input_height": data.shape[1], "input_width": data.shape[2], "input_channels": data.shape[3]}
        return {**sizes, **window_shape(window)}
    pixel = {"input_channels": taps, "input_rest": taps % 4}
    if kernel == "conv_2d_pixels":
        return {**pixel, "input_pixel_step": window.stride_w * taps}
    return pixel if kernel == "conv_2d_pixel" else {}
