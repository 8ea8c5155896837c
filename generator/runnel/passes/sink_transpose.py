# SPDX-License-Identifier: Apache-2.0
"""Removes TRANSPOSE: one that moves nothing becomes RESHAPE, one before a MEAN moves behind it until it moves nothing.

PyTorch models reach TFLite with a global average pool in NCHW order: TRANSPOSE, MEAN over width, MEAN over height.
The MEAN of the untransposed tensor over the matching axes sums the same numbers, so the result is equal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from runnel.graph import Graph, Operator, Tensor
from runnel.passes.rewrite import integer_constant, readers_of, unused_index, with_operators


def run(graph: Graph) -> Graph:
    """Each TRANSPOSE moves at most past the operators behind it, so this ends."""
    graph = _as_reshapes(graph)
    while (moved := _one_moved(graph)) is not None:
        graph = _as_reshapes(moved)
    return graph


def _permutation(graph: Graph, operator: Operator) -> tuple[int, ...] | None:
    """Of a consistent TRANSPOSE: output dimension j is input dimension permutation[j]."""
    if operator.kind != "TRANSPOSE" or len(operator.inputs) != 2 or None in operator.inputs:
        return None
    data, output = graph.tensor(operator.inputs[0]), graph.tensors[operator.outputs[0]]
    permutation = integer_constant(graph.tensor(operator.inputs[1]))
    if permutation is None or sorted(permutation) != list(range(len(data.shape))):
        return None
    consistent = output.shape == tuple(data.shape[i] for i in permutation) and output.type == data.type
    return permutation if consistent and not data.is_constant else None


def _moves_nothing(permutation: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether the order in memory stays: dimensions of size 1 may be anywhere."""
    real = [i for i in permutation if shape[i] != 1]
    return real == sorted(real)


def _as_reshapes(graph: Graph) -> Graph:
    return with_operators(graph, [_reshape(graph, operator) for operator in graph.operators])


def _reshape(graph: Graph, operator: Operator) -> Operator:
    permutation = _permutation(graph, operator)
    if permutation is None or not _moves_nothing(permutation, graph.tensor(operator.inputs[0]).shape):
        return operator
    shape = graph.tensors[operator.outputs[0]].shape
    return operator.replace(kind="RESHAPE", inputs=operator.inputs[:1], attributes={"new_shape": shape})


def _one_moved(graph: Graph) -> Graph | None:
    """The graph with one TRANSPOSE moved behind the MEANs that read it; None where there is none to move."""
    readers = readers_of(graph)
    for operator in graph.operators:
        permutation = _permutation(graph, operator)
        output = operator.outputs[0]
        found = readers.get(output, ())
        if permutation is None or output in graph.outputs or not found:
            continue
        means = [_mean(graph, reader, len(permutation)) for reader in found]
        if all(mean is not None for mean in means):
            return _moved(graph, operator, permutation, [mean for mean in means if mean is not None])
    return None


@dataclass(frozen=True)
class _Mean:
    operator: Operator
    axes: tuple[int, ...]
    keep_dims: bool


def _mean(graph: Graph, operator: Operator, rank: int) -> _Mean | None:
    if operator.kind != "MEAN" or len(operator.inputs) != 2 or None in operator.inputs:
        return None
    axes = integer_constant(graph.tensor(operator.inputs[1]))
    if axes is None or not all(-rank <= axis < rank for axis in axes):
        return None
    keep_dims = bool(operator.attributes.get("keep_dims", False))
    return _Mean(operator, tuple(sorted({axis % rank for axis in axes})), keep_dims)


def _moved(graph: Graph, transpose: Operator, permutation: tuple[int, ...], means: list[_Mean]) -> Graph:
    data = graph.tensor(transpose.inputs[0])
    replacements: dict[int, tuple[Operator, ...]] = {}
    made: list[Tensor] = []
    for mean in means:
        new_operators, new_tensors = _mean_first(graph, transpose, data, permutation, mean, len(made))
        replacements[id(mean.operator)] = new_operators
        made.extend(new_tensors)
    operators: list[Operator] = []
    for operator in graph.operators:
        if operator is not transpose:
            operators.extend(replacements.get(id(operator), (operator,)))
    return with_operators(graph, operators, *made)


def _mean_first(
    graph: Graph, transpose: Operator, data: Tensor, permutation: tuple[int, ...], mean: _Mean, taken: int
) -> tuple[tuple[Operator, ...], tuple[Tensor, ...]]:
    """MEAN of the untransposed tensor, then a TRANSPOSE of its result where the order still differs."""
    first = unused_index(graph) + taken
    result = graph.tensors[mean.operator.outputs[0]]
    axes = np.asarray(sorted(permutation[axis] for axis in mean.axes), dtype=np.int32)
    axes_tensor = Tensor(first, f"{result.name}_axes_{first}", axes.shape, "int32", None, axes)
    averaged = _reduced(data.shape, set(axes.tolist()), mean.keep_dims)
    order = _order_after(permutation, mean)
    if order == tuple(range(len(order))):
        operator = mean.operator.replace(inputs=(data.index, first))
        return (operator,), (axes_tensor,)
    inner = Tensor(first + 1, f"{result.name}_before_transpose_{first}", averaged, result.type, result.quantization)
    values = np.asarray(order, dtype=np.int32)
    order_tensor = Tensor(first + 2, f"{result.name}_order_{first}", values.shape, "int32", None, values)
    operators = (
        mean.operator.replace(inputs=(data.index, first), outputs=(inner.index,)),
        transpose.replace(inputs=(inner.index, order_tensor.index), outputs=mean.operator.outputs),
    )
    return operators, (axes_tensor, inner, order_tensor)


def _reduced(shape: tuple[int, ...], axes: set[int], keep_dims: bool) -> tuple[int, ...]:
    if keep_dims:
        return tuple(1 if i in axes else size for i, size in enumerate(shape))
    return tuple(size for i, size in enumerate(shape) if i not in axes)


def _order_after(permutation: tuple[int, ...], mean: _Mean) -> tuple[int, ...]:
    """The permutation that remains behind the MEAN."""
    if mean.keep_dims:
        return permutation
    left = [source for axis, source in enumerate(permutation) if axis not in mean.axes]
    rank = {source: position for position, source in enumerate(sorted(left))}
    return tuple(rank[source] for source in left)
