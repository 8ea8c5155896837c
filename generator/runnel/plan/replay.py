# SPDX-License-Identifier: Apache-2.0
"""Reading plan.json: the schedule and the memory map that it holds, and the same plan made again from them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from runnel.graph import Graph, Operator
from runnel.operators import Target
from runnel.plan.plan import Buffer, Layout, Move, Overlap, PlacedBuffer, Plan
from runnel.plan.planner import make_plan
from runnel.plan.serialise import FORMAT, PlanFileError, buffer_record, plan_to_json, tensor_record
from runnel.plan.verify import PlanError, verify
from runnel.schedule.schedule import Schedule, Segment, Streaming
from runnel.schedule.streams import build_rows


def plan_from_json(text: str, graph: Graph, name: str, board: str, target: Target) -> Plan:
    """The plan that the text holds, made again for the same model: its cuts, its modes and its offsets, no search.

    Raises PlanFileError when the text is damaged, was made for something else (the message says what differs first),
    or places a buffer where it would be overwritten.
    """
    return replay(text, make_plan(schedule_from_json(text, graph, board), name, board, target))


def layout_from_json(text: str) -> Layout:
    """The placement that a plan file holds. Raises PlanFileError for text that is not a plan of this format."""
    record = _parse(text)
    return Layout(
        buffers=tuple(_read_buffer(entry) for entry in _get(record, "buffers", list)),
        arena_bytes=_get(record, "arena_bytes", int),
        lower_bound_bytes=_get(record, "arena_lower_bound_bytes", int),
        optimal=_get(record, "arena_optimal", bool),
        moves=tuple(_read_move(entry) for entry in _get(record, "moves", list)),
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
    for key in ("board", "inputs", "outputs", "segments", "arena_lower_bound_bytes"):
        _compare(key, saved.get(key), fresh[key])
    _compare("buffers", _without_places(layout), _without_places(plan.layout))
    replayed = replace(plan, layout=layout)
    try:
        verify(replayed)
    except PlanError as error:
        raise PlanFileError(f"the plan file's memory map is wrong: {error}") from error
    return replayed


# --- the schedule -------------------------------------------------------------------------------------------------


def schedule_from_json(text: str, graph: Graph, board: str) -> Schedule:
    """The cuts and modes that a plan file holds, for the graph of the same model. Raises PlanFileError."""
    record = _parse(text)
    _compare("board", record.get("board"), board)
    for key, numbers in (("inputs", graph.inputs), ("outputs", graph.outputs)):
        _compare(key, record.get(key), [tensor_record(graph, number) for number in numbers])
    objective = _get(record, "objective", str)
    if objective not in ("sram", "latency", "flash"):
        raise PlanFileError(f"the plan file has an unknown objective {objective!r}")
    left = {operator.index: operator for operator in graph.operators}
    segments = tuple(_read_segment(graph, entry, left) for entry in _get(record, "segments", list))
    if left:
        missing = next(iter(left.values()))
        raise PlanFileError(f"the plan file is of another model: no segment in it has {missing.label}")
    schedule = Schedule(graph, segments, objective, _optional(record, "predicted_bytes", int))
    _check_order(schedule)
    for segment in segments:
        _check_segment(graph, segment)
    return schedule


def _read_segment(graph: Graph, entry: Any, left: dict[int, Operator]) -> Segment:
    """Takes the segment's operators out of `left`."""
    operators = []
    for item in _get(entry, "operators", list):
        operator = left.pop(_get(item, "index", int), None)
        if operator is None or operator.kind != _get(item, "kind", str):
            raise PlanFileError("the plan file is of another model: it has operators that this one has not, or twice")
        operators.append(operator)
    inputs, outputs = (tuple(_get(t, "tensor", int) for t in _get(entry, key, list)) for key in ("inputs", "outputs"))
    streaming = _read_streaming(_optional(entry, "streaming", dict))
    return Segment(_get(entry, "name", str), tuple(operators), inputs, outputs, streaming)


