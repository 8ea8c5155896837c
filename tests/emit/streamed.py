# SPDX-License-Identifier: Apache-2.0
"""A small network and segments of it that run by rows, for the tests of what is emitted for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from runnel.graph import Graph, Operator, Quantization, Tensor
from runnel.operators import Target
from runnel.plan.plan import Plan
from runnel.plan.planner import make_plan
from runnel.schedule.schedule import Objective, Schedule, Segment, Streaming
from small_graphs import WINDOW, activation, bias, constant, operator, weights


@dataclass
class _Network:
    """Grows operator by operator; every tensor has a zero point of its own."""

    tensors: list[Tensor] = field(default_factory=list)
    operators: list[Operator] = field(default_factory=list)
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(5))

    def add(self, tensor: Tensor) -> int:
        self.tensors.append(tensor)
        return tensor.index

    def map(self, height: int, width: int, channels: int) -> int:
        quantization = Quantization((0.05,), (int(self.random.integers(-20, 20)),))
        return self.add(activation(len(self.tensors), (1, height, width, channels), quantization))

    def convolve(self, kind: str, source: int, channels: int, kernel: int, stride: int = 1) -> int:
        _, height, width, before = self.tensors[source].shape
        depthwise = kind == "DEPTHWISE_CONV_2D"
        shape = (1, kernel, kernel, channels) if depthwise else (channels, kernel, kernel, before)
        filters = self.add(weights(len(self.tensors), *shape, axis=3 if depthwise else 0))
        addend = self.add(bias(len(self.tensors), channels))
        output = self.map(-(-height // stride), -(-width // stride), channels)
        strides = {**WINDOW, "padding": "SAME", "stride_h": stride, "stride_w": stride, "depth_multiplier": 1}
        self.operators.append(operator(len(self.operators), kind, (source, filters, addend), (output,), strides))
        return output

    def block(self, source: int, expanded: int, kernel: int, stride: int) -> int:
        """MobileNetV2's inverted bottleneck."""
        channels = self.tensors[source].shape[-1]
        wide = self.convolve("CONV_2D", source, expanded, 1)
        filtered = self.convolve("DEPTHWISE_CONV_2D", wide, expanded, kernel, stride)
        result = self.convolve("CONV_2D", filtered, channels, 1)
        if stride > 1:
            return result
        total = self.map(*self.tensors[result].shape[1:])
        options = {"fused_activation_function": "NONE", "pot_scale_int16": False}
        self.operators.append(operator(len(self.operators), "ADD", (source, result), (total,), options))
        return total


def bottlenecks(
    blocks: Sequence[tuple[int, int, int]] = ((8, 3, 1), (12, 5, 1), (8, 3, 2)),
    pooled: bool = True,
    size: tuple[int, int] = (13, 11),
    classes: int = 0,
) -> Graph:
    """A 3x3 convolution of stride 2 from 3 to 4 channels, blocks (expanded channels, kernel, stride), global mean.

    classes: of a 1x1 convolution after the mean, which then keeps its dimensions; 0: there is none.
    """
    network = _Network()
    source = network.map(*size, 3)
    last = network.convolve("CONV_2D", source, 4, 3, 2)
    for expanded, kernel, stride in blocks:
        last = network.block(last, expanded, kernel, stride)
    if pooled:
        axes = network.add(constant(len(network.tensors), [1, 2]))
        shape = (1, 1, 1, 4) if classes else (1, 4)
        mean = network.add(activation(len(network.tensors), shape, Quantization((0.02,), (1,))))
        options = {"keep_dims": bool(classes)}
        network.operators.append(operator(len(network.operators), "MEAN", (last, axes), (mean,), options))
        last = network.convolve("CONV_2D", mean, classes, 1) if classes else mean
    tensors = {tensor.index: tensor for tensor in network.tensors}
    return Graph("net", tensors, tuple(network.operators), (source,), (last,))


def cut(graph: Graph, *ways: tuple[int, Streaming | None], objective: Objective = "sram") -> Schedule:
    """Segments one after the other: the place behind each one's last operator, and how it streams."""
    segments = []
    for (begin, _), (end, streaming) in pairwise([(0, None), *ways]):
        operators = graph.operators[begin:end]
        made = {tensor for each in operators for tensor in each.outputs}
        read = dict.fromkeys(t.index for each in operators for t in graph.activations(each) if t.index not in made)
        pulled = graph.inputs if streaming is not None and streaming.pulled else ()
        inputs = tuple(tensor for tensor in read if tensor not in pulled)
        later = {t for each in graph.operators[end:] for t in each.inputs} | set(graph.outputs)
        outputs = tuple(tensor for each in operators for tensor in each.outputs if tensor in later)
        segments.append(Segment(f"segment_{begin}", operators, inputs, outputs, streaming))
    return Schedule(graph, tuple(segments), objective)


def whole(graph: Graph, streaming: Streaming, objective: Objective = "sram") -> Schedule:
    """All operators in one segment."""
    return cut(graph, (len(graph.operators), streaming), objective=objective)


def planned(schedule: Schedule, *, dsp: bool = False, board: str = "host") -> Plan:
    return make_plan(schedule, "net", board, Target(dsp=dsp))
