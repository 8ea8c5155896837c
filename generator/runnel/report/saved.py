# SPDX-License-Identifier: Apache-2.0
"""A plan.json as it is shown: the same view as of a Plan, without the model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from runnel.plan.serialise import FORMAT, PlanFileError
from runnel.report.parts import PULLED, PartRow, mode_name, mode_text, store_text
from runnel.report.view import (
    BufferRow,
    Kind,
    PlanView,
    SegmentRow,
    in_order,
    inside_kind,
    kernels_text,
    operators_text,
)
from runnel.schedule.rows import Store
from runnel.schedule.schedule import Streaming

Record = Mapping[str, Any]
Tensors = Mapping[int, Record]
"""Tensor number -> its entry in the file."""

_INSIDE = frozenset(("ring", "columns", "scratch"))


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
    segments = record["segments"]
    tensors = {int(tensor["tensor"]): tensor for tensor in record["tensors"]}
    buffers = in_order([_buffer(record, entry, tensors) for entry in record["buffers"]])
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
        segments=tuple(_segment(entry, step, step == peak, tensors, buffers) for step, entry in enumerate(segments)),
        buffers=buffers,
        live=every,
    )


def _tensor_text(tensor: Record) -> str:
    name = "".join(c if c.isprintable() else "?" for c in str(tensor["name"]))
    return f"{name[-48:]} {_shape(tensor['shape'])}"


def _shape(shape: Sequence[int]) -> str:
    return "×".join(str(int(extent)) for extent in shape) or "scalar"


def _segment(entry: Record, step: int, peak: bool, tensors: Tensors, buffers: Sequence[BufferRow]) -> SegmentRow:
    streaming = None if entry["streaming"] is None else Streaming(**entry["streaming"])
    parts = _parts(entry, tensors, frozenset(row.name for row in buffers if row.first == step and row.kind in _INSIDE))
    inside = [row.bytes for row in buffers if row.kind in _INSIDE and row.first <= step <= row.last]
    return SegmentRow(
        step=step,
        operators=operators_text([(part.label, part.kind) for part in parts if part.kind != PULLED]),
        mode=mode_name(streaming),
        runs=mode_text(streaming),
        inputs=", ".join(_shape(t["shape"]) for t in entry["inputs"]),
        outputs=", ".join(_shape(t["shape"]) for t in entry["outputs"]),
        kernels=kernels_text([str(call["function"]) for call in entry["calls"]]),
        macs=int(entry["macs"]),
        extra=0,
        inside=sum(inside),
        live=int(entry["live_bytes"]),
        peak=peak,
        parts=parts,
    )


def _parts(entry: Record, tensors: Tensors, owned: frozenset[str]) -> tuple[PartRow, ...]:
    """One part an operator; the stores of a step belong to its first operator, its output to its last.

    owned: names of stores that have bytes of their own.
    """
    stores = {str(store["name"]): Store(**store) for store in entry["stores"]}
    made: dict[int, list[str]] = {}
    read: dict[int, list[str]] = {}
    pulled: list[PartRow] = []
    spread: list[Record] = []
    for step in entry["steps"]:
        numbers = [int(number) for number in step["operators"]]
        if step["form"] == "pull":
            pulled.append(_part(None, stores, [step["output"]], tensors))
        elif not numbers:
            spread.append(step)
        else:
            inside = [name for name in (step["columns"], step["sums"], step["halo"]) if name]
            made.setdefault(numbers[0], []).extend([*(s["output"] for s in spread), *inside])
            made.setdefault(numbers[-1], []).append(step["output"])
            halo = [step["halo"]] if step["halo"] else []
            read[numbers[0]] = [*step["inputs"], *halo, *(name for s in spread for name in s["inputs"])]
            read.setdefault(numbers[-1], []).extend([step["columns"]] if step["columns"] else [])
            spread = []
    parts = list(pulled)
    for operator in entry["operators"]:
        number = int(operator["index"])
        names = [name for name in made.get(number, ()) if name in owned]
        parts.append(replace(_part(operator, stores, names, tensors), reads=tuple(read.get(number, ()))))
    return tuple(parts)


def _part(operator: Record | None, stores: Mapping[str, Store], names: Sequence[str], tensors: Tensors) -> PartRow:
    own = [stores[name] for name in names]
    return PartRow(
        label="" if operator is None else str(int(operator["index"])),
        kind=PULLED if operator is None else str(operator["kind"]),
        output="",
        macs=0 if operator is None else int(operator["macs"]),
        extra=0,
        kept=sum(store.bytes for store in own),
        stores=tuple(names),
        kept_text=", ".join(store_text(store, _height(tensors[store.tensor])) for store in own),
    )


def _height(tensor: Record) -> int:
    return int(tensor["shape"][-3]) if len(tensor["shape"]) >= 3 else 1


def _buffer(record: Record, entry: Record, tensors: Tensors) -> BufferRow:
    held = [int(number) for number in entry["tensors"]]
    places = {str(b["name"]): int(b["offset"]) for b in record["buffers"]}
    offset, grown = int(entry["offset"]), entry["grows_into"]
    shared = tuple(str(name) for name in entry["shares"] if places.get(name) == offset)
    whole = entry["purpose"] == "tensor"
    return BufferRow(
        name=str(entry["name"]),
        contents=" = ".join(_tensor_text(tensors[number]) for number in held) or str(entry["layout"]),
        kind=_kind(record, entry, held),
        offset=offset,
        end=offset + -(-int(entry["bytes"]) // 4) * 4,
        bytes=int(entry["bytes"]),
        first=int(entry["first_step"]),
        last=int(entry["last_step"]),
        in_place=shared if whole else (),
        turns=() if whole else shared,
        grows_into=str(grown["over"]) if grown else "",
        moved_from=next((str(m["source"]) for m in record["moves"] if m["destination"] == entry["name"]), ""),
    )


def _kind(record: Record, entry: Record, held: Sequence[int]) -> Kind:
    if entry["purpose"] != "tensor":
        return inside_kind(str(entry["purpose"]), str(entry["layout"]), str(entry["name"]))
    if {int(t["tensor"]) for t in record["inputs"]} & set(held):
        return "input"
    if {int(t["tensor"]) for t in record["outputs"]} & set(held):
        return "output"
    return "held" if int(entry["last_step"]) > int(entry["first_step"]) + 2 else "activation"
