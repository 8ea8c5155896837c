# SPDX-License-Identifier: Apache-2.0
"""DEPTHWISE_CONV_2D: int8, any channel multiplier, stride, dilation and padding; in place where it can be.

Source of the arithmetic: reference_integer_ops::DepthwiseConvPerChannel in TensorFlow Lite.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from runnel.graph import Graph, Operator
from runnel.operators.base import (
    Constant,
    Constraint,
    Footprint,
    KernelCall,
    OperatorType,
    RowForm,
    RowLayout,
    Target,
    Window,
    register,
)
from runnel.operators.convolution import (
    WEIGHTED_CONSTRAINTS,
    channel_multipliers,
    constant_bias,
    reference_output,
    reference_windows,
    weights_of,
    window_of,
    window_shape,
)
from runnel.operators.depthwise_rows import depthwise_row_call, depthwise_row_form, depthwise_row_taps
from runnel.operators.padding import padding_of
from runnel.operators.quantize_math import activation_range, quantization_of
from runnel.operators.requantization import LAYER_TYPE, Requantization, accumulator_layer, requantization

READ_AHEAD_BYTES = 8
"""Bytes after the plane that the DSP kernel's zero taps may read."""


def _channels_fit(graph: Graph, operator: Operator) -> str | None:
    """The weights [1, height, width, outputs] hold a whole number of outputs for each input channel"""
    data, weights = graph.tensor(operator.inputs[0]), graph.tensor(operator.inputs[1])
    if len(data.shape) != 4 or len(weights.shape) != 4 or weights.shape[0] != 1:
        return f"input shape {data.shape}, weights shape {weights.shape}"
    if weights.shape[3] % data.shape[3]:
        return f"{data.shape[3]} input channels, weights for {weights.shape[3]} outputs"
    return None


