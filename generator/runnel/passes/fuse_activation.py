# SPDX-License-Identifier: Apache-2.0
"""Fuses RELU, RELU6 and RELU_N1_TO_1 into the operator before them where both only clamp.

With equal scale and zero point before and after, TensorFlow Lite Micro's RELU multiplies by exactly 1 and clamps to
the bounds that the fused form has; its RELU6 never rescales. Source: tensorflow/lite/micro/kernels/activations*.cc.
"""

from __future__ import annotations

from runnel.graph import Graph, Operator
from runnel.passes.rewrite import readers_of, same_values, with_operators, writer_of

_ACTIVATIONS = ("RELU", "RELU6", "RELU_N1_TO_1")
_PRODUCERS = (
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "FULLY_CONNECTED",
    "ADD",
    "SUB",
    "MUL",
    "AVERAGE_POOL_2D",
    "MAX_POOL_2D",
)


def run(graph: Graph) -> Graph:
    readers, writers = readers_of(graph), writer_of(graph)
    fused: dict[int, Operator] = {}  # by the tensor between producer and activation
    for operator in graph.operators:
        if operator.kind in _ACTIVATIONS:
            between = operator.inputs[0]
            producer = None if between is None else writers.get(between)
            if producer is not None and _is_exact(graph, producer, operator) and len(readers[producer.outputs[0]]) == 1:
                fused[producer.outputs[0]] = operator
    removed = {id(operator) for operator in fused.values()}
    kept = [_fused(operator, fused) for operator in graph.operators if id(operator) not in removed]
    return with_operators(graph, kept)


def _is_exact(graph: Graph, producer: Operator, activation: Operator) -> bool:
    before, after = graph.tensors[producer.outputs[0]], graph.tensors[activation.outputs[0]]
    return (
        producer.kind in _PRODUCERS
        and producer.attributes.get("fused_activation_function") == "NONE"
        and before.index not in graph.outputs
        and before.type == after.type == "int8"
        and before.shape == after.shape
        and before.quantization is not None
        and same_values(before.quantization, after.quantization)
    )


def _fused(operator: Operator, fused: dict[int, Operator]) -> Operator:
    activation = fused.get(operator.outputs[0])
    if activation is None:
        return operator
    attributes = {**operator.attributes, "fused_activation_function": activation.kind}
    return operator.replace(attributes=attributes, outputs=activation.outputs)
