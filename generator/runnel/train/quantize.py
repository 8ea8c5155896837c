# SPDX-License-Identifier: Apache-2.0
"""Float Graph -> int8 Graph: ranges measured on inputs, then TFLite's int8 scheme.

Activations are asymmetric per tensor, weights symmetric per output channel (fully connected: per tensor),
biases int32 with scale input x weight. TFLite's specification: tensorflow.org/lite/performance/quantization_spec.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch

from runnel.graph import Graph, Operator, Quantization, Tensor
from runnel.train.data import Floats
from runnel.train.interpret import interpret

Ranges = Mapping[int, tuple[float, float]]

PIXELS = Quantization((float(np.float32(1 / 255)),), (-128,))  # photos from 0 to 1: quantized = pixel - 128
PROBABILITIES = Quantization((1 / 256,), (-128,))  # the only one TFLite allows behind SOFTMAX
_WEIGHT_AXIS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3}
_BIAS_LIMIT = 2**30  # leaves room for the sum of products in the int32 accumulator


def calibrate(graph: Graph, inputs: Floats, batch: int = 64) -> Ranges:
    """Smallest and largest value of every activation over `inputs` (n x height x width x channels)."""
    ranges: dict[int, tuple[float, float]] = {}

    def watch(tensor: int, value: torch.Tensor) -> None:
        low, high = ranges.get(tensor, (float("inf"), float("-inf")))
        ranges[tensor] = (min(low, float(value.min())), max(high, float(value.max())))

    for first in range(0, len(inputs), batch):
        interpret(graph, inputs[first : first + batch], watch)
    return ranges


def activation_quantization(low: float, high: float) -> Quantization:
    """The int8 scale and zero point that cover low..high and represent 0 exactly."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale = float(np.float32((high - low) / 255)) if high > low else 1.0
    return Quantization((scale,), (int(np.clip(round(-128 - low / scale), -128, 127)),))


def weight_scales(weight: Floats, bias: Floats, axis: int | None, input_scale: float) -> npt.NDArray[np.float32]:
    """Symmetric scales along `axis`, or one where it is None; large enough that the bias fits its int32."""
    if axis is None:
        peak, offset = np.abs(weight).max(keepdims=True).reshape(1), np.abs(bias).max(keepdims=True)
    else:
        peak = np.abs(weight).max(axis=tuple(a for a in range(weight.ndim) if a != axis))
        offset = np.abs(bias)
    least = np.maximum(offset / (input_scale * _BIAS_LIMIT), 2.0**-60)  # a channel may be all zeros
    return np.maximum(peak / 127, least).astype(np.float32)


def _quantize_weights(graph: Graph, operator: Operator, tensors: dict[int, Tensor]) -> None:
    """Replace weights and bias of a layer in `tensors` by their int8 and int32 forms."""
    source, weight_index, bias_index = (i for i in operator.inputs if i is not None)
    weight, bias = graph.tensors[weight_index], graph.tensors[bias_index]
    quantization = tensors[source].quantization
    assert weight.data is not None and bias.data is not None and quantization is not None
    axis = _WEIGHT_AXIS.get(operator.kind)
    scales = weight_scales(weight.data, bias.data, axis, quantization.scale)
    along = scales if axis is None else scales.reshape([-1 if a == axis else 1 for a in range(weight.data.ndim)])
    rounded = np.clip(np.rint(weight.data / along), -127, 127).astype(np.int8)
    bias_scales = np.float32(quantization.scale) * scales
    steps = np.rint(bias.data.astype(np.float64) / bias_scales).astype(np.int32)
    zeros = (0,) * len(scales)
    tensors[weight_index] = replace(
        weight, type="int8", data=rounded, quantization=Quantization(tuple(map(float, scales)), zeros, axis or 0)
    )
    tensors[bias_index] = replace(
        bias, type="int32", data=steps, quantization=Quantization(tuple(map(float, bias_scales)), zeros)
    )


def quantize(graph: Graph, ranges: Ranges, fixed: Mapping[int, Quantization]) -> Graph:
    """Turn a float graph into an int8 graph.

    ranges: smallest and largest value of every activation (see `calibrate`).
    fixed: quantizations that are given, such as the input's; SOFTMAX outputs always get 1/256 and -128.
    """
    given = {**{o.outputs[0]: PROBABILITIES for o in graph.operators if o.kind == "SOFTMAX"}, **fixed}
    tensors: dict[int, Tensor] = {}
    for index, tensor in graph.tensors.items():
        if tensor.is_constant:
            tensors[index] = tensor
        else:
            tensors[index] = replace(
                tensor, type="int8", quantization=given.get(index) or activation_quantization(*ranges[index])
            )
    for operator in graph.operators:
        if operator.kind in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            _quantize_weights(graph, operator, tensors)
    return graph.replace(tensors=tensors)
