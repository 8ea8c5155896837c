# SPDX-License-Identifier: Apache-2.0
"""The verifier runs streamed segments row by row: right plans pass, and every way of making one wrong is caught."""

from __future__ import annotations

import random
import time
from dataclasses import replace

import pytest

from runnel import zoo
from runnel.graph import Graph
from runnel.operators import Target
from runnel.plan.plan import PlacedBuffer, Plan
from runnel.plan.planner import make_plan
from runnel.plan.verify import PlanError, verify
from runnel.schedule.rows import Area, Span, Step
from runnel.schedule.schedule import Streaming

from .examples import change, move
from .streamed import (
    BLOCK,
    blocks,
    edit_step,
    edit_store,
    first_block,
    patches_plan,
    plan_of,
    streamed_plan,
    strips_plan,
)


def offset(plan: Plan, name: str) -> int:
    return next(p.offset for p in plan.layout.buffers if p.buffer.name == name)


def roomier(plan: Plan, more: int = 4096) -> Plan:
    """The same places in a larger arena."""
    return replace(plan, layout=replace(plan.layout, arena_bytes=plan.arena_bytes + more))


def resized(plan: Plan, name: str, size: int) -> Plan:
    def edit(placed: PlacedBuffer) -> PlacedBuffer:
        return replace(placed, buffer=replace(placed.buffer, bytes=size)) if placed.buffer.name == name else placed

    return change(plan, edit)


def overlapped_strips() -> Plan:
    """`strips_plan` with the output of the strips a row below its input, where it overwrites it."""
    plan = strips_plan()
    return move(move(roomier(plan), "tensor_19", plan.arena_bytes + 128), "tensor_9", plan.arena_bytes + 256)


@pytest.mark.parametrize("kernel", [3, 5, 7])
def test_right_plans_pass(kernel: int) -> None:
    verify(streamed_plan(kernel))


@pytest.mark.parametrize("plan", [strips_plan(), strips_plan(2), overlapped_strips(), patches_plan()])
def test_right_plans_with_strips_and_patches_pass(plan: Plan) -> None:
    verify(plan)


@pytest.mark.parametrize(
    ("number", "name"), [(0, "rows_0"), (0, "planes_3_6"), (1, "planes_12_15"), (2, "planes_22_25")]
)
def test_catches_a_ring_that_is_a_row_too_small(number: int, name: str) -> None:
    plan = streamed_plan()
    with pytest.raises(PlanError):
        verify(edit_store(plan, number, name, rows=2))


@pytest.mark.parametrize(("name", "rows"), [("rows_9", 2), ("rows_19", 2)])
def test_catches_a_ring_that_forgets_what_a_residual_needs(name: str, rows: int) -> None:
    plan = patches_plan()
    with pytest.raises(PlanError, match=f"reads tensor .* \\({name}\\).* another byte of"):
        verify(edit_store(plan, 0, name, rows=rows - 1))


def test_catches_an_overlap_that_is_a_unit_too_close() -> None:
    plan = streamed_plan()
    assert offset(plan, "tensor_9") - offset(plan, "tensor_19") == 128
    with pytest.raises(PlanError, match="tensor 9"):
        verify(move(plan, "tensor_19", 4))


def test_catches_strips_that_are_not_whole_rows_apart() -> None:
    plan = overlapped_strips()
    verify(plan)
    place = offset(plan, "tensor_19")
    for other in (place - 4, place - 64, place + 4, place + 64, place + 128):
        with pytest.raises(PlanError):
            verify(move(plan, "tensor_19", other))
    verify(move(plan, "tensor_19", place - 128))


def test_catches_a_halo_that_is_not_saved() -> None:
    plan = overlapped_strips()
    with pytest.raises(PlanError, match=r"reads tensor 9 .* overwritten by tensor 19"):
        verify(edit_step(plan, 1, 0, lambda step: replace(step, halo=None)))
    verify(edit_step(strips_plan(), 1, 0, lambda step: replace(step, halo=None)))  # there nothing is overwritten


