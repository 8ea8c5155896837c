# SPDX-License-Identifier: Apache-2.0
"""Random weights, biases and their scales, and the spread of the outputs that they lead to."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from random_models.builder import UNIFORM_STEPS, GraphBuilder, Spread
from runnel.graph import Quantization

BIAS_LIMIT = 2**31 - 1
DEAD_SCALE = float(np.float32(1e-36))
"""A weight scale that makes the multiplier 0, as in real files with dead channels."""


@dataclass(frozen=True)
class Weights:
    """Numbers of the weight and bias tensors (bias None where there is none) and the accumulated real values."""

    tensor: int
    bias: int | None
    spread: Spread


def random_weights(builder: GraphBuilder, shape: tuple[int, ...]) -> npt.NDArray[np.int8]:
    """int8 weights: uniform, bell-shaped, tiny (so that the multiplier exceeds 1) or the extremes only."""
    source, random = builder.source, builder.random
    values: npt.NDArray[Any]
    style = source.choice(("bell", "uniform", "bell", "tiny", "extremes"))
    if style == "bell":
        values = np.clip(np.round(random.normal(0, 40, shape)), -127, 127)
    elif style == "uniform":
        values = random.integers(-127, 128, shape)
    elif style == "tiny":
        values = random.integers(-2, 3, shape)
    else:
        values = random.choice(np.array([-128, -127, 127]), shape)
    return values.astype(np.int8)


def random_scales(builder: GraphBuilder, channels: int, axis: int, per_channel: bool) -> Quantization:
    """Weight scales: one, or one per channel with an occasional dead channel or negative ones, as in mcunet-in3."""
    source = builder.source
    base = 2.0 ** source.real(-11, -3)
    if not per_channel:
        return Quantization((float(np.float32(base)),), (0,), axis)
    scales = base * np.exp2(builder.random.uniform(-2, 1, channels))
    if channels > 1 and source.chance(0.3):  # the reader takes them only per channel
        scales *= builder.random.choice(np.array([-1, 1]), channels)
    if builder.rarely(0.15):
        scales[builder.random.integers(channels)] = DEAD_SCALE
    return Quantization(tuple(float(np.float32(s)) for s in scales), (0,) * channels, axis)


def add_weights(
    builder: GraphBuilder,
    data: int,
    shape: tuple[int, ...],
    channel_axis: int,
    per_channel: bool,
    live_taps: float = 1.0,
    spread_of_input: Spread | None = None,
) -> Weights:
    """Weights and bias for a reduction of `data` over all axes of `shape` but `channel_axis`.

    live_taps: the share of taps that lie inside the input on average (padding adds nothing).
    """
    values = random_weights(builder, shape)
    channels = shape[channel_axis]
    quantization = random_scales(builder, channels, channel_axis, per_channel)
    tensor = builder.constant(values, quantization)
    scale = builder.quantization_of(data).scale * np.array(quantization.scales, np.float64)
    scale = np.broadcast_to(scale, (channels,))
    spread = spread_of_input or builder.spreads[data]
    steps = Spread(
        spread.mean / builder.quantization_of(data).scale, spread.deviation / builder.quantization_of(data).scale
    )
    flat = np.moveaxis(values.astype(np.float64), channel_axis, 0).reshape(channels, -1)
    mean = live_taps * steps.mean * flat.sum(axis=1)
    deviation = np.sqrt(live_taps * (flat**2).sum(axis=1)) * max(steps.deviation, UNIFORM_STEPS / 16)
    bias, bias_index = _bias(builder, channels, deviation, scale, per_channel)
    alive = np.abs(scale) > 1e-30
    real_means, real_deviations = (mean + bias) * scale, deviation * np.abs(scale)
    if not alive.any():
        return Weights(tensor, bias_index, Spread(0.0, 1e-6))
    centre = float(real_means[alive].mean())
    width = math.hypot(float(real_means[alive].std()), float(np.sqrt((real_deviations[alive] ** 2).mean())))
    return Weights(tensor, bias_index, Spread(centre, max(width, 1e-9)))


def _bias(
    builder: GraphBuilder, channels: int, deviation: npt.NDArray[Any], scale: npt.NDArray[Any], per_channel: bool
) -> tuple[npt.NDArray[np.float64], int | None]:
    """Bias values (zeros where there is no bias) and the bias tensor's number."""
    source = builder.source
    if source.chance(0.15):
        return np.zeros(channels), None
    values = np.round(builder.random.normal(0, 1, channels) * deviation * source.choice((0.5, 0.0, 2.0)))
    values = np.clip(values, -(2**28), 2**28)
    if builder.rarely(0.03):  # sums then wrap around, in TFLM as on the device
        values = builder.random.integers(-BIAS_LIMIT, BIAS_LIMIT, channels).astype(np.float64)
    dead = np.abs(scale) < 1e-30
    values[dead] = builder.random.choice(np.array([-BIAS_LIMIT, BIAS_LIMIT]), int(dead.sum()))
    scales = tuple(float(np.float32(s)) for s in (scale if per_channel else scale[:1]))
    quantization = Quantization(scales, (0,) * len(scales), 0)
    index = builder.constant(values.astype(np.int64).astype(np.int32), quantization)
    return values, index
