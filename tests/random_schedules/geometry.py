# SPDX-License-Identifier: Apache-2.0
"""Runs a whole schedule in numpy: streamed segments row by row, the others operator by operator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from random_schedules.row_executor import run_segment
from runnel.graph import Graph
from runnel.operators import operator_type
from runnel.plan.plan import Plan, PlannedSegment
from runnel.reference import evaluate

Array = npt.NDArray[Any]


def layer_values(graph: Graph, inputs: Sequence[Array]) -> dict[int, Array]:
    """Every tensor that is computed, layer by layer."""
    values = dict(zip(graph.inputs, inputs, strict=True))
    results: list[Array] = []
    evaluate(graph, inputs, results.append)
    values.update(zip((index for operator in graph.operators for index in operator.outputs), results, strict=True))
    return values


def wrong_tensors(plan: Plan, values: Mapping[int, Array], noise: np.random.Generator) -> list[int]:
    """Runs the plan with all buffers where it has them; all other bytes, scratch above all, are noise.

    values: what `layer_values` gives. Returns the tensors that differ, each output of a segment straight after it and
    the graph's outputs at the end.
    """
    graph = plan.schedule.graph
    inputs = [values[index] for index in graph.inputs]
    wrong = []
    memory = noise.integers(-128, 128, plan.arena_bytes).astype(np.int8)
    for index, array in zip(graph.inputs, inputs, strict=True):
        if plan.schedule.input_passes == 0:
            _tensor(plan, memory, index, -1)[:] = array.reshape(-1)
    for step, planned in enumerate(plan.segments):
        for move in plan.layout.moves:
            if move.step == step:
                source, destination = plan.store(move.source), plan.store(move.destination)
                held = memory[source.offset : source.offset + source.buffer.bytes].copy()
                memory[destination.offset : destination.offset + held.size] = held
        scratch = _scratch(plan, planned, memory)

        def spoil(scratch: Array = scratch) -> None:
            scratch[:] = noise.integers(-128, 128, scratch.size)

        if planned.rows is not None:
            stores = {store.name: plan.store(store.name).offset for store in planned.rows.stores}
            tensors = (*planned.segment.inputs, *planned.segment.outputs)
            whole = {f"tensor_{i}": plan.placed(i, step).offset for i in tensors}
            run_segment(graph, planned.rows, memory, stores | whole, inputs[0], spoil)
        else:
            spoil()
            _run_operator(plan, planned, memory, step)
        spoil()
        wrong += _differing(plan, memory, planned.segment.outputs, step, values)
    return wrong + _differing(plan, memory, graph.outputs, len(plan.segments), values)


def _differing(plan: Plan, memory: Array, tensors: Sequence[int], step: int, values: Mapping[int, Array]) -> list[int]:
    return [i for i in tensors if not np.array_equal(_tensor(plan, memory, i, step), values[i].reshape(-1))]


def _scratch(plan: Plan, planned: PlannedSegment, memory: Array) -> Array:
    if planned.scratch is None:
        return memory[:0]
    placed = plan.store(planned.scratch)
    return memory[placed.offset : placed.offset + placed.buffer.bytes]


def _run_operator(plan: Plan, planned: PlannedSegment, memory: Array, step: int) -> None:
    """One operator on whole tensors; an alias finds its output's bytes where they are."""
    graph = plan.schedule.graph
    (operator,) = planned.segment.operators
    operands = tuple(
        None
        if i is None
        else graph.tensor(i).data
        if graph.tensor(i).is_constant
        else _tensor(plan, memory, i, step).copy().reshape(graph.tensor(i).shape)
        for i in operator.inputs
    )
    results = operator_type(operator.kind).reference(graph, operator, operands)
    for index, result in zip(operator.outputs, results, strict=True):
        _tensor(plan, memory, index, step)[:] = result.reshape(-1)


def _tensor(plan: Plan, memory: Array, index: int, step: int) -> Array:
    start = plan.placed(index, step).offset
    return memory[start : start + plan.schedule.graph.tensor(index).bytes]
