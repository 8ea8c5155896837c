# SPDX-License-Identifier: Apache-2.0
"""Find a place in the arena for every buffer: offsets by search, as few bytes as possible.

First fit in several good orders, then hill climbing on the order as Arm's Vela compiler does it
(ethos-u-vela, hillclimb_allocation.py: take what is in the way of the highest buffer and place it earlier),
and where the lower bound is not reached branch and bound: it proves the placement optimal or improves it.
Deterministic: the same buffers and seed give the same offsets. All sizes are bytes.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from runnel.plan.exact import Nodes, OutOfNodes, fits, spread
from runnel.plan.lower_bound import lower_bound
from runnel.plan.packing import Groups, Pair, Problem, arena_of, first_fit, make_groups, make_problem, window
from runnel.plan.plan import ALIGNMENT, Buffer, Layout, PlacedBuffer

_MANY = 250
"""Buffers. Above, a round of the search takes so long that there are fewer of them, and none are exhaustive."""


@dataclass(frozen=True)
class _Placement:
    """A complete answer. `ties` are the pairs that `groups` was made with."""

    arena: int
    groups: Groups
    order: tuple[int, ...]
    offsets: tuple[int, ...]
    ties: tuple[Pair, ...]


def place(buffers: Sequence[Buffer], *, seed: int = 0, effort: int = 1) -> Layout:
    """Offsets for all buffers, in the order given.

    Buffers live at a common step never share a byte, except that two of which one names the other in `shares` may
    start at the same byte. effort scales how long the search goes on while the lower bound is not reached (0: one
    first fit only). `Layout.optimal` is set when the lower bound is reached or the search proved there is no better.
    """
    problem = make_problem(buffers)
    bound = lower_bound(buffers)
    best = _greedy(problem, bound)
    optimal = best.arena == bound
    patience = effort * min(1.0, (_MANY / max(1, len(buffers))) ** 2)
    for attempt, rounds in enumerate((250, 1250, 1250)):
        if optimal or effort <= 0:
            break
        best = _climb(problem, best, bound, seed + attempt, int(rounds * patience))
        optimal = best.arena == bound or _is_proved(problem, best.arena, 500 * effort)
    arena, offsets = best.arena, spread(best.groups, best.offsets)
    if not optimal and effort > 0 and len(buffers) <= _MANY:
        arena, offsets, optimal = _exhaust(problem, arena, offsets, bound, 4000 * effort)
    placed = tuple(PlacedBuffer(buffer, offset) for buffer, offset in zip(buffers, offsets, strict=True))
    return Layout(placed, arena, bound, optimal)


def _greedy(problem: Problem, bound: int) -> _Placement:
    """First fit in several orders, with and without in-place ties; stops at the lower bound."""
    best: _Placement | None = None
    for ties in (problem.ties, problem.ties[::-1], ()):
        groups = make_groups(problem, ties)
        for order in _orders(problem, groups):
            candidate = _pack(groups, order, ties)
            if best is None or candidate.arena < best.arena:
                best = candidate
            if best.arena <= bound:
                return best
    assert best is not None
    return best


def _pack(groups: Groups, order: Sequence[int], ties: Sequence[Pair]) -> _Placement:
    offsets = first_fit(groups, order)
    return _Placement(arena_of(groups, offsets), groups, tuple(order), tuple(offsets), tuple(ties))


def _orders(problem: Problem, groups: Groups) -> Iterator[list[int]]:
    """Orders that are often good: large first, those live at crowded steps first, by time and backwards."""
    numbers = range(len(groups.members))
    first = [min(problem.spans[n][0] for n in members) for members in groups.members]
    last = [max(problem.spans[n][1] for n in members) for members in groups.members]
    crowd = [height + sum(n.theirs for n in groups.neighbours[g]) for g, height in enumerate(groups.heights)]
    yield sorted(numbers, key=lambda g: (-groups.heights[g], first[g], g))
    yield sorted(numbers, key=lambda g: (-groups.heights[g], -first[g], g))
    yield sorted(numbers, key=lambda g: (-crowd[g], -groups.heights[g], g))
    yield sorted(numbers, key=lambda g: (first[g] - last[g], -groups.heights[g], g))
    yield sorted(numbers, key=lambda g: (first[g], -groups.heights[g], g))
    yield sorted(numbers, key=lambda g: (-last[g], -groups.heights[g], g))


def _climb(problem: Problem, start: _Placement, bound: int, seed: int, rounds: int) -> _Placement:
    """Hill climbing: change the order, or now and then a tie, and keep what is no worse."""
    chance = random.Random(seed)
    best = now = start
    for _ in range(rounds):
        if problem.ties and chance.random() < 0.15:
            candidate = _flip_tie(problem, now, chance)
        else:
            candidate = _pack(now.groups, _reorder(now, chance), now.ties)
        if candidate.arena <= now.arena or chance.random() < 0.02:
            now = candidate
        if now.arena < best.arena:
            best = now
        if best.arena <= bound:
            break
    return best


def _reorder(now: _Placement, chance: random.Random) -> list[int]:
    """Move a group that the highest group rests on, directly or not, or that group itself, to an earlier place."""
    groups, offsets = now.groups, now.offsets
    tops = [g for g, height in enumerate(groups.heights) if offsets[g] + height == now.arena]
    moved = chance.choice(tops)
    for _ in range(chance.randrange(4)):
        below = [n.group for n in groups.neighbours[moved] if offsets[n.group] < offsets[moved]]
        if not below:
            break
        moved = chance.choice(below)
    order = list(now.order)
    order.remove(moved)
    order.insert(chance.randrange(len(order) + 1), moved)
    return order


def _flip_tie(problem: Problem, now: _Placement, chance: random.Random) -> _Placement:
    """Untie one pair, or tie it before all others; the order follows the offsets the buffers have now."""
    tie = chance.choice(problem.ties)
    ties = tuple(t for t in now.ties if t != tie) if tie in now.ties else (tie, *now.ties)
    if chance.random() < 0.3:
        ties = (tie, *(t for t in ties if t != tie))
    groups = make_groups(problem, ties)
    offsets = spread(now.groups, now.offsets)
    order = sorted(range(len(groups.members)), key=lambda g: (min(offsets[n] for n in groups.members[g]), g))
    return _pack(groups, order, ties)


def _is_proved(problem: Problem, arena: int, nodes: int) -> bool:
    """Whether the buffers of a few steps alone need this arena: then there is no better placement of all.

    Tries ever wider windows of time around the fullest steps, each with so many search nodes.
    """
    for first, last in _windows(problem):
        with suppress(OutOfNodes):
            if fits(window(problem, first, last), arena - ALIGNMENT, Nodes(nodes)) is None:
                return True
    return False


def _exhaust(problem: Problem, arena: int, offsets: list[int], bound: int, nodes: int) -> tuple[int, list[int], bool]:
    """Improve the placement by searching all of them, as far as the nodes go: (arena, offsets, optimal)."""
    budget = Nodes(nodes)
    with suppress(OutOfNodes):
        while arena > bound:
            better = fits(problem, arena - ALIGNMENT, budget)
            if better is None:
                break
            offsets = better
            arena = max(offset + size for offset, size in zip(offsets, problem.sizes, strict=True))
        return arena, offsets, True
    return arena, offsets, False


def _windows(problem: Problem) -> Iterator[Pair]:
    """Windows of 2, 4, 8 and 16 steps about the three fullest steps, narrow ones first."""
    load: Counter[int] = Counter()
    for size, (first, last) in zip(problem.sizes, problem.spans, strict=True):
        load.update(dict.fromkeys(range(first, last + 1), size))
    fullest = sorted(load, key=lambda step: (-load[step], step))[:3]
    for width in (2, 4, 8, 16):
        for step in fullest:
            yield from ((step - before, step - before + width - 1) for before in (0, width // 2, width - 1))
