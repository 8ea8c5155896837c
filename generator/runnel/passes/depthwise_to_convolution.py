# SPDX-License-Identifier: Apache-2.0
"""DEPTHWISE_CONV_2D over one input channel is a CONV_2D: each output channel sees that channel.

Both use the same multipliers per output channel, with per-tensor scales broadcast alike
(PopulateConvolutionQuantizationParams in kernels/kernel_util.cc), and the sums have the same terms, so the results are
equal bit for bit.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from runnel.graph import Graph, Operator, Tensor
from runnel.passes.rewrite import unused_index, with_operators


def run(graph: Graph) -> Graph:
    operators: list[Operator] = []
    made: list[Tensor] = []
    for operator in graph.operators:
        weights = _convolution_weights(graph, operator, unused_index(graph) + len(made))
        if weights is not None:
            made.append(weights)
            operator = _convolution(operator, weights)
        operators.append(operator)
    return with_operators(graph, operators, *made)


def _convolution_weights(graph: Graph, operator: Operator, index: int) -> Tensor | None:
    """The weights as [out, kh, kw, 1]; None where the operator is not one that can be turned."""
    if operator.kind != "DEPTHWISE_CONV_2D":
        return None
    data, weights = graph.tensor(operator.inputs[0]), graph.tensor(operator.inputs[1])
    output = graph.tensors[operator.outputs[0]]
    if not len(data.shape) == len(weights.shape) == len(output.shape) == 4 or weights.data is None:
        return None
    if data.shape[3] != 1 or weights.shape[0] != 1 or weights.shape[3] != output.shape[3]:
        return None
    quantization = weights.quantization
    if quantization is None or (quantization.per_channel and quantization.axis != 3):
        return None
    return Tensor(
        index=index,
        name=f"{weights.name}_as_convolution",
        shape=(weights.shape[3], weights.shape[1], weights.shape[2], 1),
        type=weights.type,
        quantization=replace(quantization, axis=0),
        data=np.ascontiguousarray(weights.data.transpose(3, 1, 2, 0)),
    )


def _convolution(operator: Operator, weights: Tensor) -> Operator:
    attributes = {name: value for name, value in operator.attributes.items() if name != "depth_multiplier"}
    inputs = (operator.inputs[0], weights.index, *operator.inputs[2:])
    return operator.replace(kind="CONV_2D", inputs=inputs, attributes=attributes)
