# SPDX-License-Identifier: Apache-2.0
"""Plans with one mistake in their geometry, to see that the tests would notice it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from runnel.plan.plan import Plan, PlannedSegment
from runnel.schedule.rows import SegmentRows, Step, Store

KINDS = ("ring too short", "output too high", "halo forgotten", "stride forgotten")


def mistakes(plan: Plan) -> Iterator[tuple[str, Plan]]:
    """(kind, plan with that mistake), at most one of each kind for each segment."""
    for place, planned in enumerate(plan.segments):
        if planned.rows is None:
            continue
        ring = next((s for s in planned.rows.stores if s.layout == "rows of pixels" and s.rows > 1), None)
        if ring is not None and not ring.name.startswith("halo"):
            yield KINDS[0], _with_rows(plan, place, _shorter(planned.rows, ring))
        higher = _output_higher(plan, place, planned)
        if higher is not None:
            yield KINDS[1], higher
        if any(step.halo and step.halo.bytes for step in planned.rows.steps) and _reuses_most(plan, place, planned):
            steps = tuple(replace(step, halo=None) for step in planned.rows.steps)
            yield KINDS[2], _with_rows(plan, place, replace(planned.rows, steps=steps))
        strided = next((s for s in planned.rows.steps if s.form == "planes" and s.window.stride_h > 1), None)
        if strided is not None and strided.areas[0].rows.size > 2:
            yield KINDS[3], _with_rows(plan, place, _without_stride(planned.rows, strided))


def _gap(plan: Plan, place: int, planned: PlannedSegment) -> int | None:
    """Bytes from the output up to the input that it grows into; None where it grows into nothing."""
    grown = planned.segment.streaming.grows_into if planned.segment.streaming else None
    if grown is None:
        return None
    return plan.placed(grown, place).offset - plan.placed(planned.segment.outputs[0], place).offset


def _reuses_most(plan: Plan, place: int, planned: PlannedSegment) -> bool:
    """Whether the output takes over more than half of its input's bytes."""
    gap = _gap(plan, place, planned)
    return gap is not None and 0 <= 2 * gap < plan.schedule.graph.tensor(planned.segment.outputs[0]).bytes


def _with_rows(plan: Plan, place: int, rows: SegmentRows) -> Plan:
    segments = list(plan.segments)
    segments[place] = replace(segments[place], rows=rows)
    return replace(plan, segments=tuple(segments))


def _shorter(rows: SegmentRows, ring: Store) -> SegmentRows:
    short = replace(ring, rows=ring.rows - 1)

    def swapped(store: Store) -> Store:
        return short if store.name == ring.name else store

    steps = tuple(
        replace(step, inputs=tuple(map(swapped, step.inputs)), output=swapped(step.output)) for step in rows.steps
    )
    return replace(rows, steps=steps, stores=tuple(map(swapped, rows.stores)))


def _output_higher(plan: Plan, place: int, planned: PlannedSegment) -> Plan | None:
    """Rolling overlap with four bytes less between output and input than it needs; None where there is no overlap."""
    assert planned.rows is not None
    if not planned.rows.distance or _gap(plan, place, planned) != planned.rows.distance:
        return None
    output = plan.placed(planned.segment.outputs[0], place)
    if output.end + 4 > plan.arena_bytes:
        return None
    buffers = tuple(replace(p, offset=p.offset + 4) if p is output else p for p in plan.layout.buffers)
    return replace(plan, layout=replace(plan.layout, buffers=buffers))


def _without_stride(rows: SegmentRows, step: Step) -> SegmentRows:
    window = replace(step.window, stride_h=1)
    changed = replace(step, row_form=replace(step.row_form, window=window))
    return replace(rows, steps=tuple(changed if s is step else s for s in rows.steps))
