# SPDX-License-Identifier: Apache-2.0
"""A plan.json as it is shown: the same view as of a Plan, without the model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from runnel.plan.serialise import FORMAT, PlanFileError
from runnel.report.parts import PULLED, PartRow, mode_name, mode_text
from runnel.report.view import BufferRow, Kind, PlanView, SegmentRow, inside_kind, operators_text
from runnel.schedule.schedule import Streaming

Record = Mapping[str, Any]


def saved_view(text: str) -> PlanView:
    """The view of a plan file's text. Raises PlanFileError for text that is not a plan of this version's format."""
    try:
        record = json.loads(text)
        if not isinstance(record, dict) or record.get("format") != FORMAT:
            raise PlanFileError(f'it is not a plan of this version\'s format (it lacks "format": "{FORMAT}")')
        return _view(record)
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise PlanFileError(f"it is damaged: {type(error).__name__}: {error}") from error


def _view(record: Record) -> PlanView:
    segments, names = record["segments"], _names(record)
    buffers = tuple(_buffer(record, entry, names) for entry in record["buffers"])
    live = [int(entry["live_bytes"]) for entry in segments]
    turns = [sum(b.end - b.offset for b in buffers if b.first <= step <= b.last) for step in (-1, len(segments))]
    every = (turns[0], *live, turns[1])
    peak = max(range(len(every)), key=lambda n: (every[n], -n)) - 1
    return PlanView(
        name=str(record["name"]),
        board=str(record["board"]),
        arena=int(record["arena_bytes"]),
        bound=int(record["arena_lower_bound_bytes"]),
        constants=int(record["constants_bytes"]),
        macs=int(record["macs"]),
        overhead=float(record["macs_overhead"]),
        input_passes=int(record["input_passes"]),
        peak=peak,
        segments=tuple(_segment(entry, step, step == peak, names, buffers) for step, entry in enumerate(segments)),
        buffers=buffers,
        live=every,
    )


def _names(record: Record) -> dict[int, str]:
    """Tensor number -> its name and shape."""
    return {int(t["tensor"]): f"{_plain(t['name'])} {_shape(t['shape'])}" for t in record["tensors"]}


def _plain(name: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in name)[-48:]


def _shape(shape: Sequence[int]) -> str:
    return "×".join(str(int(extent)) for extent in shape) or "scalar"


def _segment(
    entry: Record, step: int, peak: bool, names: Mapping[int, str], buffers: Sequence[BufferRow]
) -> SegmentRow:
    streaming = None if entry["streaming"] is None else Streaming(**entry["streaming"])
    parts = _parts(entry, {b.name: b.bytes for b in buffers if b.first == step})
    inside = [b.bytes for b in buffers if b.kind in ("ring", "columns", "scratch") and b.first <= step <= b.last]
    return SegmentRow(
        step=step,
        operators=operators_text([(part.label, part.kind) for part in parts if part.kind != PULLED]),
        mode=mode_name(streaming),
        runs=mode_text(streaming),
        inputs=", ".join(_shape(t["shape"]) for t in entry["inputs"]),
        outputs=", ".join(_shape(t["shape"]) for t in entry["outputs"]),
        kernels=", ".join(dict.fromkeys(str(call["function"]) for call in entry["calls"])),
        macs=int(entry["macs"]),
        extra=0,
        inside=sum(inside),
        live=int(entry["live_bytes"]),
        peak=peak,
        parts=parts,
    )


def _parts(entry: Record, sizes: Mapping[str, int]) -> tuple[PartRow, ...]:
    """One part an operator; the stores of a step belong to its first operator, its output to its last."""
    made: dict[int, list[str]] = {}
    read: dict[int, list[str]] = {}
    waiting: list[str] = []
    for step in entry.get("steps", ()):
        numbers = [int(number) for number in step["operators"]]
        if not numbers:
            waiting.append(step["output"])
            continue
        own = [name for name in (step.get("columns"), step.get("sums"), step.get("halo")) if name]
        made.setdefault(numbers[0], []).extend([*waiting, *own])
        made.setdefault(numbers[-1], []).append(step["output"])
        read[numbers[0]] = list(step["inputs"])
        waiting = []
    parts = []
    for operator in entry["operators"]:
        number = int(operator["index"])
        stores = tuple(name for name in made.get(number, ()) if name in sizes)
        kept = sum(sizes[name] for name in stores)
        reads = tuple(read.get(number, ()))
        kind = str(operator["kind"])
        parts.append(PartRow(str(number), kind, "", int(operator["macs"]), 0, kept, stores, "", reads))
    return tuple(parts)


def _buffer(record: Record, entry: Record, names: Mapping[int, str]) -> BufferRow:
    tensors = [int(number) for number in entry["tensors"]]
    places = {str(b["name"]): int(b["offset"]) for b in record["buffers"]}
    offset, grown = int(entry["offset"]), entry["grows_into"]
    return BufferRow(
        name=str(entry["name"]),
        contents=" = ".join(names.get(number, f"tensor {number}") for number in tensors) or str(entry["layout"]),
        kind=_kind(record, entry, tensors),
        offset=offset,
        end=offset + -(-int(entry["bytes"]) // 4) * 4,
        bytes=int(entry["bytes"]),
        first=int(entry["first_step"]),
        last=int(entry["last_step"]),
        in_place=tuple(name for name in entry["shares"] if places.get(name) == offset),
        grows_into=str(grown["over"]) if grown else "",
        moved_from=next((str(m["source"]) for m in record["moves"] if m["destination"] == entry["name"]), ""),
    )


def _kind(record: Record, entry: Record, tensors: Sequence[int]) -> Kind:
    if entry["purpose"] != "tensor":
        return inside_kind(str(entry["purpose"]), str(entry["layout"]), str(entry["name"]))
    if {int(t["tensor"]) for t in record["inputs"]} & set(tensors):
        return "input"
    if {int(t["tensor"]) for t in record["outputs"]} & set(tensors):
        return "output"
    return "held" if int(entry["last_step"]) > int(entry["first_step"]) + 2 else "activation"
