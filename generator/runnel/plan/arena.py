# SPDX-License-Identifier: Apache-2.0
"""Find a place in the arena for every buffer: always as few bytes as the lower bound says, without moves if possible.

First fit in several good orders, then hill climbing on the order as Arm's Vela compiler does it
(ethos-u-vela, hillclimb_allocation.py: take what is in the way of the highest buffer and place it earlier),
then branch and bound as far as it goes. Where none of them reaches the lower bound, tensors are moved between steps
(plan/compaction.py). Deterministic: the same buffers and seed give the same layout. All sizes are bytes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from runnel.plan.compaction import compact
from runnel.plan.exact import Nodes, OutOfNodes, fits, spread
from runnel.plan.lower_bound import lower_bound
from runnel.plan.packing import (
    Groups,
    Pair,
    Problem,
    arena_of,
    first_fit,
    first_fit_from_the_top,
    make_groups,
    make_problem,
)
from runnel.plan.plan import Buffer, Layout, PlacedBuffer

_ROUNDS = (250, 500)
_NODES = 2000
_MANY_MEETINGS = 500
"""Pairs of buffers that meet. Above, a round of the search takes so long that there are fewer of them."""


@dataclass(frozen=True)
class _Placement:
    """A complete answer. `ties` are the pairs that `groups` was made with."""

    arena: int
    groups: Groups
    order: tuple[int, ...]
    offsets: tuple[int, ...]
    ties: tuple[Pair, ...]


def place(buffers: Sequence[Buffer], *, seed: int = 0, effort: int = 1) -> Layout:
    """Offsets for all buffers, in the order given; buffers that are moved are followed by their later places.

    Buffers live at a common step never share a byte, except that two of which one names the other in `shares` may
    start at the same byte, and that a buffer may lie over the one that it grows into. effort scales how long the
    search for a layout without moves goes on (0: one first fit only). The arena is the lower bound in any case.
    """
    bound = lower_bound(buffers)
    offsets = search(buffers, bound, seed=seed, effort=effort)
    if offsets is None:
        return compact(buffers, bound)
    placed = tuple(PlacedBuffer(buffer, offset) for buffer, offset in zip(buffers, offsets, strict=True))
    return Layout(placed, bound, bound, optimal=True)


def search(buffers: Sequence[Buffer], limit: int, *, seed: int = 0, effort: int = 1) -> list[int] | None:
    """Offsets within `limit` bytes without any moves, or None where none were found."""
    stacks = _stacks(buffers)
    wholes = [_stack(stack) for stack in stacks]
    found = _search(make_problem(wholes), limit, seed, effort)
    if found is None and len(wholes) < len(buffers):
        stacks, found = [(buffer,) for buffer in buffers], _search(make_problem(buffers), limit, seed, effort)
    if found is None:
        return None
    places: dict[str, int] = {}
    for stack, offset in zip(stacks, found, strict=True):
        for buffer in stack:
            places[buffer.name] = offset
            offset += buffer.aligned_bytes
    return [places[buffer.name] for buffer in buffers]


def _stacks(buffers: Sequence[Buffer]) -> list[tuple[Buffer, ...]]:
    """Rings and scratch that live at one step only are stacked upon each other; every other buffer is alone."""
    shared = {name for buffer in buffers for name in buffer.shares}
    shared |= {buffer.grows_into.over for buffer in buffers if buffer.grows_into is not None}
    local: dict[int, list[Buffer]] = {}
    stacks: list[tuple[Buffer, ...]] = []
    for buffer in buffers:
        alone = buffer.shares or buffer.grows_into is not None or buffer.name in shared
        if buffer.first < buffer.last or alone:
            stacks.append((buffer,))
        else:
            local.setdefault(buffer.first, []).append(buffer)
    return stacks + [tuple(stack) for stack in local.values()]


def _stack(stack: tuple[Buffer, ...]) -> Buffer:
    if len(stack) == 1:
        return stack[0]
    size = sum(buffer.aligned_bytes for buffer in stack)
    return Buffer("+".join(buffer.name for buffer in stack), size, stack[0].first, stack[0].last, "scratch")


def _search(problem: Problem, limit: int, seed: int, effort: int) -> list[int] | None:
    """Offsets of the buffers within `limit` bytes; None where the search ended without."""
    best = _greedy(problem, limit, thorough=effort > 0)
    patience = effort * min(1.0, _MANY_MEETINGS / max(1, len(problem.meetings)))
    for attempt, rounds in enumerate(_ROUNDS):
        if best.arena <= limit or not effort:
            break
        best = _climb(problem, best, limit, seed + attempt, int(rounds * patience))
        if best.arena > limit:
            with suppress(OutOfNodes):
                return fits(problem, limit, Nodes(int(_NODES * patience)))
    return spread(best.groups, best.offsets) if best.arena <= limit else None


def _greedy(problem: Problem, bound: int, *, thorough: bool) -> _Placement:
    """First fit in several orders, from both ends, with and without in-place ties; stops at the lower bound."""
    best: _Placement | None = None
    for ties in (problem.ties, problem.ties[::-1], ()):
        groups = make_groups(problem, ties)
        for order in _orders(problem, groups):
            for candidate in (_pack(groups, order, ties), _pack_from_the_top(groups, order, ties)):
                if best is None or candidate.arena < best.arena:
                    best = candidate
            if best is not None and (best.arena <= bound or not thorough):
                return best
        if not problem.ties:
            break
    assert best is not None
    return best


def _pack(groups: Groups, order: Sequence[int], ties: Sequence[Pair]) -> _Placement:
    offsets = first_fit(groups, order)
    return _Placement(arena_of(groups, offsets), groups, tuple(order), tuple(offsets), tuple(ties))


def _pack_from_the_top(groups: Groups, order: Sequence[int], ties: Sequence[Pair]) -> _Placement:
    """Its order is that of the offsets, from which first fit makes the same placement or a lower one."""
    offsets = first_fit_from_the_top(groups, order)
    return _pack(groups, sorted(order, key=lambda group: offsets[group]), ties)


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