def test_catches_a_halo_that_is_too_narrow() -> None:
    plan = overlapped_strips()
    with pytest.raises(PlanError, match="a row of halo_9 holds 4 bytes"):
        verify(edit_store(plan, 1, "halo_9", row_bytes=4))


def test_catches_columns_that_are_not_recomputed() -> None:
    """The widened rows of a strip without the column that the depthwise convolution needs beside it."""

    def narrow(step: Step) -> Step:
        first = step.areas[0]
        return replace(step, areas=(Area(first.rows, Span(0, first.columns.end - 1)), *step.areas[1:]))

    with pytest.raises(PlanError, match=r"reads tensor 12 .* zero points of tensor 12"):
        verify(edit_step(strips_plan(), 1, 0, narrow))


def test_catches_rows_that_nobody_makes() -> None:
    def short(step: Step) -> Step:
        return replace(step, areas=tuple(Area(Span(0, a.rows.end - 1), a.columns) for a in step.areas))

    with pytest.raises(PlanError, match="waits for rows that nobody makes"):
        verify(edit_step(streamed_plan(), 1, 0, short))
    with pytest.raises(PlanError, match="at its end, reads tensor 19"):
        verify(edit_step(streamed_plan(), 1, 2, short))


def test_catches_pixels_that_are_pooled_twice_or_never() -> None:
    def narrow(step: Step) -> Step:
        return replace(step, areas=tuple(Area(a.rows, Span(1, a.columns.end)) for a in step.areas))

    with pytest.raises(PlanError, match="adds pixel 0 of row 0 0 times"):
        verify(edit_step(streamed_plan(), 2, 3, narrow))


def test_catches_planes_whose_margins_are_too_narrow() -> None:
    with pytest.raises(PlanError):
        verify(edit_store(streamed_plan(7), 1, "planes_12_15", row_bytes=18))


def test_catches_planes_without_room_to_read_ahead() -> None:
    plan = streamed_plan()
    size = next(p.buffer.bytes for p in plan.layout.buffers if p.buffer.name == "planes_12_15")
    with pytest.raises(PlanError, match="outside planes_12_15"):
        verify(edit_store(plan, 1, "planes_12_15", bytes=size - 4))


def test_catches_a_window_that_differs_from_the_graph() -> None:
    def edit(step: Step) -> Step:
        return replace(step, row_form=replace(step.row_form, window=replace(step.window, pad_top=0)))

    with pytest.raises(PlanError, match="another window"):
        verify(edit_step(streamed_plan(), 0, 1, edit))


def test_catches_int16_columns_for_too_few_pixels() -> None:
    plan = edit_step(streamed_plan(), 1, 1, lambda step: replace(step, group=6))
    with pytest.raises(PlanError, match="outside columns_15"):
        verify(plan)


def test_catches_stores_that_are_shorter_than_they_say() -> None:
    plan = streamed_plan()
    for name in ("rows_0", "planes_3_6", "columns_6", "sums_30", "scratch_0"):
        size = next(p.buffer.bytes for p in plan.layout.buffers if p.buffer.name == name)
        with pytest.raises(PlanError, match=f"bytes of {name} and has not got them"):
            verify(resized(plan, name, size - 4))


def test_catches_a_convolution_that_works_in_place() -> None:
    """Only element-wise operators may write where they read; the pool's pixel is the input of a 1x1 convolution."""
    with pytest.raises(PlanError, match="over what it reads"):
        verify(move(streamed_plan(), "rows_30", offset(streamed_plan(), "tensor_33")))


def test_catches_rows_in_place_that_another_step_still_needs() -> None:
    plan = edit_store(patches_plan(), 0, "rows_9", inside="rows_19", bytes=0)
    with pytest.raises(PlanError, match=r"reads tensor 9 .* overwritten by tensor 18"):
        verify(plan)


def test_catches_a_kernel_that_was_told_other_steps() -> None:
    plan = streamed_plan()
    segment = plan.segments[1]
    calls = [list(group) for group in segment.step_calls]
    calls[0][0] = replace(calls[0][0], shape={**calls[0][0].shape, "output_channel_step": 50})
    changed = replace(segment, step_calls=tuple(map(tuple, calls)))
    with pytest.raises(PlanError, match="elsewhere in planes_12_15"):
        verify(replace(plan, segments=(plan.segments[0], changed, *plan.segments[2:])))


