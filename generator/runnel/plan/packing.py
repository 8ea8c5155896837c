# SPDX-License-Identifier: Apache-2.0
"""The arena as a packing problem: which buffers meet in time, which are tied to one offset, and first fit.

Buffers that work in place are tied into a group with one offset. A group's height may differ from step to step,
so what counts between two groups is how high each one is while the other is live. Under a buffer that it grows into
an output is only as high as the distance between the two: above that they may overlap. All sizes are bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from runnel.plan.lower_bound import may_start_together, rolling_pairs
from runnel.plan.plan import Buffer

Pair = tuple[int, int]


@dataclass(frozen=True)
class Problem:
    """Buffers by number. meetings: pairs live at a common step; ties: those of them that may share a first byte.

    rolling: (lower, upper) -> bytes that the first must start below the second to lie over it: at least so many, or
    just so many where the pair is in `exact`.
    """

    sizes: tuple[int, ...]
    spans: tuple[Pair, ...]
    meetings: tuple[Pair, ...]
    ties: tuple[Pair, ...]
    rolling: Mapping[Pair, int]
    exact: frozenset[Pair] = frozenset()


@dataclass(frozen=True)
class Neighbour:
    """Another group that is live while this one is.

    The other must start `mine` bytes above this group or more, or else `theirs` bytes below it or more; or just
    `hole` bytes above it (below where negative).
    """

    group: int
    mine: int
    theirs: int
    hole: int | None = None

    def turned(self) -> Neighbour:
        """The same in an arena whose last byte is the first."""
        return Neighbour(self.group, self.theirs, self.mine, None if self.hole is None else -self.hole)


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
    pairs = {(numbers[p.lower.name], numbers[p.upper.name]): p for p in rolling_pairs(buffers)}
    rolling = {pair: overlap.distance for pair, overlap in pairs.items()}
    paired = {(number, spans[lower][0]) for lower, upper in rolling for number in (lower, upper)}
    ties = [
        (a, b)
        for a, b in meetings
        if may_start_together(buffers[a], buffers[b])
        and not {(a, max(spans[a][0], spans[b][0])), (b, max(spans[a][0], spans[b][0]))} & paired
    ]
    ties.sort(key=lambda pair: (-min(sizes[pair[0]], sizes[pair[1]]), pair))
    exact = frozenset(pair for pair, overlap in pairs.items() if overlap.exact)
    return Problem(sizes, spans, tuple(sorted(meetings)), tuple(ties), rolling, exact)


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
    meetings: Counter[Pair] = Counter()
    for a, b in problem.meetings:
        for number, other in ((a, b), (b, a)):
            group, across = group_of[number], group_of[other]
            if group != across:
                exact = (number, other) in problem.exact
                height = problem.sizes[number] if exact else problem.rolling.get((number, other), problem.sizes[number])
                height_under[group][across] = max(height_under[group].get(across, 0), height)
                meetings[group, across] += 1
    holes: dict[Pair, int] = {}
    for lower, upper in problem.exact:
        group, across = group_of[lower], group_of[upper]
        if meetings[group, across] == 1:
            holes[group, across], holes[across, group] = problem.rolling[lower, upper], -problem.rolling[lower, upper]
    neighbours = tuple(
        tuple(
            Neighbour(other, mine, height_under[other][group], holes.get((group, other)))
            for other, mine in sorted(heights.items())
        )
        for group, heights in enumerate(height_under)
    )
    return Groups(tuple(members), tuple(max(problem.sizes[n] for n in m) for m in members), neighbours)


def first_fit(groups: Groups, order: Sequence[int]) -> list[int]:
    """Offsets of the groups when each, in this order, takes the lowest place that is free for all its life.

    Every best placement is reached by some order (that of its own offsets), so searching orders loses nothing.
    """
    offsets: list[int | None] = [None] * len(groups.members)
    for group in order:
        offsets[group] = _lowest_free(groups.neighbours[group], offsets, 0)
    return [offset for offset in offsets if offset is not None]


def first_fit_from_the_top(groups: Groups, order: Sequence[int]) -> list[int]:
    """The same with the arena turned over: each group takes the highest place, the last byte of the arena is fixed.

    Good for chains of rolling overlaps, in which every output starts a little below its input.
    """
    turned = tuple(tuple(n.turned() for n in neighbours) for neighbours in groups.neighbours)
    below_top: list[int | None] = [None] * len(groups.members)
    for group in order:
        below_top[group] = _lowest_free(turned[group], below_top, groups.heights[group])
    found = [distance for distance in below_top if distance is not None]
    arena = max(found, default=0)
    return [arena - distance for distance in found]


def _lowest_free(neighbours: Iterable[Neighbour], places: Sequence[int | None], place: int) -> int:
    """The lowest value from `place` on that no neighbour with a place already blocks."""
    blocked: list[Pair] = []
    for neighbour in neighbours:
        there = places[neighbour.group]
        if there is None:
            continue
        first, end = there - neighbour.mine, there + neighbour.theirs
        if neighbour.hole is None:
            blocked.append((first, end))
        else:
            blocked += ((first, there - neighbour.hole), (there - neighbour.hole, end))
    blocked.sort()
    for first, end in blocked:
        if place <= first:
            break
        place = max(place, end)
    return place


def arena_of(groups: Groups, offsets: Sequence[int]) -> int:
    """Bytes up to the end of the highest group."""
    return max((offset + height for offset, height in zip(offsets, groups.heights, strict=True)), default=0)
