# SPDX-License-Identifier: Apache-2.0
"""Schedule -> Plan: kernel calls with their constants, buffers, and their places in the arena."""

from __future__ import annotations

from itertools import chain

from runnel.errors import UnsupportedError
from runnel.operators import KernelCall, Target, operator_type
from runnel.plan.arena import place
from runnel.plan.buffers import make_buffers, scratch_name
from runnel.plan.constants import constant_table
from runnel.plan.plan import Plan, PlannedSegment
from runnel.schedule.schedule import Schedule, Segment


def make_plan(schedule: Schedule, name: str, board: str, target: Target) -> Plan:
    """Lowers every operator for `target` and places all buffers.

    Raises UnsupportedError for an operator that cannot be lowered. The caller verifies the plan (plan/verify.py).
    """
    graph = schedule.graph
    calls = [_lower(schedule, segment, target) for segment in schedule.segments]
    segments = tuple(
        PlannedSegment(
            segment=segment,
            calls=group,
            scratch=scratch_name(step) if any(c.scratch_bytes for c in group) else None,
            macs=sum(operator_type(o.kind).macs(graph, o) for o in segment.operators),
        )
        for step, (segment, group) in enumerate(zip(schedule.segments, calls, strict=True))
    )
    return Plan(
        name=name,
        board=board,
        schedule=schedule,
        segments=segments,
        layout=place(make_buffers(schedule, calls)),
        constants_bytes=constant_table(graph, chain.from_iterable(calls)).bytes,
        macs=sum(s.macs for s in segments),
    )


def _lower(schedule: Schedule, segment: Segment, target: Target) -> tuple[KernelCall, ...]:
    graph = schedule.graph
    try:
        return tuple(chain.from_iterable(operator_type(o.kind).lower(graph, o, target) for o in segment.operators))
    except UnsupportedError as error:
        raise UnsupportedError(f"{graph.source or graph.name}: {error}") from error
