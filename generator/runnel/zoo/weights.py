# SPDX-License-Identifier: Apache-2.0
"""Random weights that keep every layer alive, and the scales that suit them.

int8 weights are drawn, then the network runs layer by layer on a few images and each layer's scales and biases are set
as a batch norm would: every channel varies, few values are cut off, none of the layers is all zeros or saturated.
Sums are whole numbers below 2^53 in float64, so that every computer finds the same scales whatever its BLAS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from runnel.graph import Graph, Operator, Quantization, Tensor
from runnel.zoo.randomness import random_bells, random_bytes, random_fractions

Values = npt.NDArray[np.float64]

IMAGE_PIXELS, FEWEST_IMAGES, MOST_IMAGES = 100_000, 2, 16  # of the calibration, together
LEAST_SAMPLES = 64  # of a channel, to measure it by itself
GAIN, SHIFT = (0.6, 1.6), (-0.5, 1.5)  # of the channels before ReLU6, which cuts few of them off at 6
HEADROOM = 1.1  # other images than those of the calibration may give larger values


@dataclass
class _Calibration:
    """values: of the tensors, as whole numbers less their zero points, images x height x width x channels."""

    graph: Graph
    seed: int
    tensors: dict[int, Tensor]
    values: dict[int, Values] = field(default_factory=dict)


def with_random_weights(graph: Graph, seed: int) -> Graph:
    """`graph` (in the form of a file) with weights, biases and scales; the same for the same seed everywhere."""
    state = _Calibration(graph, seed, dict(graph.tensors))
    image = graph.tensor(graph.inputs[0])
    state.values[image.index] = _images(seed, image.shape)
    last_reader = {index: step for step, operator in enumerate(graph.operators) for index in operator.inputs}
    for step, operator in enumerate(graph.operators):
        _RULES[operator.kind](state, operator)
        for index in operator.inputs:
            if index is not None and last_reader[index] == step:
                state.values.pop(index, None)
    return graph.replace(tensors=state.tensors)


def _images(seed: int, shape: tuple[int, ...]) -> Values:
    """Half of them noise, half of them coloured patches: both kinds come in use."""
    _, height, width, channels = shape
    count = int(np.clip(IMAGE_PIXELS // (height * width), FEWEST_IMAGES, MOST_IMAGES))
    noise = random_bytes(seed, "noise", (count, height, width, channels)).astype(np.float64) - 128
    coarse = random_bytes(seed, "patches", (count, height // 16 + 1, width // 16 + 1, channels))
    patches = coarse.repeat(16, axis=1).repeat(16, axis=2)[:, :height, :width].astype(np.float64) - 128
    return np.where(np.arange(count)[:, None, None, None] % 2 == 0, noise, patches)


def _requantized(real: Values, quantization: Quantization) -> Values:
    """Whole numbers less the zero point, as an int8 tensor holds them."""
    zero = quantization.zero_point
    return np.clip(np.rint(real / quantization.scale), -128 - zero, 127 - zero)


def _covering(real: Values) -> Quantization:
    """The int8 scale and zero point that cover the values with some room, 0 exactly."""
    low, high = min(float(real.min()) * HEADROOM, 0.0), max(float(real.max()) * HEADROOM, 0.0)
    scale = float(np.float32((high - low) / 255)) if high > low else 1.0
    return Quantization((scale,), (int(np.clip(round(-128 - low / scale), -128, 127)),))


def _convolution(state: _Calibration, operator: Operator) -> None:
    data, weights, bias = (state.tensors[index] for index in operator.inputs if index is not None)
    output = state.tensors[operator.outputs[0]]
    assert data.quantization is not None and output.quantization is not None
    depthwise = operator.kind == "DEPTHWISE_CONV_2D"
    drawn = np.clip(random_bells(state.seed, weights.name, weights.shape) // 3, -127, 127).astype(np.int8)
    sums = _sums(state.values[data.index], drawn.astype(np.float64), operator, output.shape, depthwise)
    clamp = str(operator.attributes["fused_activation_function"])
    scales, steps = _norm(state.seed, bias.name, sums, data.quantization.scale, clamp)
    bias_scales = np.float32(data.quantization.scale) * scales
    real = (sums + steps) * bias_scales.astype(np.float64)
    real = np.clip(real, 0.0, 6.0) if clamp == "RELU6" else np.maximum(real, 0.0) if clamp == "RELU" else real
    quantization = output.quantization if clamp == "RELU6" else _covering(real)
    zeros, axis = (0,) * len(scales), 3 if depthwise else 0
    state.tensors[weights.index] = replace(
        weights, data=drawn, quantization=Quantization(tuple(map(float, scales)), zeros, axis)
    )
    state.tensors[bias.index] = replace(
        bias, data=steps.astype(np.int32), quantization=Quantization(tuple(map(float, bias_scales)), zeros)
    )
    state.tensors[output.index] = replace(output, quantization=quantization)
    state.values[output.index] = _requantized(real, quantization)


def _sums(data: Values, weights: Values, operator: Operator, shape: tuple[int, ...], depthwise: bool) -> Values:
    """Sums of products before bias and scale; whole numbers."""
    _, kernel_h, kernel_w, _ = weights.shape
    _, rows, columns, channels = shape
    step_h, step_w = int(operator.attributes["stride_h"]), int(operator.attributes["stride_w"])
    above, left = _missing(data.shape[1], rows, kernel_h, step_h), _missing(data.shape[2], columns, kernel_w, step_w)
    data = np.pad(data, ((0, 0), above, left, (0, 0)))
    sums = np.zeros((data.shape[0], rows, columns, channels))
    for row in range(kernel_h):
        for column in range(kernel_w):
            last_row, last_column = row + (rows - 1) * step_h + 1, column + (columns - 1) * step_w + 1
            taken = data[:, row:last_row:step_h, column:last_column:step_w]
            sums += taken * weights[0, row, column] if depthwise else taken @ weights[:, row, column].T
    return sums


def _missing(size: int, outputs: int, kernel: int, stride: int) -> tuple[int, int]:
    """Rows to add above and below: TensorFlow's SAME, which adds the odd one below; none where PAD did it."""
    total = max((outputs - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def _norm(
    seed: int, name: str, sums: Values, input_scale: float, clamp: str
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Weight scales and biases that give every channel its own mean and deviation near 1.

    Where there are few samples of a channel all of them share what is measured.
    """
    channels = sums.shape[-1]
    flat = sums.reshape(-1, channels).astype(np.int64)
    if len(flat) < LEAST_SAMPLES:
        flat = np.broadcast_to(flat.reshape(-1, 1), (flat.size, channels))
    mean = flat.sum(axis=0) // len(flat)
    deviation = np.sqrt(((flat - mean) ** 2).sum(axis=0) / len(flat))
    gain = random_fractions(seed, f"{name}/gain", channels, *GAIN)
    shift = random_fractions(seed, f"{name}/shift", channels, *(SHIFT if clamp != "NONE" else (-0.5, 0.5)))
    scales = (gain / (np.maximum(deviation, 1.0) * input_scale)).astype(np.float32)
    steps = np.rint(shift / (np.float64(input_scale) * scales.astype(np.float64))).astype(np.int64) - mean
    return scales, steps


def _pad(state: _Calibration, operator: Operator) -> None:
    source, amounts = operator.inputs
    assert source is not None
    sides = state.graph.tensor(amounts).data
    assert sides is not None
    state.values[operator.outputs[0]] = np.pad(state.values[source], [tuple(map(int, pair)) for pair in sides])
    _same_scale(state, source, operator.outputs[0])


def _pool(state: _Calibration, operator: Operator) -> None:
    source, output = operator.inputs[0], operator.outputs[0]
    assert source is not None
    data = state.values[source]
    whole = data.astype(np.int64).sum(axis=(1, 2), keepdims=True).astype(np.float64)
    state.values[output] = np.rint(whole / (data.shape[1] * data.shape[2])).reshape(
        len(data), *state.tensors[output].shape[1:]
    )
    _same_scale(state, source, output)


def _reshape(state: _Calibration, operator: Operator) -> None:
    source, output = operator.inputs[0], operator.outputs[0]
    assert source is not None
    data = state.values[source]
    state.values[output] = data.reshape(len(data), *state.tensors[output].shape[1:])
    _same_scale(state, source, output)


def _same_scale(state: _Calibration, source: int, output: int) -> None:
    state.tensors[output] = replace(state.tensors[output], quantization=state.tensors[source].quantization)


def _add(state: _Calibration, operator: Operator) -> None:
    real: Values = np.zeros(())
    for index in operator.inputs:
        assert index is not None
        quantization = state.tensors[index].quantization
        assert quantization is not None
        real = real + state.values[index] * quantization.scale
    if operator.attributes["fused_activation_function"] == "RELU":
        real = np.maximum(real, 0.0)
    output = operator.outputs[0]
    quantization = _covering(real)
    state.tensors[output] = replace(state.tensors[output], quantization=quantization)
    state.values[output] = _requantized(real, quantization)


_RULES: Mapping[str, Callable[[_Calibration, Operator], None]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _convolution,
    "PAD": _pad,
    "AVERAGE_POOL_2D": _pool,
    "RESHAPE": _reshape,
    "ADD": _add,
}
