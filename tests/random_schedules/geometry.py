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
from runnel.schedule.rows import SegmentRows, Store
from runnel.schedule.schedule import Schedule, Segment
from runnel.schedule.streams import build_rows

Array = npt.NDArray[Any]


def all_values(graph: Graph, inputs: Sequence[Array]) -> dict[int, Array]:
    """Every computed tensor, layer by layer."""
    values = dict(zip(graph.inputs, inputs, strict=True))
    for operator in graph.operators:
        operands = tuple(None if i is None else _operand(graph, values, i) for i in operator.inputs)
        results = operator_type(operator.kind).reference(graph, operator, operands)
        for index, result in zip(operator.outputs, results, strict=True):
            values[index] = result.reshape(graph.tensor(index).shape)
    return values


def _operand(graph: Graph, values: Mapping[int, Array], index: int) -> Array:
    data = graph.tensor(index).data
    return values[index] if data is None else data.reshape(graph.tensor(index).shape)


def wrong_tensors(schedule: Schedule, values: Mapping[int, Array], noise: np.random.Generator) -> list[str]:
    """Runs every streamed segment on right inputs and names the outputs that came out wrong.

    values: what `all_values` gives.
    """
    wrong = []
    for segment in schedule.segments:
        if segment.streaming is None:
            continue
        rows = build_rows(schedule.graph, segment)
        results = run_alone(schedule.graph, rows, values, noise)
        for index, result in results.items():
            different = int((result != values[index]).sum())
            if different:
                wrong.append(f"{describe(schedule.graph, segment)}: tensor {index}: {different} of {result.size} bytes")
    return wrong


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
        None if i is None else graph.tensor(i).data if graph.tensor(i).is_constant
        else _tensor(plan, memory, i, step).copy().reshape(graph.tensor(i).shape)
        for i in operator.inputs
    )
    results = operator_type(operator.kind).reference(graph, operator, operands)
    for index, result in zip(operator.outputs, results, strict=True):
        _tensor(plan, memory, index, step)[:] = result.reshape(-1)


def _tensor(plan: Plan, memory: Array, index: int, step: int) -> Array:
    start = plan.placed(index, step).offset
    return memory[start : start + plan.schedule.graph.tensor(index).bytes]


def describe(graph: Graph, segment: Segment) -> str:
    operators = ", ".join(f"{o.index} {o.kind} {graph.tensor(o.outputs[0]).shape}" for o in segment.operators)
    return f"{segment.name} [{operators}] {segment.streaming} in {segment.inputs} out {segment.outputs}"


def run_alone(
    graph: Graph, rows: SegmentRows, values: Mapping[int, Array], noise: np.random.Generator
) -> dict[int, Array]:
    """The segment's outputs from its inputs in `values`; all other bytes begin as noise."""
    segment = rows.segment
    offsets, size = _offsets(graph, rows)
    memory = noise.integers(-128, 128, size).astype(np.int8)
    for index in segment.inputs:
        data = values[index].reshape(-1)
        memory[offsets[f"tensor_{index}"] :][: data.size] = data
    image = None
    if segment.streaming is not None and segment.streaming.pulled:
        image = values[graph.inputs[0]]
    run_segment(graph, rows, memory, offsets, image)
    return {
        index: memory[offsets[f"tensor_{index}"] :][: graph.tensor(index).bytes].reshape(graph.tensor(index).shape).copy()
        for index in segment.outputs
    }


def _offsets(graph: Graph, rows: SegmentRows) -> tuple[dict[str, int], int]:
    """A place of its own for every store, but for an output that grows into an input."""
    offsets: dict[str, int] = {}
    end = 0
    for store in rows.stores:
        offsets[store.name] = end
        end += _aligned(store)
    output, grown = rows.segment.outputs[0], rows.segment.streaming.grows_into if rows.segment.streaming else None
    if grown is not None:
        assert rows.distance is not None
        offsets[f"tensor_{output}"] = end
        offsets[f"tensor_{grown}"] = end + rows.distance
        end += -(-max(rows.distance + graph.tensor(grown).bytes, graph.tensor(output).bytes) // 4) * 4
    for index in (*rows.segment.inputs, *rows.segment.outputs):
        if f"tensor_{index}" not in offsets:
            offsets[f"tensor_{index}"] = end
            end += -(-graph.tensor(index).bytes // 4) * 4
    return offsets, end


def _aligned(store: Store) -> int:
    return -(-store.bytes // 4) * 4
