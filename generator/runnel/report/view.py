# SPDX-License-Identifier: Apache-2.0
"""What tables, pictures and pages show of a plan: one row per segment, one per buffer. Sizes are bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from runnel.plan.lower_bound import live_bytes, peak_step
from runnel.plan.plan import Buffer, PlacedBuffer, Plan, PlannedSegment
from runnel.report.parts import PULLED, PartRow, mode_name, mode_text, part_rows, store_text
from runnel.report.text import name_text, shape_text
from runnel.schedule.areas import plane

Kind = Literal["input", "output", "activation", "held", "ring", "columns", "scratch"]

KIND_TEXT: dict[Kind, str] = {
    "input": "model input",
    "output": "model output",
    "activation": "activation",
    "held": "held for a later operator",
    "ring": "ring: a few rows of a tensor",
    "columns": "int16 columns, sums, saved halo",
    "scratch": "kernel scratch",
}


@dataclass(frozen=True)
class SegmentRow:
    """One step of the schedule. live: bytes that must be there during it; inside (rings, scratch) is part of them.

    mode: one or two words; runs: all of how it runs. extra: MACs that are computed more than once.
    """

    step: int
    operators: str
    mode: str
    runs: str
    inputs: str
    outputs: str
    kernels: str
    macs: int
    extra: int
    inside: int
    live: int
    peak: bool
    parts: tuple[PartRow, ...]


@dataclass(frozen=True)
class BufferRow:
    """One buffer. in_place: names of buffers that live at the same first byte, by a kernel that works in place.

    turns: of buffers inside the same segment that use the same bytes, one after the other.
    grows_into: name of the buffer whose consumed rows it takes over, moved_from: of the one that is copied to it before
    its first step; "" where there is none.
    """

    name: str
    contents: str
    kind: Kind
    offset: int
    end: int
    bytes: int
    first: int
    last: int
    in_place: tuple[str, ...]
    grows_into: str = ""
    moved_from: str = ""
    turns: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """How it shares bytes with others, in words."""
        notes = [f"in place of {', '.join(self.in_place)}"] if self.in_place else []
        notes += [f"takes turns with {', '.join(self.turns)}"] if self.turns else []
        notes += [f"grows into {self.grows_into}"] if self.grows_into else []
        return (*notes, *([f"moved from {self.moved_from}"] if self.moved_from else []))


@dataclass(frozen=True)
class PlanView:
    """A plan as it is shown; made from a Plan here and from a plan.json in saved.py.

    overhead: MACs computed more than once, as a part of the model's own. input_passes: 0 where the input is stored.
    peak: the step with the most live bytes.
    """

    name: str
    board: str
    arena: int
    bound: int
    constants: int
    macs: int
    overhead: float
    input_passes: int
    peak: int
    segments: tuple[SegmentRow, ...]
    buffers: tuple[BufferRow, ...]
    live: tuple[int, ...]

    @property
    def operators(self) -> int:
        return sum(part.kind != PULLED for segment in self.segments for part in segment.parts)


def plan_view(plan: Plan) -> PlanView:
    """All rows of a plan. live[n] are the bytes at step n - 1: it begins with the caller's filling."""
    buffers = [placed.buffer for placed in plan.layout.buffers]
    return PlanView(
        name=plan.name,
        board=plan.board,
        arena=plan.arena_bytes,
        bound=plan.arena_lower_bound_bytes,
        constants=plan.constants_bytes,
        macs=plan.macs,
        overhead=plan.macs_overhead,
        input_passes=plan.schedule.input_passes,
        peak=peak_step(buffers),
        segments=segment_rows(plan),
        buffers=buffer_rows(plan),
        live=tuple(live_bytes(buffers, step) for step in range(-1, len(plan.segments) + 1)),
    )


def segment_rows(plan: Plan) -> tuple[SegmentRow, ...]:
    """One row per segment, in the order they run."""
    buffers = [placed.buffer for placed in plan.layout.buffers]
    peak = peak_step(buffers)
    return tuple(
        _segment_row(plan, planned, step, live_bytes(buffers, step), step == peak)
        for step, planned in enumerate(plan.segments)
    )


