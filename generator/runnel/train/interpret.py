# SPDX-License-Identifier: Apache-2.0
"""Runs a float Graph with PyTorch on batches of inputs: what calibration measures, and a check of the export."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch.nn import functional

from runnel.errors import UnsupportedError
from runnel.graph import Graph, Operator
from runnel.train.data import Floats
from runnel.train.net import same_padding

Values = dict[int, torch.Tensor]


def _convolution(operator: Operator, values: Values) -> torch.Tensor:
    x, weight, bias = (values[i] for i in operator.inputs if i is not None)
    depthwise = operator.kind == "DEPTHWISE_CONV_2D"
    weight = weight.permute(3, 0, 1, 2) if depthwise else weight.permute(0, 3, 1, 2)
    stride = operator.attributes["stride_h"]
    top, bottom = same_padding(x.shape[1], weight.shape[2], stride)
    left, right = same_padding(x.shape[2], weight.shape[3], stride)
    padded = functional.pad(x.permute(0, 3, 1, 2), (left, right, top, bottom))
    y = functional.conv2d(padded, weight, bias, stride, groups=x.shape[3] if depthwise else 1)
    if operator.attributes["fused_activation_function"] == "RELU6":
        y = functional.relu6(y)
    return y.permute(0, 2, 3, 1)


def _add(operator: Operator, values: Values) -> torch.Tensor:
    first, second = (values[i] for i in operator.inputs if i is not None)
    return first + second


def _mean(operator: Operator, values: Values) -> torch.Tensor:
    x, axes = (values[i] for i in operator.inputs if i is not None)
    return x.mean([int(axis) for axis in axes], keepdim=bool(operator.attributes["keep_dims"]))


def _fully_connected(operator: Operator, values: Values) -> torch.Tensor:
    x, weight, bias = (values[i] for i in operator.inputs if i is not None)
    return functional.linear(x, weight, bias)


def _softmax(operator: Operator, values: Values) -> torch.Tensor:
    (x,) = (values[i] for i in operator.inputs if i is not None)
    return functional.softmax(operator.attributes["beta"] * x, dim=-1)


_RULES: Mapping[str, Callable[[Operator, Values], torch.Tensor]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _convolution,
    "ADD": _add,
    "MEAN": _mean,
    "FULLY_CONNECTED": _fully_connected,
    "SOFTMAX": _softmax,
}


@torch.no_grad()
def interpret(graph: Graph, inputs: Floats, watch: Callable[[int, torch.Tensor], None] | None = None) -> Floats:
    """Compute the only output of a float graph for a batch (n x height x width x channels).

    `watch` is called with every activation's number and value, the input's too.
    Raises UnsupportedError for an operator that training does not use.
    """
    constants = {i: torch.from_numpy(np.array(t.data)) for i, t in graph.tensors.items() if t.data is not None}
    values: Values = {**constants, graph.inputs[0]: torch.from_numpy(inputs)}
    if watch is not None:
        watch(graph.inputs[0], values[graph.inputs[0]])
    for operator in graph.operators:
        rule = _RULES.get(operator.kind)
        if rule is None:
            raise UnsupportedError(f"{operator.label}: training knows no float {operator.kind}")
        values[operator.outputs[0]] = rule(operator, values)
        if watch is not None:
            watch(operator.outputs[0], values[operator.outputs[0]])
    result: Floats = values[graph.outputs[0]].numpy()
    return result
