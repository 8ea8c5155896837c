# SPDX-License-Identifier: Apache-2.0
"""Checks who writes and reads which tensor, and puts the operators in topological order."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

from runnel.errors import ModelError, UnsupportedError
from runnel.graph import Operator, Tensor


def check_edges(source: str, tensors: Mapping[int, Tensor], inputs: Sequence[int], outputs: Sequence[int]) -> None:
    """The model's inputs and outputs: there are some, each once, not constant, batch 1."""
    for what, edge in (("inputs", inputs), ("outputs", outputs)):
        if not edge:
            raise ModelError(f"{source}: the model has no {what}; nothing can be compiled")
        if len(set(edge)) != len(edge):
            raise ModelError(f"{source}: the model lists the same tensor twice among its {what}: {list(edge)}")
    for index in inputs:
        tensor = tensors[index]
        if tensor.is_constant:
            raise ModelError(f"{source}: input '{tensor.name}' holds constant data; an input must not")
        if len(tensor.shape) > 1 and tensor.shape[0] != 1:
            raise UnsupportedError(
                f"{source}: input '{tensor.name}' has shape {list(tensor.shape)}, batch {tensor.shape[0]}; "
                "only batch 1 is supported: convert the model with batch size 1"
            )


def writers(
    source: str, tensors: Mapping[int, Tensor], operators: Sequence[Operator], inputs: Sequence[int]
) -> Mapping[int, Operator]:
    """Tensor -> the one operator that writes it. ModelError for two writers, or one writing an input or constant."""
    found: dict[int, Operator] = {}
    for operator in operators:
        for output in operator.outputs:
            name = tensors[output].name
            if output in inputs:
                raise ModelError(f"{source}: {operator.label} writes '{name}', which is an input of the model")
            if tensors[output].is_constant:
                raise ModelError(f"{source}: {operator.label} writes '{name}', which holds constant data")
            if output in found:
                raise ModelError(f"{source}: '{name}' is written twice, by {found[output].label} and {operator.label}")
            found[output] = operator
    return found


def in_order(
    source: str,
    tensors: Mapping[int, Tensor],
    operators: Sequence[Operator],
    inputs: Sequence[int],
    outputs: Sequence[int],
) -> tuple[Operator, ...]:
    """The operators so that each comes after those it reads from; the file's order where that is possible.

    Raises ModelError for a tensor that is read (or an output) but never written, and for a cycle.
    """
    written_by = writers(source, tensors, operators, inputs)
    readers: dict[int, list[Operator]] = {}
    waiting: dict[int, int] = {}
    for operator in operators:
        producers = set()
        for index in operator.inputs:
            if index is None or tensors[index].is_constant or index in inputs:
                continue
            if index not in written_by:
                raise ModelError(
                    f"{source}: {operator.label} reads '{tensors[index].name}', which nothing writes: "
                    "no operator, no input, no constant data"
                )
            producers.add(written_by[index].index)
        waiting[operator.index] = len(producers)
        for producer in producers:
            readers.setdefault(producer, []).append(operator)
    _check_outputs(source, tensors, written_by, outputs)
    return _sorted(source, {operator.index: operator for operator in operators}, readers, waiting)


def _check_outputs(
    source: str, tensors: Mapping[int, Tensor], written_by: Mapping[int, Operator], outputs: Sequence[int]
) -> None:
    for index in outputs:
        if index not in written_by:
            raise ModelError(f"{source}: output '{tensors[index].name}' of the model is not computed by any operator")


def _sorted(
    source: str, operators: Mapping[int, Operator], readers: Mapping[int, list[Operator]], waiting: dict[int, int]
) -> tuple[Operator, ...]:
    ready = [index for index, count in waiting.items() if count == 0]
    heapq.heapify(ready)
    result: list[Operator] = []
    while ready:
        operator = operators[heapq.heappop(ready)]
        result.append(operator)
        for reader in readers.get(operator.index, ()):
            waiting[reader.index] -= 1
            if waiting[reader.index] == 0:
                heapq.heappush(ready, reader.index)
    if len(result) != len(operators):
        stuck = next(operators[index] for index, count in waiting.items() if count > 0)
        raise ModelError(f"{source}: the operators form a cycle: {stuck.label} waits for its own result")
    return tuple(result)
