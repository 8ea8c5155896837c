# SPDX-License-Identifier: Apache-2.0
"""Random sets of buffers, and what makes a layout of them legal, in its own words."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import strategies as st

from runnel.plan.plan import Buffer, Layout, Overlap, PlacedBuffer
from runnel.schedule.rows import ALIGNMENT


def assert_legal(layout: Layout) -> None:
    for a, b in itertools.combinations(layout.buffers, 2):
        assert legal_pair(a, b), f"{a} and {b} overlap"
    assert all(p.offset % ALIGNMENT == 0 and p.offset >= 0 for p in layout.buffers)
    assert all(p.end <= layout.arena_bytes for p in layout.buffers)
    assert layout.arena_bytes >= layout.lower_bound_bytes


def legal_pair(a: PlacedBuffer, b: PlacedBuffer) -> bool:
    """Apart in time, apart in bytes, in place at one byte, or the one growing into the other from below."""
    apart_in_time = a.buffer.last < b.buffer.first or b.buffer.last < a.buffer.first
    apart_in_bytes = a.end <= b.offset or b.end <= a.offset
    may_share = a.buffer.name in b.buffer.shares or b.buffer.name in a.buffer.shares
    return apart_in_time or apart_in_bytes or (may_share and a.offset == b.offset) or grows(a, b) or grows(b, a)


def grows(lower: PlacedBuffer, upper: PlacedBuffer) -> bool:
    overlap = lower.buffer.grows_into
    if overlap is None or overlap.over != upper.buffer.name or lower.buffer.first != upper.buffer.last:
        return False
    below = upper.offset - lower.offset
    return below == overlap.distance if overlap.exact else below >= overlap.distance


def assert_moves_keep_every_byte(buffers: list[Buffer], layout: Layout) -> None:
    """Writes a pattern into every buffer when it begins, makes the moves, and finds the pattern at every step."""
    arena = np.full(layout.arena_bytes, -1, np.int64)
    content = {buffer.name: number << 32 for number, buffer in enumerate(buffers)}
    steps = sorted({buffer.first for buffer in buffers} | {buffer.last for buffer in buffers})
    placed = {p.buffer.name: p for p in layout.buffers}
    assert [m.step for m in layout.moves] == sorted(m.step for m in layout.moves)
    for step in steps:
        for move in (m for m in layout.moves if m.step == step):
            source, destination = placed[move.source], placed[move.destination]
            assert source.buffer.last == step - 1 and destination.buffer.first == step
            arena[destination.offset : destination.end] = arena[source.offset : source.end].copy()
        here = [p for p in layout.buffers if p.buffer.first <= step <= p.buffer.last]
        assert {base(p) for p in here} == {b.name for b in buffers if b.first <= step <= b.last}
        for p in here:
            if "@" not in p.buffer.name and p.buffer.first == step:
                continue
            pattern = content[base(p)] + np.arange(p.buffer.aligned_bytes)
            assert (arena[p.offset : p.end] == pattern).all(), f"{p.buffer.name} is damaged at step {step}"
        for p in here:
            if "@" not in p.buffer.name and p.buffer.first == step:
                arena[p.offset : p.end] = content[base(p)] + np.arange(p.buffer.aligned_bytes)


def base(placed: PlacedBuffer) -> str:
    return placed.buffer.name.partition("@")[0]


@st.composite
def buffer_sets(draw: st.DrawFn, most: int, largest: int, steps: int = 5, *, exact: bool = True) -> list[Buffer]:
    """In-place pairs and rolling overlaps of the kind that a schedule makes: the one ends where the other begins."""
    buffers: list[Buffer] = []
    for number in range(draw(st.integers(0, most))):
        first = draw(st.integers(-1, steps))
        last = first + draw(st.sampled_from([0, 1, 1, 1, 2, 4]))
        ends = [other.name for other in buffers if other.last == first]
        size = draw(st.integers(1, largest)) * 4 - draw(st.integers(0, 3))
        shares: tuple[str, ...] = ()
        overlap = None
        kind = draw(st.sampled_from(["apart", "in place", "grows"])) if ends else "apart"
        if kind == "in place":
            shares = tuple(draw(st.lists(st.sampled_from(ends), unique=True, max_size=2)))
        elif kind == "grows":
            over, distance = draw(st.sampled_from(ends)), 4 * draw(st.integers(0, largest))
            overlap = Overlap(over, distance, exact=exact and draw(st.booleans()))
        buffers.append(Buffer(f"b{number}", size, first, last, "tensor", shares=shares, grows_into=overlap))
    return buffers


@st.composite
def networks(draw: st.DrawFn, operators: int = 40) -> list[Buffer]:
    """Chains of segments with residuals, rolling overlaps, in-place operators, rings and scratch."""
    buffers = [Buffer("t0", draw(st.integers(1, 4000)), -1, 0, "tensor")]
    size = buffers[0].bytes
    for step in range(draw(st.integers(1, operators))):
        size = max(1, int(size * draw(st.sampled_from([0.25, 0.5, 0.9, 1, 1, 1.1, 2, 6]))) % 20000)
        last = step + draw(st.sampled_from([1, 1, 1, 1, 2, 3, 8]))
        ends = [b.name for b in buffers if b.purpose == "tensor" and b.last == step]
        kind = draw(st.sampled_from(["apart", "in place", "grows", "grows"])) if ends else "apart"
        shares: tuple[str, ...] = (draw(st.sampled_from(ends)),) if kind == "in place" else ()
        overlap = None
        if kind == "grows":
            over, distance = draw(st.sampled_from(ends)), 4 * draw(st.integers(0, size // 4 + 2))
            overlap = Overlap(over, distance, exact=draw(st.sampled_from([False, False, True])))
        buffers.append(Buffer(f"t{step + 1}", size, step, last, "tensor", shares=shares, grows_into=overlap))
        for ring in range(draw(st.integers(0, 6))):
            bytes_of = draw(st.integers(1, max(1, size // 4)))
            buffers.append(Buffer(f"r{step}_{ring}", bytes_of, step, step, "ring"))
    return buffers
