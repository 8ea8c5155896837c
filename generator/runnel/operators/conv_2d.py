# SPDX-License-Identifier: Apache-2.0
"""CONV_2D: int8, per-tensor or per-channel weights, any kernel, stride, dilation and padding.

Source of the arithmetic: reference_integer_ops::ConvPerChannel in TensorFlow Lite.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from runnel.graph import Graph, Operator
from runnel.operators.base import (
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
)
from runnel.operators.convolution_rows import convolution_row_call, convolution_row_form, convolution_row_scratch
from runnel.operators.convolution_whole import whole_convolution_call, whole_scratch_bytes
from runnel.operators.padding import padding_of
from runnel.operators.quantize_math import quantization_of
from runnel.operators.requantization import Requantization, requantization


def _no_groups(graph: Graph, operator: Operator) -> str | None:
    """The weights have as many input channels as the input (no grouped convolution)"""
    data, weights = graph.tensor(operator.inputs[0]), graph.tensor(operator.inputs[1])
    if len(data.shape) != 4 or len(weights.shape) != 4:
        return f"input shape {data.shape}, weights shape {weights.shape}"
    if data.shape[3] != weights.shape[3]:
        return f"{data.shape[3]} input channels, weights for {weights.shape[3]}"
    return None


@register
class Conv2D(OperatorType):
    kind = "CONV_2D"
    summary = "Convolution; PAD before it is folded into its padding."
    has_weights = True
    input_count = (2, 3)
    required_inputs = 2
    options_table = "Conv2DOptions"
    options: ClassVar[Mapping[str, str]] = {
        "padding": "Padding",
        "stride_w": "int",
        "stride_h": "int",
        "fused_activation_function": "ActivationFunctionType",
        "dilation_w_factor": "int",
        "dilation_h_factor": "int",
    }
    constraints: ClassVar[tuple[Constraint, ...]] = (
        *WEIGHTED_CONSTRAINTS,
        _no_groups,
    )

    def output_shapes(self, graph: Graph, operator: Operator) -> tuple[tuple[int, ...], ...]:
        data, weights = graph.tensor(operator.inputs[0]), graph.tensor(operator.inputs[1])
        padding = padding_of(operator, data.shape[1], data.shape[2], weights.shape[1], weights.shape[2])
        return ((data.shape[0], padding.output_height, padding.output_width, weights.shape[0]),)

    def macs(self, graph: Graph, operator: Operator) -> int:
        weights = graph.tensor(operator.inputs[1])
        return graph.tensor(operator.outputs[0]).elements * weights.elements // weights.shape[0]

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
        sums = np.zeros((padding.output_height * padding.output_width, weights.shape[0]))
        for row, column, taken in reference_windows(centred, window, padding):
            # float64 is exact below 2^53, and its matrix product is the fast one
            sums += taken.reshape(-1, taken.shape[-1]).astype(np.float64) @ weights[:, row, column].T.astype(np.float64)
        return (reference_output(graph, operator, sums.astype(np.int64), channel_multipliers(graph, operator)),)

    def footprint(self, graph: Graph, operator: Operator, target: Target) -> Footprint:
        taps = math.prod(graph.tensor(operator.inputs[1]).shape[1:])
        data, output = graph.tensor(operator.inputs[0]), graph.tensor(operator.outputs[0])
        return Footprint(whole_scratch_bytes(data, output, window_of(graph, operator), taps, target))

    def row_form(self, graph: Graph, operator: Operator) -> RowForm | None:
        return convolution_row_form(graph, operator)

    def row_scratch_bytes(self, graph: Graph, operator: Operator, target: Target, columns_in: bool = False) -> int:
        return convolution_row_scratch(graph, operator, target, columns_in)

    def lower_rows(self, graph: Graph, operator: Operator, target: Target, layout: RowLayout) -> tuple[KernelCall, ...]:
        return (convolution_row_call(graph, operator, target, layout, *self._constants(graph, operator)),)

    def lower(self, graph: Graph, operator: Operator, target: Target) -> tuple[KernelCall, ...]:
        data = graph.tensor(operator.inputs[0])
        output = graph.tensor(operator.outputs[0])
        window = window_of(graph, operator)
        weights, constants = self._constants(graph, operator)
        return (whole_convolution_call(operator, data, output, window, weights, constants, target),)

    def _constants(self, graph: Graph, operator: Operator) -> tuple[npt.NDArray[np.int8], Requantization]:
        return requantization(
            operator,
            weights_of(graph, operator),
            constant_bias(graph, operator),
            channel_multipliers(graph, operator),
            quantization_of(graph.tensor(operator.inputs[0]), operator).zero_point,
        )
