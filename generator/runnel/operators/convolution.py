# SPDX-License-Identifier: Apache-2.0
"""What CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED have in common: weights, bias, multipliers, constraints."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from runnel.graph import Graph, Operator, Tensor
from runnel.operators.base import Constraint, Target, Window
from runnel.operators.padding import Padding, padding_of
from runnel.operators.quantize_math import activation_range, quantization_of, quantize_multiplier
from runnel.operators.reference_math import multiply_by_quantized_multiplier, wrap_int32


def has_int8_activations(graph: Graph, operator: Operator) -> str | None:
    """Input and output are int8"""
    data, output = graph.tensor(operator.inputs[0]), graph.tensor(operator.outputs[0])
    if data.type != "int8" or output.type != "int8":
        return f"input '{data.name}' is {data.type}, output '{output.name}' is {output.type}"
    return None


def has_int8_weights(graph: Graph, operator: Operator) -> str | None:
    """Weights are constant int8, the bias (if any) constant int32"""
    if len(operator.inputs) < 2 or operator.inputs[1] is None:
        return "no weights"
    weights = graph.tensor(operator.inputs[1])
    if not weights.is_constant or weights.type != "int8":
        return f"weights '{weights.name}' are {'constant' if weights.is_constant else 'computed'} {weights.type}"
    if len(operator.inputs) > 2 and operator.inputs[2] is not None:
        bias = graph.tensor(operator.inputs[2])
        if not bias.is_constant or bias.type != "int32":
            return f"bias '{bias.name}' is {'constant' if bias.is_constant else 'computed'} {bias.type}"
    return None


def has_symmetric_weights(graph: Graph, operator: Operator) -> str | None:
    """Weights have zero point 0 and one scale, or one scale for each output channel"""
    weights = graph.tensor(operator.inputs[1])
    quantization = weights.quantization
    if quantization is None:
        return f"weights '{weights.name}' have no quantization"
    if any(quantization.zero_points):
        return f"weights '{weights.name}' have zero points {sorted(set(quantization.zero_points))[:4]}"
    channels = graph.tensor(operator.outputs[0]).shape[-1]
    if len(quantization.scales) not in (1, channels):
        return f"{len(quantization.scales)} weight scales for {channels} output channels"
    return None


WEIGHTED_CONSTRAINTS: tuple[Constraint, ...] = (has_int8_activations, has_int8_weights, has_symmetric_weights)
"""What all three kinds ask for."""


def window_of(graph: Graph, operator: Operator) -> Window:
    """The receptive field of a convolution whose weights are [*, kernel height, kernel width, *]."""
    data, weights = graph.tensor(operator.inputs[0]), graph.tensor(operator.inputs[1])
    padding = padding_of(operator, data.shape[1], data.shape[2], weights.shape[1], weights.shape[2])
    attributes = operator.attributes
    return Window(
        kernel_h=weights.shape[1],
        kernel_w=weights.shape[2],
        stride_h=int(attributes["stride_h"]),
        stride_w=int(attributes["stride_w"]),
        dilation_h=int(attributes.get("dilation_h_factor", 1)) if weights.shape[1] > 1 else 1,
        dilation_w=int(attributes.get("dilation_w_factor", 1)) if weights.shape[2] > 1 else 1,
        pad_top=padding.top,
        pad_left=padding.left,
    )


def column_bytes(taps: int, target: Target) -> int:
    """Taps of a window, rounded up to what the kernel reads at once."""
    return -(-taps // 4) * 4 if target.dsp else taps


def stays_inside(data: Tensor, output: Tensor, window: Window) -> bool:
    """Whether the window is one pixel and every output reads a pixel of the input."""
    return (
        (window.kernel_h, window.kernel_w, window.pad_top, window.pad_left) == (1, 1, 0, 0)
        and (output.shape[1] - 1) * window.stride_h < data.shape[1]
        and (output.shape[2] - 1) * window.stride_w < data.shape[2]
    )


def window_shape(window: Window) -> dict[str, int]:
    """The fields of a kernel's shape struct that say what a window looks like."""
    return {
        "kernel_height": window.kernel_h,
        "kernel_width": window.kernel_w,
        "stride_height": window.stride_h,
        "stride_width": window.stride_w,
        "dilation_height": window.dilation_h,
        "dilation_width": window.dilation_w,
        "pad_top": window.pad_top,
        "pad_left": window.pad_left,
    }


