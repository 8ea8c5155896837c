# SPDX-License-Identifier: Apache-2.0
"""The arena search: legal placements, none below the lower bound, none above the best that exists."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import HealthCheck, given, settings

from runnel.plan.arena import place, search
from runnel.plan.exact import Nodes, OutOfNodes, fits
from runnel.plan.lower_bound import lower_bound
from runnel.plan.packing import make_problem
from runnel.plan.plan import Buffer, Layout, Overlap, PlacedBuffer
from runnel.schedule.rows import ALIGNMENT

from .buffer_sets import assert_legal, assert_moves_keep_every_byte, buffer_sets, legal_pair, networks


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
def test_random_sets_are_placed_legally_within_the_lower_bound(buffers: list[Buffer]) -> None:
    layout = place(buffers)
    assert_legal(layout)
    assert_moves_keep_every_byte(buffers, layout)
    assert layout.arena_bytes == layout.lower_bound_bytes == lower_bound(buffers)
    assert lower_bound([p.buffer for p in layout.buffers]) == lower_bound(buffers)


@given(networks())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_random_networks_are_placed_legally_within_the_lower_bound(buffers: list[Buffer]) -> None:
    layout = place(buffers, effort=0)
    assert_legal(layout)
    assert_moves_keep_every_byte(buffers, layout)
    assert layout.arena_bytes == layout.lower_bound_bytes == lower_bound(buffers)


@given(buffer_sets(most=7, largest=5, exact=False))
@settings(max_examples=300, deadline=None)
def test_tiny_sets_have_no_moves_where_brute_force_needs_none(buffers: list[Buffer]) -> None:
    layout = place(buffers)
    assert bool(layout.moves) == (brute_force(buffers) > layout.arena_bytes)


@given(buffer_sets(most=7, largest=5, exact=False))
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


def test_moves_where_no_placement_without_them_reaches_the_lower_bound() -> None:
    """Two in-place pairs that cross in time: each alone would save 4 bytes, both at once cannot."""
    buffers = [
        Buffer("a", 4, 0, 3, "tensor", (1,)),
        Buffer("b", 16, 3, 5, "tensor", (2,), shares=("a",)),
        Buffer("c", 16, 0, 2, "tensor", (3,)),
        Buffer("d", 4, 2, 4, "tensor", (4,), shares=("c",)),
    ]
    assert brute_force(buffers) == 24
    assert search(buffers, 20) is None
    layout = place(buffers)
    assert_legal(layout)
    assert_moves_keep_every_byte(buffers, layout)
    assert layout.arena_bytes == 20
    assert len(layout.moves) == 1
    moved = next(p.buffer for p in layout.buffers if p.buffer.name == layout.moves[0].destination)
    assert moved.name == f"{layout.moves[0].source}@{layout.moves[0].step}"
    assert moved.bytes == 4 and moved.tensors in ((1,), (4,))


def test_an_output_grows_into_its_input() -> None:
    buffers = [
        Buffer("image", 1000, -1, 0, "tensor"),
        Buffer("first", 600, 0, 1, "tensor", grows_into=Overlap("image", 40)),
        Buffer("second", 900, 1, 2, "tensor", grows_into=Overlap("first", 100)),
        Buffer("ring", 200, 0, 0, "ring"),
    ]
    layout = place(buffers)
    assert_legal(layout)
    assert layout.arena_bytes == 1240 and not layout.moves


@given(buffer_sets(most=7, largest=5))
@settings(max_examples=300, deadline=None)
def test_what_the_exact_search_finds_with_exact_overlaps_is_legal(buffers: list[Buffer]) -> None:
    best = brute_force(buffers)
    offsets = fits(make_problem(buffers), best, Nodes(100_000))
    if offsets is not None:
        placed = tuple(PlacedBuffer(b, o) for b, o in zip(buffers, offsets, strict=True))
        assert_legal(Layout(placed, best, 0, True))


def test_an_exact_overlap_is_at_its_distance_or_none() -> None:
    """In-place strips: the output one row below its input; a ring keeps the place where it would lie lower."""
    image = Buffer("image", 1000, -1, 0, "tensor")
    strips = Buffer("strips", 1000, 0, 1, "tensor", grows_into=Overlap("image", 40, exact=True))
    layout = place([image, strips, Buffer("ring", 200, 0, 0, "ring"), Buffer("before", 100, -1, 0, "tensor")])
    assert_legal(layout)
    assert layout.arena_bytes == 1340
    where = {p.buffer.name: p.offset for p in layout.buffers if p.buffer.last >= 0}
    assert next(at for name, at in where.items() if name.startswith("image")) - where["strips"] == 40


def test_the_search_that_moves_nothing_looks_from_both_ends() -> None:
    """Every output grows into its input: all lie a little lower than the one before."""
    buffers = [Buffer("t0", 4000, -1, 0, "tensor"), Buffer("scratch", 400, 0, 0, "scratch")]
    for step in range(30):
        overlap = Overlap(f"t{step}", 8)
        buffers.append(Buffer(f"t{step + 1}", 4000 - 16 * step, step, step + 1, "tensor", grows_into=overlap))
    layout = place(buffers)
    assert_legal(layout)
    assert (layout.arena_bytes, layout.moves) == (lower_bound(buffers), ())


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
    assert layout.arena_bytes == brute_force(buffers) and not layout.moves


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
