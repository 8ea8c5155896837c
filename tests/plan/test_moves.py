# SPDX-License-Identifier: Apache-2.0
"""Moves of tensors between steps: the verifier makes them, and catches those that are wrong or missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runnel.plan.plan import Buffer, Layout, Move, PlacedBuffer, Plan
from runnel.plan.replay import layout_from_json, replay
from runnel.plan.serialise import plan_to_json
from runnel.plan.verify import PlanError, verify

from .examples import Step, make_graph, make_plan
from .simulation import runs_right

CROSSING = (
    Step("DEPTHWISE_CONV_2D", (2,), (3,), in_place=(0,)),
    Step("DEPTHWISE_CONV_2D", (1,), (4,), in_place=(0,)),
    Step("ADD", (3, 4), (5,), in_place=(0, 1)),
)
"""Two in-place pairs that cross in time; 20 bytes are enough only if one tensor is moved."""

CHAIN = (Step("CONV_2D", (1,), (3,)), Step("ADD", (1, 2), (4,)))


def crossing_plan() -> Plan:
    return make_plan(make_graph({1: 4, 2: 16, 3: 4, 4: 16, 5: 4}, CROSSING, (1, 2), (5,)), CROSSING)


def sliding_plan() -> Plan:
    """Both inputs slide up by 4 bytes before step 1, into each other's old places."""
    layout = Layout(
        buffers=(
            placed("t1", 8, 0, -1, 0, 1),
            placed("t1@1", 8, 4, 1, 1, 1),
            placed("t2", 8, 8, -1, 0, 2),
            placed("t2@1", 8, 12, 1, 1, 2),
            placed("t3", 4, 20, 0, 2, 3),
            placed("t4", 4, 24, 1, 2, 4),
        ),
        arena_bytes=28,
        lower_bound_bytes=24,
        optimal=False,
        moves=(Move(1, "t2", "t2@1"), Move(1, "t1", "t1@1")),
    )
    return make_plan(make_graph({1: 8, 2: 8, 3: 4, 4: 4}, CHAIN, (1, 2), (3, 4)), CHAIN, layout)


def placed(name: str, size: int, offset: int, first: int, last: int, tensor: int) -> PlacedBuffer:
    return PlacedBuffer(Buffer(name, size, first, last, "tensor", (tensor,)), offset)


def with_moves(plan: Plan, *moves: Move) -> Plan:
    return replace(plan, layout=replace(plan.layout, moves=moves))


def test_a_plan_with_moves_needs_the_lower_bound_only() -> None:
    plan = crossing_plan()
    verify(plan)
    assert runs_right(plan)
    assert plan.arena_bytes == plan.arena_lower_bound_bytes == 20
    assert len(plan.layout.moves) == 1
    (move,) = plan.layout.moves
    tensor = next(p.buffer.tensors[0] for p in plan.layout.buffers if p.buffer.name == move.source)
    assert plan.placed(tensor, move.step - 1).buffer.name == move.source
    assert plan.placed(tensor, move.step).buffer.name == move.destination


def test_catches_a_move_that_is_left_out_or_made_twice() -> None:
    plan = crossing_plan()
    (move,) = plan.layout.moves
    for moves in ((), (move, move)):
        with pytest.raises(PlanError, match="is not moved to"):
            verify(with_moves(plan, *moves))


def test_catches_the_wrong_order_of_moves() -> None:
    plan = sliding_plan()
    verify(plan)
    assert runs_right(plan)
    with pytest.raises(PlanError, match=r"reads tensor 2 .* overwritten by tensor 1"):
        verify(with_moves(plan, *reversed(plan.layout.moves)))


def test_catches_a_move_at_another_step_or_of_another_tensor() -> None:
    plan = sliding_plan()
    two, one = plan.layout.moves
    for moves in (
        (replace(two, step=0), one),
        (two, replace(one, step=2)),
        (replace(two, source="t1"), one),
        (replace(two, source="nowhere"), one),
        (two, replace(one, source="t1@1", destination="t1")),
    ):
        with pytest.raises(PlanError):
            verify(with_moves(plan, *moves))


def test_catches_a_place_that_is_taken_when_the_tensor_arrives() -> None:
    plan = sliding_plan()
    buffers = tuple(replace(p, offset=p.offset + 4) if p.buffer.name == "t2@1" else p for p in plan.layout.buffers)
    with pytest.raises(PlanError, match="tensor 2"):
        verify(replace(plan, layout=replace(plan.layout, buffers=buffers)))


def test_catches_places_with_a_step_between_them_or_at_one_time() -> None:
    plan = sliding_plan()
    for first in (0, 2):
        buffers = tuple(
            replace(p, buffer=replace(p.buffer, first=first, last=2)) if p.buffer.name == "t1@1" else p
            for p in plan.layout.buffers
        )
        with pytest.raises(PlanError, match="tensor 1 is in two buffers"):
            verify(replace(plan, layout=replace(plan.layout, buffers=buffers)))


def test_moves_survive_the_plan_file() -> None:
    plan = crossing_plan()
    text = plan_to_json(plan)
    assert layout_from_json(text) == plan.layout
    assert replay(text, plan).layout == plan.layout
