# SPDX-License-Identifier: Apache-2.0
"""Builds graphs operator by operator, with an eye on which int8 values each tensor will hold.

Random scales alone would saturate nearly every output, and saturated outputs hide wrong arithmetic. So each tensor
carries the mean and spread that its real values will have, and outputs get a scale that fits, as calibration does.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from random_models.source import Source
from runnel.graph import Graph, Operator, Quantization, Tensor

ACTIVATIONS = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")
UNIFORM_STEPS = 73.9
"""Standard deviation of uniform int8 values."""


@dataclass(frozen=True)
class Spread:
    """Expected mean and standard deviation of a tensor's real values."""

    mean: float
    deviation: float

    def shifted(self, other: Spread, sign: float = 1.0) -> Spread:
        """The spread of a sum (or difference) of independent values."""
        return Spread(self.mean + sign * other.mean, math.hypot(self.deviation, other.deviation))

    def times(self, other: Spread) -> Spread:
        """The spread of a product of independent values."""
        square = (self.mean**2 + self.deviation**2) * (other.mean**2 + other.deviation**2)
        mean = self.mean * other.mean
        return Spread(mean, math.sqrt(max(square - mean**2, 0.0)))


def float32(value: float) -> float:
    return float(np.float32(value))


class GraphBuilder:
    """A graph in the making. Tensors are known by their numbers."""

    def __init__(self, source: Source, gentle: bool = False) -> None:
        """`gentle`: extremes are rare, so that what follows them in a graph still gets values that vary."""
        self.source = source
        self.rarity = 0.15 if gentle else 1.0
        self.random = source.generator()
        self.tensors: dict[int, Tensor] = {}
        self.operators: list[Operator] = []
        self.spreads: dict[int, Spread] = {}
        self.inputs: list[int] = []
        self.forced: Quantization | None = None

    def rarely(self, probability: float) -> bool:
        """A chance of something extreme."""
        return self.source.chance(probability * self.rarity)

    def activation(self, spread: Spread) -> str:
        """A fused activation whose bounds cut off some of these values, not nearly all; rarely any other."""
        if self.rarely(0.2):
            return self.source.choice(ACTIVATIONS)
        fitting = ["NONE"]
        reach = abs(spread.mean) + spread.deviation
        if spread.mean > -spread.deviation:
            fitting.append("RELU")
            if 1 < reach < 15 and spread.mean < 6:
                fitting.append("RELU6")
        if 0.2 < reach < 4:
            fitting.append("RELU_N1_TO_1")
        return self.source.choice(fitting)

    def tensor(
        self,
        shape: Sequence[int],
        kind: str = "int8",
        quantization: Quantization | None = None,
        data: npt.NDArray[Any] | None = None,
    ) -> int:
        index = len(self.tensors)
        name = f"{'c' if data is not None else 't'}{index}"
        self.tensors[index] = Tensor(index, name, tuple(shape), kind, quantization, data)
        return index

    def quantization(self) -> Quantization:
        """A random scale and zero point, both at their extremes now and then."""
        exponent = self.source.real(-20, 8) if self.rarely(0.1) else self.source.real(-8, 1)
        return Quantization((float32(2.0**exponent),), (self.zero_point(),))

    def zero_point(self) -> int:
        return self.source.choice((0, -128, self.source.integer(-128, 127), self.source.integer(-20, 20), 127))

    def input(self, shape: Sequence[int], quantization: Quantization | None = None, kind: str = "int8") -> int:
        """A model input; its spread is that of uniform noise."""
        used = quantization or self.quantization()
        index = self.tensor(shape, kind, used)
        centre = 127.5 if kind == "uint8" else -0.5
        self.spreads[index] = Spread((centre - used.zero_point) * used.scale, UNIFORM_STEPS * used.scale)
        self.inputs.append(index)
        return index

    def constant(self, data: npt.NDArray[Any], quantization: Quantization | None = None) -> int:
        index = self.tensor(data.shape, data.dtype.name, quantization, data)
        if quantization is not None and not quantization.per_channel:
            real = (data.astype(np.float64) - quantization.zero_point) * quantization.scale
            self.spreads[index] = Spread(float(real.mean()), float(real.std()))
        return index

    def force(self, quantization: Quantization) -> None:
        """The next fitted quantization will be this one: CONCATENATION wants equal scales."""
        self.forced = quantization

    def fitted(self, spread: Spread, activation: str = "NONE") -> Quantization:
        """A quantization under which values of this spread use much of int8, and sometimes too little or too much."""
        if self.forced is not None:
            forced, self.forced = self.forced, None
            return forced
        low, high = spread.mean - 2 * spread.deviation, spread.mean + 2 * spread.deviation
        if activation in ("RELU", "RELU6"):
            low, high = min(max(low, 0.0), high), max(high, spread.deviation / 2)
        if activation == "RELU6":
            high = min(high, 6.0)
        if activation == "RELU_N1_TO_1":
            low, high = max(low, -1.0), min(high, 1.0)
        width = high - low
        if not width > 0:
            low, width = -1.0, 2.0
        loose = self.source.choice((1.0, 1.3, 0.7, 2.5)) if not self.rarely(0.05) else self.source.real(0.05, 20)
        scale = float32(max(width * loose / 255, 1e-7))  # TFLM: 6 / scale must fit int32
        zero_point = round(-128 - (low / scale) + (255 - width / scale) / 2)
        if self.rarely(0.15):
            zero_point = self.zero_point()
        return Quantization((scale,), (int(np.clip(zero_point, -128, 127)),))

    def operator(
        self,
        kind: str,
        inputs: Sequence[int | None],
        shape: Sequence[int],
        quantization: Quantization | None,
        attributes: Mapping[str, Any] | None = None,
        spread: Spread | None = None,
        output_type: str = "int8",
    ) -> int:
        """Adds an operator with one output and gives the output's number."""
        output = self.tensor(shape, output_type, quantization)
        self.operators.append(Operator(len(self.operators), kind, tuple(inputs), (output,), dict(attributes or {})))
        self.spreads[output] = self.after_clamp(spread or Spread(0.0, 1.0), quantization)
        return output

    def after_clamp(self, spread: Spread, quantization: Quantization | None) -> Spread:
        """The spread after int8 has cut off what it cannot hold, roughly."""
        if quantization is None:
            return spread
        low, high = ((limit - quantization.zero_point) * quantization.scale for limit in (-128, 127))
        return Spread(min(max(spread.mean, low), high), min(spread.deviation, (high - low) / 2))

    def snapshot(self) -> GraphBuilder:
        """A copy to go back to."""
        copied = copy.copy(self)
        copied.tensors, copied.operators = dict(self.tensors), list(self.operators)
        copied.spreads, copied.inputs = dict(self.spreads), list(self.inputs)
        return copied

    def quantization_of(self, tensor: int) -> Quantization:
        quantization = self.tensors[tensor].quantization
        assert quantization is not None
        return quantization

    def shape(self, tensor: int) -> tuple[int, ...]:
        return self.tensors[tensor].shape

    def finish(self, outputs: Sequence[int], name: str = "random") -> Graph:
        return Graph(name, dict(self.tensors), tuple(self.operators), tuple(self.inputs), tuple(outputs))


def with_scale(graph: Graph, index: int) -> Tensor:
    """An input; a float32 one with the scale of its QUANTIZE, so that random values fill its range."""
    tensor = graph.tensor(index)
    if tensor.type != "float32":
        return tensor
    (reader,) = graph.consumers(index)
    return replace(tensor, quantization=graph.tensor(reader.outputs[0]).quantization)