def _read_streaming(entry: Any) -> Streaming | None:
    if entry is None:
        return None
    streaming = Streaming(
        strips=_get(entry, "strips", int),
        bands=_get(entry, "bands", int),
        group=_get(entry, "group", int),
        pulled=_get(entry, "pulled", bool),
        grows_into=_optional(entry, "grows_into", int),
    )
    if streaming.strips < 1 or streaming.bands < 1 or streaming.group < 0:
        raise PlanFileError("the plan file has a segment with less than one strip, band or pixel of a group")
    return streaming


def _check_order(schedule: Schedule) -> None:
    """Whole tensors are made before they are read, and each segment names just those that it reads and leaves."""
    graph, made = schedule.graph, set(schedule.graph.inputs)
    pulled = {graph.inputs[0]} if schedule.input_passes else set()
    last = {t: n for n, s in enumerate(schedule.segments) for o in s.operators for t in o.inputs}
    for number, segment in enumerate(schedule.segments):
        own: set[int] = set()
        read: set[int] = set()
        for operator in segment.operators:
            needed = {tensor.index for tensor in graph.activations(operator)}
            read |= needed - own
            own |= set(operator.outputs)
        kept = {t for t in own if t in graph.outputs or last.get(t, -1) > number}
        streams = segment.streaming is not None and segment.streaming.pulled
        here = read - pulled if streams else read
        late = not read <= made or (not streams and read & pulled)
        if late or set(segment.inputs) != here or not kept <= set(segment.outputs) <= own:
            raise PlanFileError(f"the plan file's segment {segment.name} does not fit in with those before it")
        made |= own


def _check_segment(graph: Graph, segment: Segment) -> None:
    if segment.streaming is None:
        if len(segment.operators) != 1:
            raise PlanFileError(f"the plan file's segment {segment.name} has several operators and does not stream")
        return
    grown = segment.streaming.grows_into
    if not segment.operators or (grown is not None and grown not in segment.inputs):
        raise PlanFileError(f"the plan file's segment {segment.name} has no operators, or grows into a foreign tensor")
    try:
        build_rows(graph, segment)
    except ValueError as error:
        raise PlanFileError(f"the plan file's segment {segment.name} cannot run as it says: {error}") from error


# --- values of the right type -------------------------------------------------------------------------------------


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


def _optional(record: Any, key: str, kind: type) -> Any:
    if isinstance(record, dict) and key in record and record[key] is None:
        return None
    return _get(record, key, kind)


def _get_list(record: Any, key: str, kind: type) -> tuple[Any, ...]:
    values = _get(record, key, list)
    if any(type(value) is not kind for value in values):
        raise PlanFileError(f"the plan file's '{key}' holds something other than {kind.__name__}")
    return tuple(values)


def _read_buffer(entry: Any) -> PlacedBuffer:
    purpose = _get(entry, "purpose", str)
    if purpose not in ("tensor", "ring", "scratch"):
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
        grows_into=_read_overlap(_optional(entry, "grows_into", dict)),
    )
    return PlacedBuffer(buffer, _get(entry, "offset", int))


def _read_overlap(entry: Any) -> Overlap | None:
    if entry is None:
        return None
    return Overlap(_get(entry, "over", str), _get(entry, "distance", int), _get(entry, "exact", bool))


def _read_move(entry: Any) -> Move:
    return Move(_get(entry, "step", int), _get(entry, "source", str), _get(entry, "destination", str))


def _without_places(layout: Layout) -> list[Any]:
    """The buffers as the schedule needs them: without offsets, and one for all places that a tensor is moved to."""
    whole: dict[str, dict[str, Any]] = {}
    for placed in sorted(layout.buffers, key=lambda placed: placed.buffer.first):
        record = buffer_record(replace(placed, offset=0))
        record["name"] = name = _without_step(record["name"])
        record["shares"] = sorted({_without_step(other) for other in record["shares"]})
        if record["grows_into"] is not None:
            record["grows_into"]["over"] = _without_step(record["grows_into"]["over"])
        first = whole.setdefault(name, record)
        first["last_step"] = max(first["last_step"], record["last_step"])
        first["shares"] = sorted({*first["shares"], *record["shares"]})
    return [whole[name] for name in sorted(whole)]


def _without_step(name: str) -> str:
    """A buffer's name without the step before which the tensor is moved there."""
    return name.partition("@")[0]


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
