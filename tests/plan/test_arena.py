# SPDX-License-Identifier: Apache-2.0
"""The arena search: legal placements, none below the lower bound, none above the best that exists."""

from __future__ import annotations

import itertools
import random
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runnel.plan.arena import place
from runnel.plan.exact import Nodes, OutOfNodes, fits
from runnel.plan.lower_bound import lower_bound
from runnel.plan.packing import make_problem
from runnel.plan.plan import ALIGNMENT, Buffer, Layout, PlacedBuffer


def assert_legal(layout: Layout) -> None:
    for a, b in itertools.combinations(layout.buffers, 2):
        assert legal_pair(a, b), f"{a} and {b} overlap"
    assert all(p.offset % ALIGNMENT == 0 and p.offset >= 0 for p in layout.buffers)
    assert layout.arena_bytes == max((p.end for p in layout.buffers), default=0)
    assert layout.arena_bytes >= layout.lower_bound_bytes


def legal_pair(a: PlacedBuffer, b: PlacedBuffer) -> bool:
    """The rule in its own words: apart in time, apart in bytes, or in place at one byte."""
    apart_in_time = a.buffer.last < b.buffer.first or b.buffer.last < a.buffer.first
    apart_in_bytes = a.end <= b.offset or b.end <= a.offset
    may_share = a.buffer.name in b.buffer.shares or b.buffer.name in a.buffer.shares
    return apart_in_time or apart_in_bytes or (may_share and a.offset == b.offset)


@st.composite
def buffer_sets(draw: st.DrawFn, most: int, largest: int) -> list[Buffer]:
    buffers: list[Buffer] = []
    for number in range(draw(st.integers(0, most))):
        first = draw(st.integers(-1, 5))
        last = first + draw(st.sampled_from([0, 1, 1, 1, 2, 4]))
        ends = [other.name for other in buffers if other.last == first]
        shares = tuple(draw(st.lists(st.sampled_from(ends), unique=True, max_size=2))) if ends else ()
        size = draw(st.integers(1, largest)) * 4 - draw(st.integers(0, 3))
        buffers.append(Buffer(f"b{number}", size, first, last, "tensor", shares=shares))
    return buffers


def brute_force(buffers: list[Buffer]) -> int:
    """The smallest arena by trying every offset: no reasoning shared with the search."""
    limit = lower_bound(buffers)
    while not fill(buffers, [], limit):
        limit += ALIGNMENT
    return limit


def fill(rest: list[Buffer], placed: list[PlacedBuffer], limit: int) -> bool:
    if not rest:
        return True
    for offset in range(0, limit - rest[0].aligned_bytes + 1, ALIGNMENT):
        here = PlacedBuffer(rest[0], offset)
        if all(legal_pair(here, other) for other in placed) and fill(rest[1:], [*placed, here], limit):
            return True
    return False


@given(buffer_sets(most=14, largest=40))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_random_sets_are_placed_legally(buffers: list[Buffer]) -> None:
    assert_legal(place(buffers))


@given(buffer_sets(most=7, largest=5))
@settings(max_examples=300, deadline=None)
def test_tiny_sets_get_the_arena_of_brute_force(buffers: list[Buffer]) -> None:
    layout = place(buffers)
    assert layout.optimal
    assert layout.arena_bytes == brute_force(buffers)


@given(buffer_sets(most=7, largest=5))
@settings(max_examples=300, deadline=None)
def test_the_exact_search_alone_agrees_with_brute_force(buffers: list[Buffer]) -> None:
    best = brute_force(buffers)
    problem = make_problem(buffers)
    offsets = fits(problem, best, Nodes(1_000_000))
    assert offsets is not None
    placed = tuple(PlacedBuffer(b, o) for b, o in zip(buffers, offsets, strict=True))
    assert_legal(Layout(placed, max((p.end for p in placed), default=0), 0, True))
    if best:
        assert fits(problem, best - ALIGNMENT, Nodes(1_000_000)) is None


def test_proves_an_arena_above_the_lower_bound_optimal() -> None:
    """Two in-place pairs that cross in time: each alone would save 4 bytes, both at once cannot."""
    buffers = [
        Buffer("a", 4, 0, 3, "tensor"),
        Buffer("b", 16, 3, 5, "tensor", shares=("a",)),
        Buffer("c", 16, 0, 2, "tensor"),
        Buffer("d", 4, 2, 4, "tensor", shares=("c",)),
    ]
    layout = place(buffers)
    assert_legal(layout)
    assert (layout.lower_bound_bytes, layout.arena_bytes, brute_force(buffers)) == (20, 24, 24)
    assert layout.optimal


def test_exact_search_that_runs_out_of_nodes_says_so() -> None:
    buffers = [Buffer(f"b{i}", 4 * i, i % 3, i % 3 + 2, "tensor") for i in range(1, 12)]
    with pytest.raises(OutOfNodes):
        fits(make_problem(buffers), lower_bound(buffers) - 4, Nodes(1))


def test_no_buffers_need_no_arena() -> None:
    assert place([]) == Layout((), 0, 0, True)


def test_in_place_depthwise_of_stride_two_costs_its_input_only() -> None:
    buffers = [
        Buffer("image", 100, -1, 0, "tensor"),
        Buffer("wide", 76800, 0, 1, "tensor"),
        Buffer("narrow", 19200, 1, 2, "tensor", shares=("wide",)),
    ]
    layout = place(buffers)
    assert layout.arena_bytes == layout.lower_bound_bytes == 76900


def test_a_tie_that_would_hurt_is_not_used() -> None:
    """`out` may start where `in` does, but a chain of ties through it would keep others from their gap."""
    buffers = [
        Buffer("low", 40, 0, 4, "tensor"),
        Buffer("in", 8, 0, 1, "tensor"),
        Buffer("out", 80, 1, 2, "tensor", shares=("in",)),
        Buffer("next", 16, 2, 3, "tensor", shares=("out",)),
        Buffer("big", 90, 3, 4, "tensor"),
    ]
    layout = place(buffers)
    assert_legal(layout)
    assert layout.arena_bytes == brute_force(buffers)


def test_same_buffers_same_offsets() -> None:
    chance = random.Random(3)
    buffers = [Buffer(f"b{i}", chance.randint(1, 900), i, i + chance.randint(0, 9), "tensor") for i in range(60)]
    assert place(buffers) == place(buffers)


def test_a_network_of_120_operators_is_placed_fast() -> None:
    """Inverted bottlenecks of shrinking size: the lower bound is reached at once."""
    buffers = [Buffer("t0", 176 * 176 * 3, -1, 0, "tensor")]
    for number in range(1, 121):
        size = (6 if number % 3 else 1) * 200 * (125 - number)
        shares = (f"t{number - 1}",) if number % 3 == 2 else ()
        last = number + (3 if number % 6 == 0 else 0)
        buffers.append(Buffer(f"t{number}", size, number - 1, last, "tensor", (number,), shares=shares))
    start = time.perf_counter()
    layout = place(buffers)
    assert time.perf_counter() - start < 1
    assert_legal(layout)
    assert layout.arena_bytes == layout.lower_bound_bytes
