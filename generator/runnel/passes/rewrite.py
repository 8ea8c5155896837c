# SPDX-License-Identifier: Apache-2.0
"""What the passes share: who reads what, replacing operators, dropping tensors that nothing uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runnel.graph import Graph, Operator, Quantization, Tensor


def readers_of(graph: Graph) -> Mapping[int, tuple[Operator, ...]]:
    """Tensor -> the operators that read it, each once, in order."""
    found: dict[int, list[Operator]] = {}
    for operator in graph.operators:
        for index in {i for i in operator.inputs if i is not None}:
            found.setdefault(index, []).append(operator)
    return {index: tuple(operators) for index, operators in found.items()}


def writer_of(graph: Graph) -> Mapping[int, Operator]:
    """Tensor -> the operator that writes it."""
    return {output: operator for operator in graph.operators for output in operator.outputs}


def with_operators(graph: Graph, operators: Sequence[Operator], *new_tensors: Tensor) -> Graph:
    """`graph` with these operators, and with the tensors that they, the inputs or the outputs use."""
    tensors = {**graph.tensors, **{tensor.index: tensor for tensor in new_tensors}}
    used = {i for operator in operators for i in (*operator.inputs, *operator.outputs) if i is not None}
    used |= {*graph.inputs, *graph.outputs}
    return graph.replace(operators=tuple(operators), tensors={i: tensors[i] for i in sorted(used)})


def unused_index(graph: Graph) -> int:
    """A number that no tensor of `graph` has."""
    return max(graph.tensors, default=-1) + 1


def replaced_input(operator: Operator, old: int, new: int) -> Operator:
    return operator.replace(inputs=tuple(new if i == old else i for i in operator.inputs))


def same_values(first: Quantization | None, second: Quantization | None) -> bool:
    """Whether equal stored numbers mean equal real numbers under both."""
    if first is None or second is None:
        return first is second
    return (first.scales, first.zero_points) == (second.scales, second.zero_points)


def integer_constant(tensor: Tensor | None) -> tuple[int, ...] | None:
    """The values of a constant int32 or int64 tensor, flattened; None for anything else."""
    if tensor is None or tensor.data is None or tensor.type not in ("int32", "int64"):
        return None
    return tuple(int(value) for value in tensor.data.reshape(-1))
