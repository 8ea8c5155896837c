# SPDX-License-Identifier: Apache-2.0
"""Which buffers a schedule needs, how long each lives, and which may lie over each other. Shapes only, no weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from runnel.errors import ModelError
from runnel.graph import Graph
from runnel.operators import Footprint, Target, operator_type
from runnel.plan.plan import Buffer, Overlap
from runnel.schedule.rows import SegmentRows
from runnel.schedule.schedule import Schedule, Segment
from runnel.schedule.streams import build_rows


@dataclass
class _Life:
    """One buffer in the making: the tensors it holds (aliases of each other) and its first and last step."""

    bytes: int
    first: int
    last: int
    tensors: list[int]
    shares: list[str] = field(default_factory=list)
    grows_into: Overlap | None = None

    @property
    def name(self) -> str:
        return f"tensor_{self.tensors[0]}"


def segment_rows(schedule: Schedule) -> tuple[SegmentRows | None, ...]:
    """The geometry of each segment that streams, None for the others."""
    return tuple(
        build_rows(schedule.graph, segment) if segment.streaming is not None else None for segment in schedule.segments
    )


def make_buffers(
    schedule: Schedule, target: Target, rows: Sequence[SegmentRows | None] | None = None
) -> tuple[Buffer, ...]:
    """Whole tensors in order of first use, then what lives during one segment: rings, columns, scratch.

    rows: what `segment_rows` gives, where the caller has it already.
    """
    rows = segment_rows(schedule) if rows is None else rows
    lives = _tensor_lives(schedule, target)
    for step, segment in enumerate(schedule.segments):
        if segment.streaming is None:
            _allow_in_place(schedule.graph, lives, step, segment, target)
        else:
            _let_grow(lives, segment, rows[step])
    unique = list({id(life): life for life in lives.values()}.values())
    tensors = [
        Buffer(
            name=life.name,
            bytes=life.bytes,
            first=life.first,
            last=life.last,
            purpose="tensor",
            tensors=tuple(life.tensors),
            shares=tuple(life.shares),
            grows_into=life.grows_into,
        )
        for life in unique
    ]
    return (*tensors, *_inner_buffers(schedule, target, rows))


def scratch_name(step: int) -> str:
    return f"scratch_{step}"


def scratch_bytes(graph: Graph, segment: Segment, target: Target, rows: SegmentRows | None) -> int:
    """What the kernels of a segment need at most, one after the other; `rows` as `segment_rows` gives them."""
    if rows is None:
        return _footprint(graph, segment, target).scratch_bytes
    from_columns = [step.operators[1] for step in rows.steps if step.columns is not None]
    return max(
        operator_type(o.kind).row_scratch_bytes(graph, o, target, any(o is reader for reader in from_columns))
        for o in segment.operators
    )


def _inner_buffers(schedule: Schedule, target: Target, rows: Sequence[SegmentRows | None]) -> Iterator[Buffer]:
    """Rings and scratch. int16 columns and scratch hold nothing from one row to the next: they share one place."""
    for step, segment in enumerate(schedule.segments):
        streamed, passing = rows[step], list[str]()
        for store in streamed.stores if streamed is not None else ():
            shares = tuple(passing) if store.layout == "int16 columns" else ()
            yield Buffer(store.name, store.bytes, step, step, "ring", layout=store.layout, shares=shares)
            passing += [store.name] if store.layout == "int16 columns" else []
        need = scratch_bytes(schedule.graph, segment, target, streamed)
        if need > 0:
            yield Buffer(scratch_name(step), need, step, step, "scratch", layout="scratch", shares=tuple(passing))


def _footprint(graph: Graph, segment: Segment, target: Target) -> Footprint:
    (operator,) = segment.operators
    return operator_type(operator.kind).footprint(graph, operator, target)


def _tensor_lives(schedule: Schedule, target: Target) -> Mapping[int, _Life]:
    """Tensor number -> its buffer. A segment without calls makes its output an alias of its input."""
    graph = schedule.graph
    lives: dict[int, _Life] = {}
    pulled = schedule.input_passes > 0
    for index in dict.fromkeys(() if pulled else graph.inputs):
        lives[index] = _Life(graph.tensor(index).bytes, -1, -1, [index])
    for step, segment in enumerate(schedule.segments):
        for index in segment.inputs:
            lives[index].last = max(lives[index].last, step)
        alias = segment.streaming is None and _footprint(graph, segment, target).calls == 0
        for index in segment.outputs:
            if alias:
                lives[index] = lives[segment.inputs[0]]
                lives[index].tensors.append(index)
            else:
                lives[index] = _Life(graph.tensor(index).bytes, step, step, [index])
    for index in graph.outputs:
        if index not in lives:
            raise ModelError(f"output '{graph.tensor(index).name}' is a constant; remove it from the model's outputs")
        lives[index].last = len(schedule.segments)
    return lives


def _allow_in_place(graph: Graph, lives: Mapping[int, _Life], step: int, segment: Segment, target: Target) -> None:
    """Lets an output start where a dying input starts, where the kernel says that this is safe."""
    (operator,) = segment.operators
    footprint = _footprint(graph, segment, target)
    if footprint.calls != 1:
        return  # several calls write parts of one output: an earlier one would destroy a later one's input
    output = lives[operator.outputs[0]]
    for position in footprint.in_place:
        index = operator.inputs[position]
        if index is None or graph.tensor(index).is_constant:
            continue
        source = lives[index]
        others = (
            lives.get(other)
            for place, other in enumerate(operator.inputs)
            if other is not None and place != position and place not in footprint.in_place
        )
        if source.last == step and source is not output and all(other is not source for other in others):
            output.shares.append(source.name)


def _let_grow(lives: Mapping[int, _Life], segment: Segment, rows: SegmentRows | None) -> None:
    """Lets the output of a streamed segment take over its dying input's rows."""
    if rows is None or rows.distance is None or segment.streaming is None:
        return
    source = lives[segment.streaming.grows_into or 0]
    lives[segment.outputs[0]].grows_into = Overlap(source.name, rows.distance, exact=segment.streaming.strips > 1)
