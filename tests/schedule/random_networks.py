# SPDX-License-Identifier: Apache-2.0
"""Random small networks by their shapes alone (all weights zero), as the passes leave graphs: for the scheduler."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np

from runnel.graph import Graph, Operator, Quantization, Tensor

SCALE = Quantization((0.5,), (0,))
NONE = {"fused_activation_function": "NONE"}


class NetworkBuilder:
    """Adds operators to one another; every method returns the number of the tensor that it makes."""

    def __init__(self, seed: int, height: int, width: int, channels: int) -> None:
        self.random = random.Random(seed)
        self.tensors: dict[int, Tensor] = {}
        self.operators: list[Operator] = []
        self.input = self.tensor((1, height, width, channels))

    def shape(self, tensor: int) -> tuple[int, ...]:
        return self.tensors[tensor].shape

    def tensor(self, shape: tuple[int, ...], data: Any = None) -> int:
        number = len(self.tensors)
        kind = "int8" if data is None else data.dtype.name
        self.tensors[number] = Tensor(number, f"t{number}", shape, kind, SCALE, data)
        return number

    def constant(self, shape: tuple[int, ...], kind: type = np.int8) -> int:
        return self.tensor(shape, np.broadcast_to(kind(0), shape))

    def operator(self, kind: str, inputs: list[int], shape: tuple[int, ...], attributes: Any = None) -> int:
        output = self.tensor(shape)
        self.operators.append(Operator(len(self.operators), kind, tuple(inputs), (output,), attributes or NONE))
        return output

    def window(self, tensor: int, kernel: int, stride: int) -> tuple[dict[str, Any], int, int]:
        """Attributes and output size; SAME, VALID or padding of its own on every side."""
        _, height, width, _ = self.shape(tensor)
        dilation = self.random.choice((1, 1, 1, 2)) if kernel > 1 and stride == 1 else 1
        reach = (kernel - 1) * dilation + 1
        scheme = self.random.choice(("SAME", "SAME", "VALID", "EXPLICIT"))
        pads = [self.random.randint(0, kernel // 2) for _ in range(4)]
        if scheme == "VALID" and min(height, width) < reach:
            scheme = "SAME"
        if scheme == "SAME":
            pads = [*_same(height, reach, stride), *_same(width, reach, stride)]
        elif scheme == "VALID" or height + sum(pads[:2]) < reach or width + sum(pads[2:]) < reach:
            pads = [0, 0, 0, 0] if min(height, width) >= reach else [reach // 2] * 4
        attributes = {
            "padding": "EXPLICIT",
            "stride_h": stride,
            "stride_w": stride,
            "dilation_h_factor": dilation,
            "dilation_w_factor": dilation,
            **dict(zip(("pad_top", "pad_bottom", "pad_left", "pad_right"), pads, strict=True)),
            **NONE,
        }
        rows = (height + pads[0] + pads[1] - reach) // stride + 1
        columns = (width + pads[2] + pads[3] - reach) // stride + 1
        return attributes, rows, columns

    def convolution(self, tensor: int, channels: int, kernel: int = 1, stride: int = 1, depthwise: bool = False) -> int:
        attributes, rows, columns = self.window(tensor, kernel, stride)
        inputs = self.shape(tensor)[3]
        if depthwise:
            attributes["depth_multiplier"] = 1
        weights = self.constant((1, kernel, kernel, inputs) if depthwise else (channels, kernel, kernel, inputs))
        bias = self.constant((inputs if depthwise else channels,), np.int32)
        kind = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
        shape = (1, rows, columns, inputs if depthwise else channels)
        return self.operator(kind, [tensor, weights, bias], shape, attributes)

    def finish(self, outputs: list[int]) -> Graph:
        """The graph; every tensor that nobody reads is one of its outputs too."""
        read = {tensor for operator in self.operators for tensor in operator.inputs}
        unread = [operator.outputs[0] for operator in self.operators if operator.outputs[0] not in read]
        ends = tuple(dict.fromkeys([*outputs, *unread]))
        return Graph("random", self.tensors, tuple(self.operators), (self.input,), ends)


def _same(size: int, reach: int, stride: int) -> tuple[int, int]:
    total = max(0, (-(-size // stride) - 1) * stride + reach - size)
    return total // 2, total - total // 2


def convolution(builder: NetworkBuilder, data: int) -> int:
    choice = builder.random.choice
    return builder.convolution(data, choice((1, 3, 4, 8)), choice((1, 2, 3, 5)), choice((1, 1, 2)))


def pointwise(builder: NetworkBuilder, data: int) -> int:
    return builder.convolution(data, builder.random.choice((2, 4, 6, 12)))


def depthwise(builder: NetworkBuilder, data: int) -> int:
    choice = builder.random.choice
    return builder.convolution(data, 0, choice((2, 3, 5, 7)), choice((1, 1, 2)), depthwise=True)


def bottleneck(builder: NetworkBuilder, data: int) -> int:
    """An inverted residual, with its ADD where the shapes allow it."""
    channels = builder.shape(data)[3]
    choice = builder.random.choice
    inner = builder.convolution(data, channels * choice((2, 3)))
    inner = builder.convolution(inner, 0, choice((3, 5)), choice((1, 1, 2)), depthwise=True)
    inner = builder.convolution(inner, choice((channels, channels, 5)))
    same = builder.shape(inner) == builder.shape(data)
    return builder.operator("ADD", [data, inner], builder.shape(data)) if same else inner


def table(builder: NetworkBuilder, data: int) -> int:
    return builder.operator("LOGISTIC", [data], builder.shape(data))


def old_friend(builder: NetworkBuilder, data: int) -> int:
    """ADD with any tensor of the same shape that was made before."""
    made = [builder.input, *(o.outputs[0] for o in builder.operators)]
    fitting = [t for t in made if builder.shape(t) == builder.shape(data)]
    return builder.operator("ADD", [builder.random.choice(fitting), data], builder.shape(data))


def pool(builder: NetworkBuilder, data: int) -> int:
    kernel = builder.random.choice((2, 3))
    attributes, rows, columns = builder.window(data, kernel, builder.random.choice((1, 2)))
    attributes |= {"filter_height": kernel, "filter_width": kernel}
    attributes |= {"dilation_h_factor": 1, "dilation_w_factor": 1}
    height, width = builder.shape(data)[1:3]
    rows = (height + attributes["pad_top"] + attributes["pad_bottom"] - kernel) // attributes["stride_h"] + 1
    columns = (width + attributes["pad_left"] + attributes["pad_right"] - kernel) // attributes["stride_w"] + 1
    if rows < 1 or columns < 1:
        return data
    return builder.operator("MAX_POOL_2D", [data], (1, rows, columns, builder.shape(data)[3]), attributes)


def resize(builder: NetworkBuilder, data: int) -> int:
    _, height, width, channels = builder.shape(data)
    size = builder.tensor((2,), np.array([height * 2, width * 2], np.int32))
    shape = (1, height * 2, width * 2, channels)
    return builder.operator("RESIZE_NEAREST_NEIGHBOR", [data, size], shape, {"align_corners": False})


def branches(builder: NetworkBuilder, data: int) -> int:
    """Two ways that meet again."""
    left = builder.convolution(data, 4)
    right = builder.convolution(builder.convolution(data, 6), 0, 3, 1, depthwise=True)
    if builder.shape(left)[1:3] != builder.shape(right)[1:3]:
        return right
    shape = (*builder.shape(left)[:3], 10)
    return builder.operator("CONCATENATION", [left, right], shape, {"axis": 3, **NONE})


def excite(builder: NetworkBuilder, data: int) -> int:
    """Squeeze and excite: a mean that scales all rows."""
    shape = builder.shape(data)
    return builder.operator("MUL", [data, builder.convolution(mean(builder, data), shape[3])], shape)


def mean(builder: NetworkBuilder, data: int) -> int:
    axes = builder.tensor((2,), np.array([1, 2], np.int32))
    return builder.operator("MEAN", [data, axes], (1, 1, 1, builder.shape(data)[3]), {"keep_dims": True})


Block = Callable[[NetworkBuilder, int], int]
CHAIN: tuple[Block, ...] = (convolution, pointwise, depthwise, bottleneck, bottleneck, table, pool, resize)
ANY: tuple[Block, ...] = (*CHAIN, old_friend, branches, excite)


def random_network(seed: int, blocks: tuple[Block, ...], most_operators: int, side: int = 14) -> Graph:
    """A network of at most so many operators; some end in a global mean, some have several outputs."""
    decide = random.Random(seed)
    for attempt in range(1000):
        sizes = decide.randint(3, side), decide.randint(3, side), decide.choice((1, 3, 4, 8))
        builder = NetworkBuilder(seed * 1000 + attempt, *sizes)
        data, outputs = builder.input, []
        for _ in range(decide.randint(2, max(2, most_operators))):
            if len(builder.operators) >= most_operators:
                break
            data = decide.choice(blocks)(builder, data)
            if decide.random() < 0.05 and data != builder.input:
                outputs.append(data)
        if decide.random() < 0.4:
            data = mean(builder, data)
        largest = max(t.elements for t in builder.tensors.values())
        if 2 <= len(builder.operators) <= most_operators and largest < 1 << 15:
            return builder.finish([*outputs, data])
    raise AssertionError("no network of that size")
