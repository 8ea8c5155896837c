# SPDX-License-Identifier: Apache-2.0
"""The verifier accepts right plans and catches every way of making them wrong."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runnel.plan.arena import place
from runnel.plan.plan import Buffer, PlacedBuffer, Plan
from runnel.plan.verify import PlanError, verify

from .examples import BLOCK_SIZES, BLOCK_STEPS, Step, block_plan, change, make_graph, make_plan, move
from .simulation import runs_right


def accepts(plan: Plan) -> bool:
    try:
        verify(plan)
    except PlanError:
        return False
    return True


def offset(plan: Plan, name: str) -> int:
    return next(p.offset for p in plan.layout.buffers if p.buffer.name == name)


def with_buffer(plan: Plan, which: str, **changes: object) -> Plan:
    def edit(placed: PlacedBuffer) -> PlacedBuffer:
        if placed.buffer.name != which:
            return placed
        return replace(placed, buffer=replace(placed.buffer, **changes))  # type: ignore[arg-type]

    return change(plan, edit)


def test_a_right_plan_passes() -> None:
    verify(block_plan())
    assert runs_right(block_plan())


def test_catches_a_tensor_over_another_live_one() -> None:
    plan = block_plan()
    with pytest.raises(PlanError, match="writes tensor 1 over its input 0"):
        verify(move(plan, "t1", 0))


def test_catches_a_long_lived_tensor_that_is_overwritten_later() -> None:
    """t1 is read again by the ADD, three operators after it was first used."""
    plan = block_plan()
    with pytest.raises(PlanError, match=r"\(ADD\) reads tensor 1"):
        verify(move(plan, "t4", offset(plan, "t1")))


@pytest.mark.parametrize("name", ["t0", "t1", "t2", "t3", "t4", "t5", "t6", "t8", "t9"])
def test_catches_a_lifetime_that_ends_too_soon_or_starts_too_late(name: str) -> None:
    plan = block_plan()
    buffer = next(p.buffer for p in plan.layout.buffers if p.buffer.name == name)
    with pytest.raises(PlanError, match="outside its lifetime"):
        verify(with_buffer(plan, name, last=buffer.last - 1))
    with pytest.raises(PlanError, match="outside its lifetime"):
        verify(with_buffer(plan, name, first=buffer.first + 1))


def test_catches_misalignment() -> None:
    plan = block_plan()
    with pytest.raises(PlanError, match="multiple of 4"):
        verify(move(plan, "t6", offset(plan, "t6") + 2))


def test_catches_an_arena_that_is_too_small() -> None:
    plan = block_plan()
    layout = replace(plan.layout, arena_bytes=plan.arena_bytes - 4, lower_bound_bytes=0)
    with pytest.raises(PlanError, match="outside the arena"):
        verify(replace(plan, layout=layout))
    with pytest.raises(PlanError, match="outside the arena"):
        verify(move(plan, "t6", -4))
    with pytest.raises(PlanError, match="all its buffers together"):
        verify(replace(plan, layout=replace(plan.layout, arena_bytes=10**12)))


def test_catches_scratch_over_a_tensor_of_the_same_call() -> None:
    plan = block_plan()
    with pytest.raises(PlanError, match="scratch of operator 2"):
        verify(move(plan, "scratch2", offset(plan, "t2") + 100))


def test_catches_scratch_over_a_tensor_that_is_read_later() -> None:
    plan = block_plan()
    with pytest.raises(PlanError, match="overwritten by scratch"):
        verify(move(plan, "scratch2", offset(plan, "t1")))


def test_catches_missing_and_short_scratch() -> None:
    plan = block_plan()
    with pytest.raises(PlanError, match="scratch"):
        verify(with_buffer(plan, "scratch2", bytes=32))
    segments = (replace(plan.segments[0], scratch=None), *plan.segments[1:])
    with pytest.raises(PlanError, match="has not got"):
        verify(replace(plan, segments=segments))
    segments = (replace(plan.segments[0], scratch="nowhere"), *plan.segments[1:])
    with pytest.raises(PlanError, match="not there"):
        verify(replace(plan, segments=segments))


def test_catches_in_place_where_the_kernel_does_not_allow_it() -> None:
    """The same offsets, but the depthwise kernel no longer says that it works in place."""
    steps = [replace(s, in_place=()) if s.kind == "DEPTHWISE_CONV_2D" else s for s in BLOCK_STEPS]
    with pytest.raises(PlanError, match="over its input"):
        verify(make_plan(make_graph(BLOCK_SIZES, steps, (0,), (9, 5)), steps, block_plan().layout))


def test_catches_in_place_at_another_first_byte() -> None:
    plan = block_plan()
    layout = replace(plan.layout, arena_bytes=plan.arena_bytes + 400)
    shifted = move(replace(plan, layout=layout), "t3", offset(plan, "t2") + 80)
    with pytest.raises(PlanError, match="over its input"):
        verify(shifted)


def test_catches_swapped_offsets() -> None:
    plan = block_plan()
    one, two = offset(plan, "t1"), offset(plan, "t2")
    assert not accepts(move(move(plan, "t1", two), "t2", one))


def test_catches_a_part_of_a_concatenation_that_is_overwritten_by_the_first_part() -> None:
    steps = (Step("CONCATENATION", (0, 1), (2,)),)
    plan = make_plan(make_graph({0: 8, 1: 8, 2: 16}, steps, (0, 1), (2,)), steps)
    verify(plan)
    with pytest.raises(PlanError):
        verify(move(plan, "t2", offset(plan, "t1") - 8))


def test_catches_inputs_that_are_not_there_at_once() -> None:
    steps = (Step("ADD", (0, 1), (2,)),)
    plan = make_plan(make_graph({0: 8, 1: 8, 2: 8}, steps, (0, 1), (2,)), steps)
    with pytest.raises(PlanError, match="before the run"):
        verify(move(plan, "t1", offset(plan, "t0")))


def test_catches_an_output_that_does_not_last() -> None:
    steps = (Step("CONV_2D", (0,), (1,)), Step("CONV_2D", (0,), (2,)))
    plan = make_plan(make_graph({0: 8, 1: 8, 2: 8}, steps, (0,), (1, 2)), steps)
    with pytest.raises(PlanError, match="after the run"):
        verify(move(plan, "t2", offset(plan, "t1")))


def test_catches_an_operator_left_out_or_run_twice_or_too_early() -> None:
    plan = block_plan()
    assert not accepts(replace(plan, segments=plan.segments[:-1]))
    assert not accepts(replace(plan, segments=(*plan.segments, plan.segments[-1])))
    assert not accepts(replace(plan, segments=(plan.segments[1], plan.segments[0], *plan.segments[2:])))


def test_catches_a_call_that_is_missing_or_foreign() -> None:
    plan = block_plan()
    without = replace(plan.segments[0], calls=())
    assert not accepts(replace(plan, segments=(without, *plan.segments[1:])))
    foreign = replace(plan.segments[0], calls=(*plan.segments[0].calls, *plan.segments[1].calls))
    assert not accepts(replace(plan, segments=(foreign, *plan.segments[1:])))


def test_catches_a_tensor_without_a_place_with_two_or_with_too_little() -> None:
    plan = block_plan()
    assert not accepts(with_buffer(plan, "t4", tensors=()))
    assert not accepts(with_buffer(plan, "t4", tensors=(4, 2)))
    assert not accepts(with_buffer(plan, "t4", bytes=36))
    assert not accepts(with_buffer(plan, "t4", name="t3"))


@st.composite
def random_plans(draw: st.DrawFn) -> Plan:
    """Random graphs of byte tensors with every kind of step, planned rightly."""
    sizes = {n: draw(st.integers(1, 24)) for n in range(draw(st.integers(1, 2)))}
    inputs = tuple(sizes)
    steps: list[Step] = []
    for _ in range(draw(st.integers(1, 9))):
        kind = draw(st.sampled_from(["CONV_2D", "DEPTHWISE_CONV_2D", "ADD", "RESHAPE", "CONCATENATION", "SPLIT"]))
        many = 2 if kind in {"ADD", "CONCATENATION"} else 1
        sources = tuple(draw(st.sampled_from(sorted(sizes)[-4:])) for _ in range(many))
        scratch = 0 if kind == "RESHAPE" else draw(st.sampled_from([0, 0, 4, 12]))
        in_place = {"DEPTHWISE_CONV_2D": (0,), "ADD": (0, 1)}.get(kind, ())
        outputs = tuple(len(sizes) + i for i in range(2 if kind == "SPLIT" else 1))
        for output in outputs:
            sizes[output] = sizes[sources[0]] if kind == "RESHAPE" else draw(st.integers(1, 24))
        steps.append(Step(kind, sources, outputs, scratch, in_place))
    read = {n for step in steps for n in step.inputs}
    outputs = tuple(n for n in sizes if n not in read and n not in inputs)
    return make_plan(make_graph(sizes, steps, inputs, outputs), steps)


@given(random_plans())
@settings(max_examples=200, deadline=None)
def test_random_right_plans_pass(plan: Plan) -> None:
    verify(plan)
    assert runs_right(plan)


@given(random_plans(), st.randoms(use_true_random=False))
@settings(max_examples=400, deadline=None)
def test_on_random_offsets_the_verifier_and_the_byte_simulation_agree(plan: Plan, chance: random.Random) -> None:
    """Neither lets a wrong plan through, and the verifier refuses none that is right."""
    for _ in range(8):
        victim = chance.choice(plan.layout.buffers)
        other = chance.choice(plan.layout.buffers)
        target = chance.choice([other.offset, other.end, max(0, other.offset - 4), 4 * chance.randrange(8)])
        mutant = move(plan, victim.buffer.name, target)
        assert accepts(mutant) == runs_right(mutant)


@given(random_plans(), st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_plans_made_with_wrong_lifetimes_never_pass_when_they_run_wrong(plan: Plan, chance: random.Random) -> None:
    """Lifetimes are shortened before the offsets are searched: the search is then right, its input is not."""
    buffers = [wrong_lifetime(p.buffer, chance) if chance.random() < 0.3 else p.buffer for p in plan.layout.buffers]
    mutant = replace(plan, layout=place(buffers))
    assert runs_right(mutant) or not accepts(mutant)
    if any(
        b.last < p.buffer.last or b.first > p.buffer.first for b, p in zip(buffers, plan.layout.buffers, strict=True)
    ):
        assert not accepts(mutant)


def wrong_lifetime(buffer: Buffer, chance: random.Random) -> Buffer:
    if chance.random() < 0.3:
        return replace(buffer, shares=("t0", "t1", "t2"))
    if buffer.last == buffer.first or chance.random() < 0.5:
        return replace(buffer, first=buffer.first + 1, last=max(buffer.last, buffer.first + 1))
    return replace(buffer, last=buffer.last - 1)
