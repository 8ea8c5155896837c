# SPDX-License-Identifier: Apache-2.0
"""The arena as a packing problem: which buffers meet in time, which are tied to one offset, and first fit.

Buffers that work in place are tied into a group with one offset. A group's height may differ from step to step,
so what counts between two groups is how high each one is while the other is live. Under a buffer that it grows into
an output is only as high as the distance between the two: above that they may overlap. All sizes are bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from runnel.plan.lower_bound import may_start_together, rolling_pairs
from runnel.plan.plan import Buffer

Pair = tuple[int, int]


@dataclass(frozen=True)
class Problem:
    """Buffers by number. meetings: pairs live at a common step; ties: those of them that may share a first byte.

    rolling: (lower, upper) -> bytes that the first must start below the second, at least, to lie over it.
    """

    sizes: tuple[int, ...]
    spans: tuple[Pair, ...]
    meetings: tuple[Pair, ...]
    ties: tuple[Pair, ...]
    rolling: Mapping[Pair, int]


@dataclass(frozen=True)
class Neighbour:
    """Another group that is live while this one is.

    The other must start `mine` bytes above this group or more, or else `theirs` bytes below it or more.
    """

    group: int
    mine: int
    theirs: int


@dataclass(frozen=True)
class Groups:
    """A partition of the buffers: members of a group start at one byte. heights: largest member of each group."""

    members: tuple[tuple[int, ...], ...]
    heights: tuple[int, ...]
    neighbours: tuple[tuple[Neighbour, ...], ...]


def make_problem(buffers: Sequence[Buffer]) -> Problem:
    """Number the buffers and find their meetings, ties and rolling overlaps. Ties come largest saving first."""
    sizes = tuple(buffer.aligned_bytes for buffer in buffers)
    spans = tuple((buffer.first, buffer.last) for buffer in buffers)
    by_first = sorted(range(len(buffers)), key=lambda number: (spans[number], number))
    meetings: list[Pair] = []
    live: list[int] = []
    for number in by_first:
        live = [other for other in live if spans[other][1] >= spans[number][0]]
        meetings += [(min(number, other), max(number, other)) for other in live]
        live.append(number)
    names = [buffer.name for buffer in buffers]
    numbers = {name: number for number, name in enumerate(names)}
    rolling = {(numbers[p.lower.name], numbers[p.upper.name]): p.distance for p in rolling_pairs(buffers)}
    paired = {(number, spans[lower][0]) for lower, upper in rolling for number in (lower, upper)}
    ties = [
        (a, b)
        for a, b in meetings
        if may_start_together(buffers[a], buffers[b])
        and not {(a, max(spans[a][0], spans[b][0])), (b, max(spans[a][0], spans[b][0]))} & paired
    ]
    ties.sort(key=lambda pair: (-min(sizes[pair[0]], sizes[pair[1]]), pair))
    return Problem(sizes, spans, tuple(sorted(meetings)), tuple(ties), rolling)


def make_groups(problem: Problem, ties: Iterable[Pair]) -> Groups:
    """Tie buffers in the order of `ties`, leaving out those that would put two at one byte that may not share."""
    home = list(range(len(problem.sizes)))
    members = {number: [number] for number in home}
    meetings, allowed = set(problem.meetings), set(problem.ties)
    for a, b in ties:
        into, gone = sorted((home[a], home[b]))
        if into == gone:
            continue
        crossing = [(min(i, j), max(i, j)) for i in members[into] for j in members[gone]]
        if all(pair in allowed for pair in crossing if pair in meetings):
            members[into] += members.pop(gone)
            for number in members[into]:
                home[number] = into
    return _with_neighbours(problem, [tuple(sorted(m)) for _, m in sorted(members.items())])


def _with_neighbours(problem: Problem, members: Sequence[tuple[int, ...]]) -> Groups:
    group_of = {number: group for group, numbers in enumerate(members) for number in numbers}
    height_under: list[dict[int, int]] = [{} for _ in members]
    for a, b in problem.meetings:
        for number, other in ((a, b), (b, a)):
            group, across = group_of[number], group_of[other]
            if group != across:
                height = problem.rolling.get((number, other), problem.sizes[number])
                height_under[group][across] = max(height_under[group].get(across, 0), height)
    neighbours = tuple(
        tuple(Neighbour(other, mine, height_under[other][group]) for other, mine in sorted(heights.items()))
        for group, heights in enumerate(height_under)
    )
    return Groups(tuple(members), tuple(max(problem.sizes[n] for n in m) for m in members), neighbours)


def first_fit(groups: Groups, order: Sequence[int]) -> list[int]:
    """Offsets of the groups when each, in this order, takes the lowest place that is free for all its life.

    Every best placement is reached by some order (that of its own offsets), so searching orders loses nothing.
    """
    offsets = [-1] * len(groups.members)
    for group in order:
        blocked = sorted(
            (offsets[n.group] - n.mine, offsets[n.group] + n.theirs)
            for n in groups.neighbours[group]
            if offsets[n.group] >= 0
        )
        offsets[group] = _lowest_free(blocked, 0)
    return offsets


def first_fit_from_the_top(groups: Groups, order: Sequence[int]) -> list[int]:
    """The same with the arena turned over: each group takes the highest place, the last byte of the arena is fixed.

    Good for chains of rolling overlaps, in which every output starts a little below its input.
    """
    below_top = [-1] * len(groups.members)
    for group in order:
        blocked = sorted(
            (below_top[n.group] - n.theirs, below_top[n.group] + n.mine)
            for n in groups.neighbours[group]
            if below_top[n.group] >= 0
        )
        below_top[group] = _lowest_free(blocked, groups.heights[group])
    arena = max(below_top, default=0)
    return [arena - distance for distance in below_top]


def _lowest_free(blocked: Sequence[Pair], place: int) -> int:
    """The lowest value from `place` on that is not strictly inside a blocked interval; they come sorted."""
    for start, end in blocked:
        if place <= start:
            break
        place = max(place, end)
    return place


def arena_of(groups: Groups, offsets: Sequence[int]) -> int:
    """Bytes up to the end of the highest group."""
    return max((offset + height for offset, height in zip(offsets, groups.heights, strict=True)), default=0)