def weights_of(graph: Graph, operator: Operator) -> npt.NDArray[np.int8]:
    """The weights array in the file's shape."""
    tensor = graph.tensor(operator.inputs[1])
    assert tensor.data is not None
    return np.asarray(tensor.data, dtype=np.int8)


def constant_bias(graph: Graph, operator: Operator) -> npt.NDArray[np.int32] | None:
    """The bias, one int32 for each output channel, or None where the model has none."""
    if len(operator.inputs) < 3 or operator.inputs[2] is None:
        return None
    tensor = graph.tensor(operator.inputs[2])
    assert tensor.data is not None
    return np.asarray(tensor.data, dtype=np.int32).reshape(-1)


def channel_multipliers(graph: Graph, operator: Operator) -> tuple[float, ...]:
    """input scale * weight scale / output scale in double, one for each weight scale.

    Source: PopulateConvolutionQuantizationParams in TFLite's kernel_util.cc.
    """
    data, weights = graph.tensor(operator.inputs[0]), graph.tensor(operator.inputs[1])
    input_scale = quantization_of(data, operator).scale
    output_scale = quantization_of(graph.tensor(operator.outputs[0]), operator).scale
    return tuple(input_scale * scale / output_scale for scale in quantization_of(weights, operator).scales)


def reference_windows(
    data: npt.NDArray[np.int64], window: Window, padding: Padding
) -> list[tuple[int, int, npt.NDArray[np.int64]]]:
    """For each tap (row, column) of the kernel the input values under it: [output height, output width, channels].

    data: [height, width, channels] with the zero point already taken off, so that padding is 0.
    """
    rows = max(0, (padding.output_height - 1) * window.stride_h + (window.kernel_h - 1) * window.dilation_h + 1)
    columns = max(0, (padding.output_width - 1) * window.stride_w + (window.kernel_w - 1) * window.dilation_w + 1)
    height, width, channels = data.shape
    padded = np.zeros((max(rows, height + window.pad_top), max(columns, width + window.pad_left), channels), np.int64)
    padded[window.pad_top : window.pad_top + height, window.pad_left : window.pad_left + width] = data
    taps = []
    for row in range(window.kernel_h):
        for column in range(window.kernel_w):
            top, left = row * window.dilation_h, column * window.dilation_w
            taken = padded[top :: window.stride_h, left :: window.stride_w]
            taps.append((row, column, taken[: padding.output_height, : padding.output_width]))
    return taps


def reference_output(
    graph: Graph, operator: Operator, sums: npt.NDArray[np.int64], real_multipliers: tuple[float, ...]
) -> npt.NDArray[np.int8]:
    """Bias, requantization, zero point and clamp of accumulators [..., output channels]."""
    bias = constant_bias(graph, operator)
    accumulators = wrap_int32(sums if bias is None else sums + bias)
    output = graph.tensor(operator.outputs[0])
    pairs = [quantize_multiplier(m) for m in real_multipliers]
    multiplier, shift = np.array([m for m, _ in pairs]), np.array([s for _, s in pairs])
    scaled = multiply_by_quantized_multiplier(accumulators, multiplier, shift)
    low, high = activation_range(operator.attributes["fused_activation_function"], output, operator)
    result = np.clip(scaled + quantization_of(output, operator).zero_point, low, high)
    return result.astype(np.int8).reshape(output.shape)
