# SPDX-License-Identifier: Apache-2.0
"""Makes int8 the type of the model's edges: drops QUANTIZE at inputs and DEQUANTIZE or QUANTIZE at outputs.

float32 edges become int8 with the quantization that the operator had; uint8 edges only where the operator is exactly
an offset of 128, so that nothing is lost. The caller converts with the edge tensor's scale and zero point.
"""

from __future__ import annotations

from dataclasses import replace

from runnel.graph import Graph, Operator, Tensor
from runnel.passes.rewrite import readers_of, with_operators, writer_of


def run(graph: Graph) -> Graph:
    """The graph with int8 edges where that loses nothing. Edges keep their names and order."""
    return _outputs(_inputs(graph))


def _inputs(graph: Graph) -> Graph:
    readers = readers_of(graph)
    for position, index in enumerate(graph.inputs):
        found = readers.get(index, ())
        if len(found) != 1 or index in graph.outputs or not _is_edge_conversion(found[0]):
            continue
        edge, inner = graph.tensors[index], graph.tensors[found[0].outputs[0]]
        if found[0].kind != "QUANTIZE" or inner.index in graph.outputs or not _is_lossless(edge, inner):
            continue
        inputs = (*graph.inputs[:position], inner.index, *graph.inputs[position + 1 :])
        graph = _without(graph.replace(inputs=inputs), found[0], replace(inner, name=edge.name))
    return graph


def _outputs(graph: Graph) -> Graph:
    readers, writers = readers_of(graph), writer_of(graph)
    for position, index in enumerate(graph.outputs):
        operator = writers.get(index)
        if operator is None or readers.get(index) or not _is_edge_conversion(operator):
            continue
        edge, inner = graph.tensors[index], graph.tensor(operator.inputs[0])
        already_edge = inner.is_constant or inner.index in graph.inputs or inner.index in graph.outputs
        if already_edge or not _is_lossless(edge, inner):
            continue
        outputs = (*graph.outputs[:position], inner.index, *graph.outputs[position + 1 :])
        graph = _without(graph.replace(outputs=outputs), operator, replace(inner, name=edge.name))
    return graph


def _is_edge_conversion(operator: Operator) -> bool:
    return operator.kind in ("QUANTIZE", "DEQUANTIZE") and len(operator.inputs) == 1 and None not in operator.inputs


def _is_lossless(edge: Tensor, inner: Tensor) -> bool:
    """Whether int8 at the edge can stand for `edge`: any real value that matters has its int8 number."""
    if inner.type != "int8" or inner.quantization is None or inner.quantization.per_channel:
        return False
    if edge.shape != inner.shape:
        return False  # the operator contradicts itself: leave it for the check
    if edge.type == "float32":
        return True
    if edge.type != "uint8" or edge.quantization is None or edge.quantization.per_channel:
        return False
    offset = edge.quantization.zero_point - inner.quantization.zero_point
    return offset == 128 and edge.quantization.scale == inner.quantization.scale


def _without(graph: Graph, operator: Operator, renamed: Tensor) -> Graph:
    return with_operators(graph, [other for other in graph.operators if other is not operator], renamed)
