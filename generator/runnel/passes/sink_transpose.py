# SPDX-License-Identifier: Apache-2.0
"""Removes TRANSPOSE: one that moves nothing becomes RESHAPE, one before a MEAN moves behind it until it moves nothing.

PyTorch models reach TFLite with a global average pool in NCHW order: TRANSPOSE, MEAN over width, MEAN over height.
The MEAN of the untransposed tensor over the matching axes sums the same numbers, so the result is equal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from runnel.graph import Graph, Operator, Tensor
from runnel.passes.rewrite import integer_constant, readers_of, unused_index, with_operators

_Order = tuple[int, ...]
"""Of a transposition: dimension j of its result is dimension order[j] of its source."""


@dataclass(frozen=True)
class _Transposed:
    """A tensor that is not computed any more, because all its readers can read `source` instead."""

    source: Tensor
    order: _Order
    operator: Operator


@dataclass(frozen=True)
class _State:
    graph: Graph
    readers: Mapping[int, tuple[Operator, ...]]
    first: int
    waiting: dict[int, _Transposed] = field(default_factory=dict)
    made: list[Tensor] = field(default_factory=list)

    def new_tensor(self, name: str, like: Tensor, shape: tuple[int, ...]) -> Tensor:
        """A computed tensor with type and quantization of `like`."""
        index = self.first + len(self.made)
        self.made.append(Tensor(index, f"{name}_{index}", shape, like.type, like.quantization))
        return self.made[-1]

    def new_constant(self, name: str, values: tuple[int, ...]) -> Tensor:
        index = self.first + len(self.made)
        data = np.asarray(values, dtype=np.int32)
        self.made.append(Tensor(index, f"{name}_{index}", data.shape, "int32", None, data))
        return self.made[-1]


def run(graph: Graph) -> Graph:
    """One walk along the graph: a TRANSPOSE waits at its result until an operator needs it in that order."""
    state = _State(graph, readers_of(graph), unused_index(graph))
    operators = [new for operator in graph.operators for new in _rewritten(state, operator)]
    return with_operators(graph, operators, *state.made)


def _rewritten(state: _State, operator: Operator) -> Iterator[Operator]:
    if operator.kind == "MEAN" and operator.inputs[0] in state.waiting:
        yield from _mean_of_source(state, operator, state.waiting[operator.inputs[0]])
        return
    order = _order(state.graph, operator)
    if order is None:
        yield operator
    else:
        source = state.graph.tensor(operator.inputs[0])
        yield from _transposed(state, operator.outputs[0], _Transposed(source, order, operator))


def _order(graph: Graph, operator: Operator) -> _Order | None:
    """The order of a consistent TRANSPOSE of a computed tensor; None for anything else."""
    if operator.kind != "TRANSPOSE" or len(operator.inputs) != 2 or None in operator.inputs:
        return None
    data, output = graph.tensor(operator.inputs[0]), graph.tensors[operator.outputs[0]]
    order = integer_constant(graph.tensor(operator.inputs[1]))
    if order is None or sorted(order) != list(range(len(data.shape))) or data.is_constant:
        return None
    consistent = output.shape == tuple(data.shape[i] for i in order) and output.type == data.type
    return order if consistent else None


def _axes(graph: Graph, operator: Operator, rank: int) -> tuple[int, ...] | None:
    """The axes of a consistent MEAN over a tensor of `rank` dimensions; None for anything else."""
    if operator.kind != "MEAN" or len(operator.inputs) != 2 or None in operator.inputs:
        return None
    axes = integer_constant(graph.tensor(operator.inputs[1]))
    if axes is None or not all(-rank <= axis < rank for axis in axes):
        return None
    return tuple(sorted({axis % rank for axis in axes}))


def _transposed(state: _State, result: int, value: _Transposed) -> Iterator[Operator]:
    """What computes tensor `result` as the transposition `value`: nothing, if all its readers are MEANs."""
    graph, rank = state.graph, len(value.order)
    readers = state.readers.get(result, ())
    if readers and result not in graph.outputs and all(_axes(graph, each, rank) is not None for each in readers):
        state.waiting[result] = value
        return
    source, shape = value.source, graph.tensors[result].shape
    moved = [i for i in value.order if source.shape[i] != 1]
    if moved == sorted(moved):
        options = {"new_shape": shape}
        yield Operator(value.operator.index, "RESHAPE", (source.index,), (result,), options)
    elif value.operator.outputs == (result,):
        yield value.operator
    else:
        order = state.new_constant("order", value.order)
        yield value.operator.replace(inputs=(source.index, order.index), outputs=(result,))


def _mean_of_source(state: _State, mean: Operator, data: _Transposed) -> Iterator[Operator]:
    """MEAN of the tensor that was to be transposed, then the transposition of the result where it changes anything."""
    result = state.graph.tensors[mean.outputs[0]]
    axes = _axes(state.graph, mean, len(data.order))
    assert axes is not None, "checked before the tensor was put to wait"
    keep_dims = bool(mean.attributes.get("keep_dims", False))
    source_axes = tuple(sorted(data.order[axis] for axis in axes))
    order = _order_after(data.order, axes, keep_dims)
    axes_tensor = state.new_constant("axes", source_axes)
    inputs = (data.source.index, axes_tensor.index)
    if order == tuple(range(len(order))):
        yield mean.replace(inputs=inputs)
        return
    shape = _reduced(data.source.shape, source_axes, keep_dims)
    inner = state.new_tensor(f"{result.name}_before_transpose", result, shape)
    yield mean.replace(inputs=inputs, outputs=(inner.index,))
    yield from _transposed(state, result.index, _Transposed(inner, order, data.operator))


def _reduced(shape: tuple[int, ...], axes: tuple[int, ...], keep_dims: bool) -> tuple[int, ...]:
    if keep_dims:
        return tuple(1 if i in axes else size for i, size in enumerate(shape))
    return tuple(size for i, size in enumerate(shape) if i not in axes)


def _order_after(order: _Order, axes: tuple[int, ...], keep_dims: bool) -> _Order:
    """The transposition that remains behind the MEAN over `axes` of the transposed tensor."""
    if keep_dims:
        return order
    left = [source for axis, source in enumerate(order) if axis not in axes]
    rank = {source: position for position, source in enumerate(sorted(left))}
    return tuple(rank[source] for source in left)
