# SPDX-License-Identifier: Apache-2.0
"""Computes a graph in numpy, operator by operator, from the operators' own references.

It gives the self-test its expected output without any interpreter or compiler, and checks generated code on
computers for which there is no TensorFlow Lite Micro wheel.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from runnel.graph import Graph
from runnel.operators import operator_type
from runnel.schedule.schedule import Segment

SELFTEST_SEED = 0x52756E6C
"""RUNNEL_SELFTEST_SEED in runnel/selftest.h."""


def evaluate(
    graph: Graph, inputs: Sequence[npt.NDArray[Any]], visit: Callable[[npt.NDArray[Any]], None] | None = None
) -> list[npt.NDArray[Any]]:
    """The graph's outputs for one array per graph input, shapes and types as the graph's tensors.

    visit: gets every operator's results in order.
    """
    values: dict[int, npt.NDArray[Any]] = {}
    for index, array in zip(graph.inputs, inputs, strict=True):
        values[index] = array.reshape(graph.tensor(index).shape)
    last_reader = {index: step for step, o in enumerate(graph.operators) for index in o.inputs if index is not None}
    for step, operator in enumerate(graph.operators):
        operands = tuple(None if i is None else _operand(graph, values, i) for i in operator.inputs)
        results = operator_type(operator.kind).reference(graph, operator, operands)
        for index, result in zip(operator.outputs, results, strict=True):
            values[index] = result.reshape(graph.tensor(index).shape)
            if visit is not None:
                visit(values[index])
        for read in operator.inputs:
            if read is not None and last_reader[read] == step and read not in graph.outputs:
                values.pop(read, None)
    return [values[index] for index in graph.outputs]


def _operand(graph: Graph, values: dict[int, npt.NDArray[Any]], index: int) -> npt.NDArray[Any]:
    data = graph.tensor(index).data
    return values[index] if data is None else data.reshape(graph.tensor(index).shape)


def selftest_inputs(graph: Graph) -> list[npt.NDArray[Any]]:
    """What runnel_selftest_fill_* in runnel/selftest.h writes into the inputs, in the model's order."""
    state = SELFTEST_SEED
    arrays = []
    for index in graph.inputs:
        tensor = graph.tensor(index)
        tops = np.empty(tensor.elements, dtype=np.int64)
        for i in range(tensor.elements):
            state ^= (state << 13) & 0xFFFFFFFF
            state ^= state >> 17
            state ^= (state << 5) & 0xFFFFFFFF
            tops[i] = state >> 24
        if tensor.type == "float32":
            values = (tops - 128).astype(np.float32) * np.float32(0.0078125)
        else:
            values = (tops if tensor.type == "uint8" else tops - 128).astype(tensor.type)
        arrays.append(values.reshape(tensor.shape))
    return arrays


def selftest_crc(graph: Graph, segments: Sequence[Segment] | None = None) -> int:
    """CRC-32 of what every segment leaves (every operator, where no segments are given), then of the outputs.

    For the self-test's input; <model>_selftest() compares with it. The outputs alone would say little: a softmax of
    noise is often 0 or 1 whatever a single weight is.
    """
    arrays: list[npt.NDArray[Any]] = []
    outputs = evaluate(graph, selftest_inputs(graph), arrays.append)
    values = dict(zip((tensor for operator in graph.operators for tensor in operator.outputs), arrays, strict=True))
    left = values if segments is None else [tensor for segment in segments for tensor in segment.outputs]
    crc = 0
    for array in (*(values[tensor] for tensor in left), *outputs):
        crc = zlib.crc32(np.ascontiguousarray(array).tobytes(), crc)
    return crc