def _segment_row(plan: Plan, planned: PlannedSegment, step: int, live: int, peak: bool) -> SegmentRow:
    graph, segment = plan.schedule.graph, planned.segment
    parts = part_rows(graph, planned)
    inside = [placed.buffer for placed in plan.layout.buffers if placed.buffer.purpose != "tensor"]
    return SegmentRow(
        step=step,
        operators=operators_text([(part.label, part.kind) for part in parts if part.kind != PULLED]),
        mode=mode_name(segment.streaming),
        runs=mode_text(segment.streaming),
        inputs=", ".join(shape_text(graph.tensor(number)) for number in segment.inputs),
        outputs=", ".join(shape_text(graph.tensor(number)) for number in segment.outputs),
        kernels=kernels_text([call.function for call in planned.calls]),
        macs=planned.macs,
        extra=sum(part.extra for part in parts),
        inside=sum(buffer.bytes for buffer in inside if buffer.first <= step <= buffer.last),
        live=live,
        peak=peak,
        parts=parts,
    )


def operators_text(operators: Sequence[tuple[str, str]]) -> str:
    """Up to three operators by number and kind; of longer runs the first, the last and how many."""
    names = [f"{label} {kind}" for label, kind in operators]
    return ", ".join(names) if len(names) <= 3 else f"{names[0]} … {names[-1]} ({len(names)})"


def kernels_text(functions: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(functions)) or "none: same bytes"


def buffer_rows(plan: Plan) -> tuple[BufferRow, ...]:
    """One row per buffer, in the order they come to life."""
    return in_order([_buffer_row(plan, one) for one in plan.layout.buffers])


def in_order(rows: Sequence[BufferRow]) -> tuple[BufferRow, ...]:
    """By first step, then by place. Scratch comes first: it may lie below columns that take turns with it."""
    return tuple(sorted(rows, key=lambda row: (row.first, row.kind != "scratch", row.offset, row.name)))


def _buffer_row(plan: Plan, placed: PlacedBuffer) -> BufferRow:
    buffer = placed.buffer
    shared = tuple(
        other.buffer.name
        for other in plan.layout.buffers
        if other.buffer.name in buffer.shares and other.offset == placed.offset
    )
    return BufferRow(
        name=buffer.name,
        contents=contents_text(plan, buffer),
        kind=buffer_kind(plan, buffer),
        offset=placed.offset,
        end=placed.end,
        bytes=buffer.bytes,
        first=buffer.first,
        last=buffer.last,
        in_place=shared if buffer.purpose == "tensor" else (),
        turns=shared if buffer.purpose != "tensor" else (),
        grows_into=buffer.grows_into.over if buffer.grows_into is not None else "",
        moved_from=next((m.source for m in plan.layout.moves if m.destination == buffer.name), ""),
    )


def contents_text(plan: Plan, buffer: Buffer) -> str:
    """What a buffer holds: tensors with their shapes, or which rows of one a ring keeps."""
    graph = plan.schedule.graph
    tensors = [graph.tensor(number) for number in buffer.tensors]
    held = " = ".join(f"{name_text(tensor)} {shape_text(tensor)}" for tensor in tensors)
    if buffer.purpose == "tensor":
        return held or "a tensor"
    rows = plan.segments[buffer.first].rows if 0 <= buffer.first < len(plan.segments) else None
    for store in rows.stores if rows is not None else ():
        if store.name == buffer.name:
            tensor = graph.tensor(store.tensor)
            return f"{store_text(store, plane(graph, store.tensor)[0])} of {name_text(tensor)} {shape_text(tensor)}"
    return held or KIND_TEXT["scratch"]


def buffer_kind(plan: Plan, buffer: Buffer) -> Kind:
    """Why the arena holds this buffer. "held": it outlives the step after the one that made it."""
    graph = plan.schedule.graph
    if buffer.purpose != "tensor":
        return inside_kind(buffer.purpose, buffer.layout, buffer.name)
    if set(buffer.tensors) & set(graph.inputs):
        return "input"
    if set(buffer.tensors) & set(graph.outputs):
        return "output"
    readers = {
        step
        for step, segment in enumerate(plan.schedule.segments)
        if set(segment.inputs) & set(buffer.tensors) and plan.segments[step].calls
    }
    return "held" if len(readers) > 1 or buffer.last > buffer.first + 2 else "activation"


def inside_kind(purpose: str, layout: str, name: str) -> Kind:
    """The kind of a buffer that is no tensor."""
    if purpose == "scratch":
        return "scratch"
    return "columns" if layout in ("int16 columns", "int32 sums") or name.startswith("halo") else "ring"