def _multiplier_is_true(graph: Graph, operator: Operator) -> str | None:
    """The option depth_multiplier is the ratio of output to input channels"""
    channels = graph.tensor(operator.inputs[0]).shape[3]
    multiplier = int(operator.attributes.get("depth_multiplier", 0))
    outputs = graph.tensor(operator.inputs[1]).shape[3]
    # TFLite ignores 0 and derives the ratio from the shapes; other values must agree.
    if multiplier not in (0, outputs // channels):
        return f"depth_multiplier {multiplier}, {channels} input and {outputs} output channels"
    return None


@register
class DepthwiseConv2D(OperatorType):
    kind = "DEPTHWISE_CONV_2D"
    summary = "Depthwise convolution; with one input channel it becomes CONV_2D."
    has_weights = True
    input_count = (2, 3)
    required_inputs = 2
    options_table = "DepthwiseConv2DOptions"
    options: ClassVar[Mapping[str, str]] = {
        "padding": "Padding",
        "stride_w": "int",
        "stride_h": "int",
        "depth_multiplier": "int",
        "fused_activation_function": "ActivationFunctionType",
        "dilation_w_factor": "int",
        "dilation_h_factor": "int",
    }
    constraints: ClassVar[tuple[Constraint, ...]] = (
        *WEIGHTED_CONSTRAINTS,
        _channels_fit,
        _multiplier_is_true,
    )

    def output_shapes(self, graph: Graph, operator: Operator) -> tuple[tuple[int, ...], ...]:
        data, weights = graph.tensor(operator.inputs[0]), graph.tensor(operator.inputs[1])
        padding = padding_of(operator, data.shape[1], data.shape[2], weights.shape[1], weights.shape[2])
        return ((data.shape[0], padding.output_height, padding.output_width, weights.shape[3]),)

    def macs(self, graph: Graph, operator: Operator) -> int:
        weights = graph.tensor(operator.inputs[1])
        return graph.tensor(operator.outputs[0]).elements * weights.shape[1] * weights.shape[2]

    def window(self, graph: Graph, operator: Operator) -> Window | None:
        return window_of(graph, operator)

    def reference(
        self, graph: Graph, operator: Operator, inputs: tuple[npt.NDArray[Any] | None, ...]
    ) -> tuple[npt.NDArray[Any], ...]:
        data, weights = inputs[0], inputs[1]
        window = window_of(graph, operator)
        assert data is not None and weights is not None
        padding = padding_of(operator, data.shape[1], data.shape[2], window.kernel_h, window.kernel_w)
        centred = data[0].astype(np.int64) - quantization_of(graph.tensor(operator.inputs[0]), operator).zero_point
        # output channel c reads input channel c // multiplier
        repeated = np.repeat(centred, weights.shape[3] // data.shape[3], axis=2)
        sums = np.zeros((padding.output_height, padding.output_width, weights.shape[3]), dtype=np.int64)
        for row, column, taken in reference_windows(repeated, window, padding):
            sums += taken * weights[0, row, column].astype(np.int64)
        return (reference_output(graph, operator, sums, channel_multipliers(graph, operator)),)

    def footprint(self, graph: Graph, operator: Operator, target: Target) -> Footprint:
        data, output = graph.tensor(operator.inputs[0]), graph.tensor(operator.outputs[0])
        shape = _shape(data.shape, output.shape, window_of(graph, operator))
        return Footprint(shape["plane_bytes"], (0,) if shape["depth_multiplier"] == 1 else ())

    def row_form(self, graph: Graph, operator: Operator) -> RowForm | None:
        return depthwise_row_form(graph, operator)

    def lower_rows(self, graph: Graph, operator: Operator, target: Target, layout: RowLayout) -> tuple[KernelCall, ...]:
        return (depthwise_row_call(graph, operator, target, layout, *self._constants(graph, operator)),)

    def _constants(self, graph: Graph, operator: Operator) -> tuple[npt.NDArray[np.int8], Requantization]:
        """Weights [output channel][kernel row][kernel column]."""
        return requantization(
            operator,
            np.moveaxis(weights_of(graph, operator)[0], 2, 0),
            constant_bias(graph, operator),
            channel_multipliers(graph, operator),
            quantization_of(graph.tensor(operator.inputs[0]), operator).zero_point,
        )

    def lower(self, graph: Graph, operator: Operator, target: Target) -> tuple[KernelCall, ...]:
        data, output = graph.tensor(operator.inputs[0]), graph.tensor(operator.outputs[0])
        window = window_of(graph, operator)
        weights, constants = self._constants(graph, operator)
        dsp, row_taps = depthwise_row_taps(window, target)
        rows = np.zeros((output.shape[3], window.kernel_h, row_taps), dtype=np.int8)
        rows[:, :, : window.kernel_w] = weights
        clamp = activation_range(operator.attributes["fused_activation_function"], output, operator)
        shape = {
            **_shape(data.shape, output.shape, window),
            "row_taps": row_taps,
            "rounding": constants.rounding(clamp),
        }
        zero_points = quantization_of(data, operator).zero_point, quantization_of(output, operator).zero_point
        need = self.footprint(graph, operator, target)
        return (
            KernelCall(
                kernel="depthwise_conv_2d",
                variant="dsp" if dsp else "portable",
                shape=shape,
                layer=accumulator_layer(*zero_points, clamp),
                constants=(Constant("weights", rows), *constants.constants()),
                inputs=(data.index,),
                output=output.index,
                scratch_bytes=need.scratch_bytes,
                in_place=need.in_place,
                layer_type=LAYER_TYPE,
            ),
        )


def _shape(data: tuple[int, ...], output: tuple[int, ...], window: Window) -> dict[str, int]:
    """The shape struct but for what depends on the constants."""
    plane_height = (output[1] - 1) * window.stride_h + (window.kernel_h - 1) * window.dilation_h + 1
    plane_width = (output[2] - 1) * window.stride_w + (window.kernel_w - 1) * window.dilation_w + 1
    return {
        "input_height": data[1],
        "input_width": data[2],
        "input_channels": data[3],
        "output_height": output[1],
        "output_width": output[2],
        "depth_multiplier": output[3] // data[3],
        **window_shape(window),
        "plane_height": plane_height,
        "plane_width": plane_width,
        "plane_bytes": plane_height * plane_width + READ_AHEAD_BYTES,
    }
