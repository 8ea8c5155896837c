# SPDX-License-Identifier: Apache-2.0
"""What the tables and the HTML page show of a plan: one row per segment, one per buffer. Sizes are bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from runnel.graph import Graph
from runnel.plan.lower_bound import live_bytes, peak_step
from runnel.plan.plan import Buffer, PlacedBuffer, Plan, PlannedSegment
from runnel.report.text import name_text, shape_text

Kind = Literal["input", "output", "activation", "held", "scratch"]

KIND_TEXT: dict[Kind, str] = {
    "input": "model input",
    "output": "model output",
    "activation": "activation",
    "held": "held for a later operator",
    "scratch": "kernel scratch",
}


@dataclass(frozen=True)
class SegmentRow:
    """One step of the schedule. live: bytes that must be there during it; scratch is counted in them."""

    step: int
    operators: str
    inputs: str
    outputs: str
    kernels: str
    macs: int
    scratch: int
    live: int
    peak: bool


@dataclass(frozen=True)
class BufferRow:
    """One buffer. in_place: names of buffers that live at the same first byte, by a kernel that works in place."""

    name: str
    contents: str
    kind: Kind
    offset: int
    end: int
    bytes: int
    first: int
    last: int
    in_place: tuple[str, ...]


def segment_rows(plan: Plan) -> tuple[SegmentRow, ...]:
    """One row per segment, in the order they run."""
    buffers = [placed.buffer for placed in plan.layout.buffers]
    peak = peak_step(buffers)
    return tuple(
        _segment_row(plan.schedule.graph, planned, step, live_bytes(buffers, step), step == peak)
        for step, planned in enumerate(plan.segments)
    )


def _segment_row(graph: Graph, planned: PlannedSegment, step: int, live: int, peak: bool) -> SegmentRow:
    segment = planned.segment
    return SegmentRow(
        step=step,
        operators=", ".join(f"{operator.index} {operator.kind}" for operator in segment.operators),
        inputs=", ".join(shape_text(graph.tensor(number)) for number in segment.inputs),
        outputs=", ".join(shape_text(graph.tensor(number)) for number in segment.outputs),
        kernels=", ".join(dict.fromkeys(call.function for call in planned.calls)) or "none: same bytes",
        macs=planned.macs,
        scratch=max((call.scratch_bytes for call in planned.calls), default=0),
        live=live,
        peak=peak,
    )


def buffer_rows(plan: Plan) -> tuple[BufferRow, ...]:
    """One row per buffer, in the order they come to life."""
    placed = sorted(plan.layout.buffers, key=lambda p: (p.buffer.first, p.offset, p.buffer.name))
    return tuple(_buffer_row(plan, one) for one in placed)


def _buffer_row(plan: Plan, placed: PlacedBuffer) -> BufferRow:
    graph, buffer = plan.schedule.graph, placed.buffer
    tensors = [graph.tensor(number) for number in buffer.tensors]
    contents = " = ".join(f"{name_text(tensor)} {shape_text(tensor)}" for tensor in tensors)
    return BufferRow(
        name=buffer.name,
        contents=contents or KIND_TEXT["scratch"],
        kind=buffer_kind(plan, buffer),
        offset=placed.offset,
        end=placed.end,
        bytes=buffer.bytes,
        first=buffer.first,
        last=buffer.last,
        in_place=tuple(
            other.buffer.name
            for other in plan.layout.buffers
            if other.buffer.name in buffer.shares and other.offset == placed.offset
        ),
    )


def buffer_kind(plan: Plan, buffer: Buffer) -> Kind:
    """Why the arena holds this buffer. "held": it outlives the step after the one that made it."""
    graph = plan.schedule.graph
    if buffer.purpose == "scratch":
        return "scratch"
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
