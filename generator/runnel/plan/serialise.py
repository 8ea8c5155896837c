# SPDX-License-Identifier: Apache-2.0
"""plan.json: a plan as text that people read, scripts compare and `--plan` replays.

Keys are sorted and nothing depends on time or machine, so equal plans give equal text. All sizes are bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import runnel
from runnel.errors import RunnelError
from runnel.graph import Graph
from runnel.operators.base import KernelCall
from runnel.plan.lower_bound import live_bytes
from runnel.plan.plan import Buffer, Layout, PlacedBuffer, Plan, PlannedSegment
from runnel.plan.verify import PlanError, verify

API_VERSION: Final = 2
"""RUNNEL_API_VERSION of runnel.h: the C API that the emitted code has."""

FORMAT: Final = "runnel-plan-1"
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
        "arena_bytes": plan.arena_bytes,
        "arena_lower_bound_bytes": plan.arena_lower_bound_bytes,
        "arena_optimal": plan.layout.optimal,
        "constants_bytes": plan.constants_bytes,
        "macs": plan.macs,
        "macs_overhead": plan.macs_overhead,
        "inputs": [_tensor(graph, number) for number in graph.inputs],
        "outputs": [_tensor(graph, number) for number in graph.outputs],
        "segments": [
            _segment(graph, planned, step, live_bytes(buffers, step)) for step, planned in enumerate(plan.segments)
        ],
        "buffers": [_buffer(placed) for placed in plan.layout.buffers],
    }


def _tensor(graph: Graph, number: int) -> dict[str, Any]:
    tensor = graph.tensor(number)
    return {"tensor": number, "name": tensor.name, "shape": list(tensor.shape), "type": tensor.type}


def _segment(graph: Graph, planned: PlannedSegment, step: int, live: int) -> dict[str, Any]:
    segment = planned.segment
    return {
        "step": step,
        "name": segment.name,
        "inputs": [_tensor(graph, number) for number in segment.inputs],
        "outputs": [_tensor(graph, number) for number in segment.outputs],
        "operators": [{"index": operator.index, "kind": operator.kind} for operator in segment.operators],
        "calls": [_call(call) for call in planned.calls],
        "scratch": planned.scratch,
        "live_bytes": live,
        "macs": planned.macs,
    }


def _call(call: KernelCall) -> dict[str, Any]:
    return {
        "function": call.function,
        "shape": {name: int(value) for name, value in call.shape.items()},
        "inputs": list(call.inputs),
        "output": call.output,
        "scratch_bytes": call.scratch_bytes,
        "in_place": list(call.in_place),
    }


def _buffer(placed: PlacedBuffer) -> dict[str, Any]:
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
    }


def layout_from_json(text: str) -> Layout:
    """The placement that a plan file holds. Raises PlanFileError for text that is not a plan of this format."""
    record = _parse(text)
    return Layout(
        buffers=tuple(_read_buffer(entry) for entry in _get(record, "buffers", list)),
        arena_bytes=_get(record, "arena_bytes", int),
        lower_bound_bytes=_get(record, "arena_lower_bound_bytes", int),
        optimal=_get(record, "arena_optimal", bool),
    )


def arena_from_json(text: str) -> tuple[str, int]:
    """The model's name and its arena in bytes. Raises PlanFileError as `layout_from_json` does."""
    record = _parse(text)
    return _get(record, "name", str), _get(record, "arena_bytes", int)


def replay(text: str, plan: Plan) -> Plan:
    """`plan` with the offsets of a saved plan of the same schedule.

    Raises PlanFileError when the text is damaged, was made for something else (the message says what differs
    first), or places a buffer where it would be overwritten.
    """
    layout = layout_from_json(text)
    saved, fresh = _parse(text), json.loads(plan_to_json(plan))
    for key in ("board", "inputs", "outputs", "segments"):
        _compare(key, saved.get(key), fresh[key])
    _compare("buffers", _without_offsets(layout), _without_offsets(plan.layout))
    replayed = replace(plan, layout=layout)
    try:
        verify(replayed)
    except PlanError as error:
        raise PlanFileError(f"the plan file's memory map is wrong: {error}") from error
    return replayed


def _parse(text: str) -> Mapping[str, Any]:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PlanFileError(f"the plan file is not JSON: {error}") from error
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise PlanFileError(f'the plan file is not of this version\'s format (it lacks "format": "{FORMAT}")')
    return record


def _get(record: Any, key: str, kind: type) -> Any:
    value = record.get(key) if isinstance(record, dict) else None
    if type(value) is not kind:
        raise PlanFileError(f"the plan file has no valid '{key}' where one belongs (expected {kind.__name__})")
    return value


def _get_list(record: Any, key: str, kind: type) -> tuple[Any, ...]:
    values = _get(record, key, list)
    if any(type(value) is not kind for value in values):
        raise PlanFileError(f"the plan file's '{key}' holds something other than {kind.__name__}")
    return tuple(values)


def _read_buffer(entry: Any) -> PlacedBuffer:
    purpose = _get(entry, "purpose", str)
    if purpose not in ("tensor", "scratch"):
        raise PlanFileError(f"the plan file has a buffer of unknown purpose {purpose!r}")
    buffer = Buffer(
        name=_get(entry, "name", str),
        bytes=_get(entry, "bytes", int),
        first=_get(entry, "first_step", int),
        last=_get(entry, "last_step", int),
        purpose=purpose,
        tensors=_get_list(entry, "tensors", int),
        layout=_get(entry, "layout", str),
        element_bits=_get(entry, "element_bits", int),
        shares=_get_list(entry, "shares", str),
    )
    return PlacedBuffer(buffer, _get(entry, "offset", int))


def _without_offsets(layout: Layout) -> list[Any]:
    return sorted(
        (_buffer(replace(placed, offset=0)) for placed in layout.buffers), key=lambda entry: str(entry["name"])
    )


def _compare(where: str, saved: Any, fresh: Any) -> None:
    """Raises PlanFileError that names the first place where the two differ."""
    if type(saved) is type(fresh) is dict and saved.keys() == fresh.keys():
        for key in sorted(fresh):
            _compare(f"{where}.{key}", saved[key], fresh[key])
    elif type(saved) is type(fresh) is list and len(saved) == len(fresh):
        for position, (one, other) in enumerate(zip(saved, fresh, strict=True)):
            _compare(f"{where}[{position}]", one, other)
    elif saved != fresh:
        raise PlanFileError(
            f"the plan file is of another model, board or Runnel version: {where} is {_short(saved)} in the file "
            f"and {_short(fresh)} here"
        )


def _short(value: Any) -> str:
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return f"an object with {len(value)} entries"
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
