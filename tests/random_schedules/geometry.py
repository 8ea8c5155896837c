# SPDX-License-Identifier: Apache-2.0
"""Runs a whole schedule in numpy: streamed segments row by row, the others operator by operator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from random_schedules.row_executor import run_segment
from runnel.operators import operator_type
from runnel.plan.plan import Plan, PlannedSegment

Array = npt.NDArray[Any]


def run_plan(plan: Plan, inputs: Sequence[Array], noise: np.random.Generator) -> list[Array]:
    """The graph's outputs, with all buffers where the plan has them. All other bytes, scratch above all, are noise."""
    graph = plan.schedule.graph
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
    last = len(plan.segments)
    return [_tensor(plan, memory, i, last).copy().reshape(graph.tensor(i).shape) for i in graph.outputs]


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