@pytest.mark.parametrize("plan", [streamed_plan(), overlapped_strips(), patches_plan()])
def test_planes_put_where_something_else_lies_are_caught(plan: Plan) -> None:
    pairs = [(a, b) for a in plan.layout.buffers for b in plan.layout.buffers if must_be_apart(a, b)]
    assert len(pairs) > 6
    for a, b in pairs:
        with pytest.raises(PlanError):
            verify(move(roomier(plan), a.buffer.name, b.offset))


def must_be_apart(a: PlacedBuffer, b: PlacedBuffer) -> bool:
    """Planes are filled before the first row and read until the last, so nothing may lie there meanwhile."""
    meet = a.buffer.first <= b.buffer.last and b.buffer.first <= a.buffer.last
    planes = any(placed.buffer.layout == "channel planes" for placed in (a, b))
    return a is not b and meet and planes and not (is_late(a) or is_late(b))


def is_late(placed: PlacedBuffer) -> bool:
    """Used by some kernels only, when planes may have been read."""
    return placed.buffer.layout in ("scratch", "int16 columns") or placed.buffer.name in ("rows_30", "tensor_33")


def test_lifetimes_are_compared_with_what_is_used() -> None:
    plan = streamed_plan()
    for name in ("tensor_9", "tensor_19", "planes_12_15", "scratch_1"):

        def later(placed: PlacedBuffer, name: str = name) -> PlacedBuffer:
            buffer = replace(placed.buffer, first=placed.buffer.first + 1, last=placed.buffer.last + 1)
            return replace(placed, buffer=buffer) if placed.buffer.name == name else placed

        with pytest.raises(PlanError, match="outside its lifetime"):
            verify(change(plan, later))


def random_plan(graph: Graph, chance: random.Random) -> Plan:
    """Cuts at random places; each part in some way that its geometry allows."""
    cuts: list[tuple[int, Streaming | None]] = []
    start, end = 0, first_block(graph) + 2 * BLOCK
    while start < end:
        cut = min(end, start + chance.randint(1, 6))
        grown = graph.operators[start].inputs[0] if chance.random() < 0.6 else None
        strips = chance.choice([1, 1, 2, 3, 4])
        options = [
            Streaming(strips, 1, chance.choice([0, 1, 3, 4]), grows_into=grown),
            Streaming(strips, chance.choice([1, 2]), chance.choice([0, 2])),
            Streaming(),
            None,
        ]
        for option in options:
            try:
                plan_of(graph, [*cuts, (cut, option)])
            except (ValueError, KeyError):
                continue
            cuts.append((cut, option))
            start = cut
            break
        else:
            cuts.append((start + 1, None))
            start += 1
    return plan_of(graph, cuts)


@pytest.mark.parametrize("kernel", [3, 5])
def test_random_schedules_pass_and_no_plan_with_a_wrong_place_does(kernel: int, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(8):
        plan = random_plan(blocks(kernel), chance)
        verify(plan)
        assert plan.arena_bytes == plan.arena_lower_bound_bytes
        pairs = [(a, b) for a in plan.layout.buffers for b in plan.layout.buffers if must_be_apart(a, b)]
        for a, b in chance.sample(pairs, min(6, len(pairs))):
            with pytest.raises(PlanError):
                verify(move(roomier(plan), a.buffer.name, b.offset))


def test_a_plan_of_the_largest_model_is_verified_fast() -> None:
    graph = zoo.network("mcunet-in4")
    assert isinstance(graph, Graph)
    pool = next(n for n, o in enumerate(graph.operators) if o.kind in ("MEAN", "AVERAGE_POOL_2D"))
    plan = plan_of(graph, [(pool // 2, Streaming(pulled=True, group=4)), (pool + 2, Streaming(group=4))])
    assert make_plan(plan.schedule, "m", "host", Target(dsp=True)).layout == plan.layout
    start = time.process_time()
    verify(plan)
    assert time.process_time() - start < 2
