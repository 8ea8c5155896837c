# SPDX-License-Identifier: Apache-2.0
"""Schedule -> Plan: kernel calls with their constants, buffers, and their places in the arena."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

from runnel.errors import UnsupportedError
from runnel.graph import Graph, Operator
from runnel.operators import KernelCall, RowLayout, Target, operator_type
from runnel.operators.spread import spread_call
from runnel.plan.arena import place
from runnel.plan.buffers import make_buffers, scratch_bytes, scratch_name, segment_rows
from runnel.plan.constants import constant_table
from runnel.plan.plan import Plan, PlannedSegment
from runnel.schedule.rows import SegmentRows, Step, Store
from runnel.schedule.schedule import Schedule, Segment


def make_plan(schedule: Schedule, name: str, board: str, target: Target) -> Plan:
    """Lowers every operator for `target` and places all buffers.

    Raises UnsupportedError for an operator that cannot be lowered. The caller verifies the plan (plan/verify.py).
    """
    graph = schedule.graph
    rows = segment_rows(schedule)
    try:
        segments = tuple(
            _plan_segment(graph, step, segment, rows[step], target) for step, segment in enumerate(schedule.segments)
        )
    except UnsupportedError as error:
        raise UnsupportedError(f"{graph.source or graph.name}: {error}") from error
    return Plan(
        name=name,
        board=board,
        schedule=schedule,
        segments=segments,
        layout=place(make_buffers(schedule, target, rows)),
        constants_bytes=constant_table(graph, chain.from_iterable(s.calls for s in segments)).bytes,
        macs=sum(s.macs for s in segments),
        nominal_macs=sum(operator_type(o.kind).macs(graph, o) for s in segments for o in s.segment.operators),
    )


def _plan_segment(
    graph: Graph, step: int, segment: Segment, rows: SegmentRows | None, target: Target
) -> PlannedSegment:
    scratch = scratch_name(step) if scratch_bytes(graph, segment, target, rows) else None
    if rows is None:
        calls = tuple(chain.from_iterable(operator_type(o.kind).lower(graph, o, target) for o in segment.operators))
        macs = sum(operator_type(o.kind).macs(graph, o) for o in segment.operators)
        return PlannedSegment(segment, calls, scratch, macs)
    step_calls = tuple(_step_calls(graph, one, target) for one in rows.steps)
    calls = tuple(chain.from_iterable(step_calls))
    return PlannedSegment(segment, calls, scratch, streamed_macs(graph, rows), rows, step_calls)


def streamed_macs(graph: Graph, rows: SegmentRows) -> int:
    """Multiply-accumulates of a segment that streams."""
    return sum(operator_macs(graph, rows, operator) for operator in rows.segment.operators)


def operator_macs(graph: Graph, rows: SegmentRows, operator: Operator) -> int:
    """Multiply-accumulates of an operator: as many as the parts of its output that are made, halos as often as they
    are recomputed. Never less than nominal: rows that nobody reads count as made."""
    macs, output = operator_type(operator.kind).macs(graph, operator), graph.tensor(operator.outputs[0])
    if not macs:
        return macs
    made = sum(areas[output.index].rows.size * areas[output.index].columns.size for areas in rows.areas)
    return max(macs, macs * made * output.shape[-1] // output.elements)


def _step_calls(graph: Graph, step: Step, target: Target) -> tuple[KernelCall, ...]:
    """The row kernels of one step, told where their input lies and their output goes."""
    if step.form == "pull":
        return ()
    layout = _output_layout(step.output)
    if step.form == "spread":
        return (spread_call(step.output.channels, layout),)
    first = step.operators[0]
    lower = operator_type(first.kind).lower_rows
    if step.form != "planes":
        return lower(graph, first, target, layout)
    into = _planes_layout(step.inputs[0], layout)
    after: tuple[KernelCall, ...] = ()
    if step.columns is not None:
        into = replace(into, output_pixel_step=step.columns.row_bytes // 2, output_channel_step=1, columns_out=True)
        second = step.operators[1]
        reads = replace(layout, columns_in=True)
        after = operator_type(second.kind).lower_rows(graph, second, target, reads)
    return (*lower(graph, first, target, into), *after)


def _planes_layout(planes: Store, output: RowLayout) -> RowLayout:
    """`output`, with what a depthwise kernel must know of the planes that it reads."""
    plane_bytes = planes.rows * planes.row_bytes
    return replace(output, plane_width=planes.row_bytes, plane_bytes=plane_bytes, ring_rows=planes.rows)


def _output_layout(store: Store) -> RowLayout:
    """Steps between pixels and channels of the rows that a store holds."""
    if store.layout == "channel planes":
        return RowLayout(output_pixel_step=1, output_channel_step=store.rows * store.row_bytes)
    return RowLayout(output_pixel_step=store.channels, output_channel_step=1)
