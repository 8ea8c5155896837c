# SPDX-License-Identifier: Apache-2.0
"""Random operators with a window or a weight matrix: convolutions, fully connected, pools."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from random_models.builder import GraphBuilder, Spread, float32
from random_models.weights import Weights, add_weights
from runnel.graph import Quantization


@dataclass(frozen=True)
class Axis:
    """A window along one axis: kernel, stride, dilation, and the output's size."""

    kernel: int
    stride: int
    dilation: int
    output: int

    @property
    def span(self) -> int:
        return (self.kernel - 1) * self.dilation + 1


def random_axis(builder: GraphBuilder, size: int, same: bool, dilate: bool, kernel: int | None = None) -> Axis:
    """A window that fits an axis of `size` elements; under SAME padding it may be larger than the axis."""
    source = builder.source
    dilation = source.integer(1, 3) if dilate else 1
    most = 7 if same else max(1, min(7, (size - 1) // dilation + 1))
    kernel = min(kernel or source.integer(1, most), most)
    stride = 1 if dilate and source.chance(0.8) else source.choice((1, 2, 1, 3))
    span = (kernel - 1) * dilation + 1
    output = -(-size // stride) if same else (size - span) // stride + 1
    return Axis(kernel, stride, dilation, output)


Window = tuple[bool, Axis, Axis]
"""(SAME padding?, rows, columns)"""


def random_window(builder: GraphBuilder, data: int, pool: bool = False) -> Window:
    source = builder.source
    _, height, width, _ = builder.shape(data)
    same = source.chance(0.6)
    dilate = not pool and source.chance(0.2)
    kernel = source.choice((None, 1, 3)) if not pool else None
    return same, random_axis(builder, height, same, dilate, kernel), random_axis(builder, width, same, dilate, kernel)


def square_window(builder: GraphBuilder, data: int, kernel: int, stride: int = 1, same: bool = True) -> Window:
    """A window as architectures have it. Under VALID padding the input must be at least as large as the kernel."""

    def axis(size: int) -> Axis:
        return Axis(kernel, stride, 1, -(-size // stride) if same else (size - kernel) // stride + 1)

    _, height, width, _ = builder.shape(data)
    return same, axis(height), axis(width)


def options(same: bool, rows: Axis, columns: Axis, activation: str) -> dict[str, object]:
    return {
        "padding": "SAME" if same else "VALID",
        "stride_h": rows.stride,
        "stride_w": columns.stride,
        "fused_activation_function": activation,
    }


def dilation_options(rows: Axis, columns: Axis) -> dict[str, object]:
    return {"dilation_h_factor": rows.dilation, "dilation_w_factor": columns.dilation}


def live_taps(builder: GraphBuilder, data: int, rows: Axis, columns: Axis) -> float:
    """Roughly the share of a window's taps that lie inside the input."""
    _, height, width, _ = builder.shape(data)
    return min(1.0, height / rows.span) * min(1.0, width / columns.span)


def channel_count(builder: GraphBuilder) -> int:
    source = builder.source
    return source.choice((source.integer(1, 9), source.integer(1, 20), 8, 4, 16, source.integer(1, 40)))


def inputs(builder: GraphBuilder, data: int, weights: Weights, shorten: bool = False) -> tuple[int | None, ...]:
    """Operator inputs. A missing bias is an index of -1 or a shorter list; TFLM's depthwise crashes on the former."""
    if weights.bias is None and (shorten or builder.source.chance(0.5)):
        return data, weights.tensor
    return data, weights.tensor, weights.bias


def conv_2d(builder: GraphBuilder, data: int, channels: int | None = None, window: Window | None = None) -> int:
    source = builder.source
    same, rows, columns = window or random_window(builder, data)
    channels = channels or channel_count(builder)
    shape = (channels, rows.kernel, columns.kernel, builder.shape(data)[3])
    live = live_taps(builder, data, rows, columns)
    weights = add_weights(builder, data, shape, 0, source.chance(0.8), live)
    activation = builder.activation(weights.spread)
    return builder.operator(
        "CONV_2D",
        inputs(builder, data, weights),
        (1, rows.output, columns.output, channels),
        builder.fitted(weights.spread, activation),
        options(same, rows, columns, activation) | dilation_options(rows, columns),
        weights.spread,
    )


def depthwise_conv_2d(
    builder: GraphBuilder, data: int, multiplier: int | None = None, window: Window | None = None
) -> int:
    source = builder.source
    same, rows, columns = window or random_window(builder, data)
    multiplier = multiplier or source.choice((1, 1, 1, 2, 3, 8))
    channels = builder.shape(data)[3] * multiplier
    shape = (1, rows.kernel, columns.kernel, channels)
    live = live_taps(builder, data, rows, columns)
    weights = add_weights(builder, data, shape, 3, source.chance(0.8), live)
    activation = builder.activation(weights.spread)
    return builder.operator(
        "DEPTHWISE_CONV_2D",
        inputs(builder, data, weights, True),
        (1, rows.output, columns.output, channels),
        builder.fitted(weights.spread, activation),
        options(same, rows, columns, activation) | dilation_options(rows, columns) | {"depth_multiplier": multiplier},
        weights.spread,
    )


def fully_connected(builder: GraphBuilder, data: int, channels: int | None = None) -> int:
    """Over the flattened input, or over its last axis with keep_num_dims."""
    source = builder.source
    data_shape = builder.shape(data)
    keep = len(data_shape) > 1 and source.chance(0.25)
    taps = data_shape[-1] if keep else int(np.prod(data_shape))
    channels = channels or channel_count(builder)
    weights = add_weights(builder, data, (channels, taps), 0, source.chance(0.5))
    activation = builder.activation(weights.spread)
    return builder.operator(
        "FULLY_CONNECTED",
        inputs(builder, data, weights),
        (*data_shape[:-1], channels) if keep else (1, channels),
        builder.fitted(weights.spread, activation),
        {"fused_activation_function": activation, "weights_format": "DEFAULT", "keep_num_dims": keep},
        weights.spread,
    )


def pool(builder: GraphBuilder, data: int, kind: str, everything: bool = False) -> int:
    """Pools keep the scale; TFLM takes a difference of up to 1e-6 and ignores it, but for the fused activation."""
    source = builder.source
    same, rows, columns = random_window(builder, data, pool=True)
    if everything or source.chance(0.3):
        _, height, width, _ = builder.shape(data)
        same, rows, columns = False, Axis(height, 1, 1, 1), Axis(width, 1, 1, 1)
    quantization = builder.quantization_of(data)
    if source.chance(0.2):
        close = quantization.scale + builder.source.real(-0.9e-6, 0.9e-6)
        quantization = Quantization((float32(max(close, quantization.scale / 2)),), quantization.zero_points)
    spread = builder.spreads[data]
    activation = builder.activation(spread)
    if kind == "AVERAGE_POOL_2D":
        taps = rows.kernel * columns.kernel * live_taps(builder, data, rows, columns)
        spread = Spread(spread.mean, spread.deviation / max(1.0, taps) ** 0.5)
    return builder.operator(
        kind,
        (data,),
        (1, rows.output, columns.output, builder.shape(data)[3]),
        quantization,
        options(same, rows, columns, activation) | {"filter_height": rows.kernel, "filter_width": columns.kernel},
        spread,
    )


def average_pool_2d(builder: GraphBuilder, data: int, everything: bool = False) -> int:
    """`everything`: one window over all rows and columns."""
    return pool(builder, data, "AVERAGE_POOL_2D", everything)


def max_pool_2d(builder: GraphBuilder, data: int) -> int:
    return pool(builder, data, "MAX_POOL_2D")
