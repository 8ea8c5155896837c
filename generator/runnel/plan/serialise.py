# SPDX-License-Identifier: Apache-2.0
"""plan.json: a plan as text that people read, scripts compare and `--plan` replays (plan/replay.py).

Keys are sorted and nothing depends on time or machine, so equal plans give equal text. All sizes are bytes.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import Any, Final

import runnel
from runnel.errors import RunnelError
from runnel.graph import Graph
from runnel.operators.base import KernelCall
from runnel.plan.lower_bound import live_bytes
from runnel.plan.plan import PlacedBuffer, Plan, PlannedSegment
from runnel.plan.planner import operator_macs
from runnel.schedule.rows import Step, Store

API_VERSION: Final = 2
"""RUNNEL_API_VERSION of runnel.h: the C API that the emitted code has."""

FORMAT: Final = "runnel-plan-2"
"""Changes when a reader of the old text would misunderstand the new."""


class PlanFileError(RunnelError):
    """A plan file is damaged, of another format, or of another model, board or version."""


def plan_to_json(plan: Plan) -> str:
    """The whole plan except the constants' values, as indented JSON with sorted keys and a final newline."""
    text = json.dumps(plan_record(plan), indent=2, sort_keys=True) + "\n"
    # One line for a list of numbers or names: a raw line break cannot be inside a JSON string.
    return re.sub(
        r"\[\n[^\[\]{}]*?\]", lambda found: re.sub(r"\n\s*", " ", found[0]).replace("[ ", "[").replace(" ]", "]"), text
    )


def plan_record(plan: Plan) -> dict[str, Any]:
    """The content of plan.json."""
    graph = plan.schedule.graph
    buffers = [placed.buffer for placed in plan.layout.buffers]
    return {
        "format": FORMAT,
        "runnel_version": runnel.__version__,
        "api_version": API_VERSION,
        "name": plan.name,
        "board": plan.board,
        "objective": plan.schedule.objective,
        "predicted_bytes": plan.schedule.predicted_bytes,
        "input_passes": plan.schedule.input_passes,
        "arena_bytes": plan.arena_bytes,
        "arena_lower_bound_bytes": plan.arena_lower_bound_bytes,
        "arena_optimal": plan.layout.optimal,
        "constants_bytes": plan.constants_bytes,
        "macs": plan.macs,
        "nominal_macs": plan.nominal_macs,
        "macs_overhead": plan.macs_overhead,
        "inputs": [tensor_record(graph, number) for number in graph.inputs],
        "outputs": [tensor_record(graph, number) for number in graph.outputs],
        "segments": [
            _segment(graph, planned, step, live_bytes(buffers, step)) for step, planned in enumerate(plan.segments)
        ],
        "buffers": [buffer_record(placed) for placed in plan.layout.buffers],
        "moves": [asdict(move) for move in plan.layout.moves],
        "tensors": [tensor_record(graph, number) for number in _held_tensors(plan)],
    }


def _held_tensors(plan: Plan) -> list[int]:
    """All that buffers or rings hold, whole or some rows at a time."""
    held = {number for placed in plan.layout.buffers for number in placed.buffer.tensors}
    rows = (segment.rows for segment in plan.segments if segment.rows is not None)
    return sorted(held | {store.tensor for streamed in rows for step in streamed.steps for store in _stores(step)})


def tensor_record(graph: Graph, number: int) -> dict[str, Any]:
    """A tensor as plan.json names it."""
    tensor = graph.tensor(number)
    return {"tensor": number, "name": tensor.name, "shape": list(tensor.shape), "type": tensor.type}


def _segment(graph: Graph, planned: PlannedSegment, step: int, live: int) -> dict[str, Any]:
    segment = planned.segment
    return {
        "step": step,
        "name": segment.name,
        "inputs": [tensor_record(graph, number) for number in segment.inputs],
        "outputs": [tensor_record(graph, number) for number in segment.outputs],
        "operators": [
            {
                "index": operator.index,
                "kind": operator.kind,
                "macs": planned.macs if planned.rows is None else operator_macs(graph, planned.rows, operator),
            }
            for operator in segment.operators
        ],
        "streaming": None if segment.streaming is None else asdict(segment.streaming),
        **_rows(planned),
        "calls": [_call(call) for call in planned.calls],
        "scratch": planned.scratch,
        "live_bytes": live,
        "macs": planned.macs,
    }


def _rows(planned: PlannedSegment) -> dict[str, Any]:
    """How a segment that streams keeps rows: its stores, and the steps that use them by name."""
    rows = planned.rows
    if rows is None:
        return {"distance": None, "stores": [], "steps": []}
    stores = {store.name: asdict(store) for step in rows.steps for store in _stores(step)}
    return {
        "distance": rows.distance,
        "stores": [stores[name] for name in sorted(stores)],
        "steps": [_step(step) for step in rows.steps],
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "form": step.form,
        "operators": [operator.index for operator in step.operators],
        "inputs": [store.name for store in step.inputs],
        "output": step.output.name,
        "columns": None if step.columns is None else step.columns.name,
        "sums": None if step.sums is None else step.sums.name,
        "halo": None if step.halo is None else step.halo.name,
        "group": step.group,
    }


def _stores(step: Step) -> list[Store]:
    others = (step.columns, step.sums, step.halo)
    return [*step.inputs, step.output, *(store for store in others if store is not None)]


def _call(call: KernelCall) -> dict[str, Any]:
    return {
        "function": call.function,
        "shape": {name: int(value) for name, value in call.shape.items()},
        "inputs": list(call.inputs),
        "output": call.output,
        "scratch_bytes": call.scratch_bytes,
        "in_place": list(call.in_place),
    }


def buffer_record(placed: PlacedBuffer) -> dict[str, Any]:
    """An entry of `buffers`."""
    buffer = placed.buffer
    return {
        "name": buffer.name,
        "offset": placed.offset,
        "bytes": buffer.bytes,
        "first_step": buffer.first,
        "last_step": buffer.last,
        "purpose": buffer.purpose,
        "tensors": list(buffer.tensors),
        "layout": buffer.layout,
        "element_bits": buffer.element_bits,
        "shares": list(buffer.shares),
        "grows_into": None if buffer.grows_into is None else asdict(buffer.grows_into),
    }
