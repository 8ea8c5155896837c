# SPDX-License-Identifier: Apache-2.0
"""Trained net -> float Graph with the batch norms folded into weights and biases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from runnel.graph import Graph, Operator, Tensor
from runnel.train.net import ConvUnit, Net

Weights = npt.NDArray[np.float32]


def fold(unit: ConvUnit) -> tuple[Weights, Weights]:
    """Weights (outputs x inputs / groups x height x width) and bias of a convolution with its batch norm inside."""
    norm = unit.norm
    assert norm.running_var is not None and norm.running_mean is not None
    with torch.no_grad():
        gain = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
        weight = unit.convolution.weight.double() * gain[:, None, None, None]
        bias = norm.bias.double() - norm.running_mean.double() * gain
    return weight.float().numpy(), bias.float().numpy()


class GraphBuilder:
    """Collects float tensors and operators; every method returns the number of the tensor it made."""

    def __init__(self) -> None:
        self.tensors: dict[int, Tensor] = {}
        self.operators: list[Operator] = []

    def tensor(self, name: str, shape: Sequence[int], data: npt.NDArray[Any] | None = None) -> int:
        number = len(self.tensors)
        dtype = "float32" if data is None else data.dtype.name
        self.tensors[number] = Tensor(number, name, tuple(shape), dtype, None, data)
        return number

    def constant(self, name: str, data: npt.NDArray[Any]) -> int:
        return self.tensor(name, data.shape, np.ascontiguousarray(data))

    def operator(
        self, kind: str, name: str, inputs: Sequence[int], shape: Sequence[int], attributes: Mapping[str, Any]
    ) -> int:
        output = self.tensor(name, shape)
        self.operators.append(Operator(len(self.operators), kind, tuple(inputs), (output,), attributes))
        return output

    def convolution(self, name: str, x: int, unit: ConvUnit) -> int:
        """Append a CONV_2D or a DEPTHWISE_CONV_2D with SAME padding."""
        weight, bias = fold(unit)
        depthwise = unit.groups > 1
        # TFLite wants outputs x height x width x inputs, and 1 x height x width x channels for a depthwise
        layout = weight.transpose(1, 2, 3, 0) if depthwise else weight.transpose(0, 2, 3, 1)
        _, height, width, _ = self.tensors[x].shape
        shape = (1, -(-height // unit.stride), -(-width // unit.stride), len(bias))
        attributes = {
            "padding": "SAME",
            "stride_h": unit.stride,
            "stride_w": unit.stride,
            "dilation_h_factor": 1,
            "dilation_w_factor": 1,
            "fused_activation_function": "RELU6" if unit.clamp else "NONE",
        }
        if depthwise:
            attributes["depth_multiplier"] = 1
        kind = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
        inputs = (x, self.constant(f"{name}/weights", layout), self.constant(f"{name}/bias", bias))
        return self.operator(kind, name, inputs, shape, attributes)

    def classifier(self, x: int, weight: Weights, bias: Weights) -> int:
        """Append global average pool, fully connected and softmax."""
        channels, classes = weight.shape[1], weight.shape[0]
        axes = self.constant("pool/axes", np.array([1, 2], np.int32))
        x = self.operator("MEAN", "pool", (x, axes), (1, channels), {"keep_dims": False})
        inputs = (x, self.constant("classify/weights", weight), self.constant("classify/bias", bias))
        attributes = {"fused_activation_function": "NONE", "weights_format": "DEFAULT", "keep_num_dims": False}
        x = self.operator("FULLY_CONNECTED", "classify", inputs, (1, classes), attributes)
        return self.operator("SOFTMAX", "probabilities", (x,), (1, classes), {"beta": 1.0})


def float_graph(net: Net, name: str, metadata: Mapping[str, Any], input_name: str = "image") -> Graph:
    """The net as a float Graph of batch 1 from what the net was trained on to class probabilities."""
    builder = GraphBuilder()
    source = x = builder.tensor(input_name, (1, *net.architecture.input_shape))
    x = builder.convolution("stem", x, net.stem)
    for number, block in enumerate(net.blocks):
        entry, prefix = x, f"block{number}"
        if block.expand is not None:
            x = builder.convolution(f"{prefix}/expand", x, block.expand)
        x = builder.convolution(f"{prefix}/filter", x, block.filter)
        x = builder.convolution(f"{prefix}/project", x, block.project)
        if block.residual:
            attributes = {"fused_activation_function": "NONE", "pot_scale_int16": False}
            x = builder.operator("ADD", f"{prefix}/add", (entry, x), builder.tensors[x].shape, attributes)
    x = builder.convolution("head", x, net.head)
    weight, bias = net.classify.weight.detach().numpy(), net.classify.bias.detach().numpy()
    x = builder.classifier(x, weight, bias)
    return Graph(name, builder.tensors, tuple(builder.operators), (source,), (x,), metadata)
