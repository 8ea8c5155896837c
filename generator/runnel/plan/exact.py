# SPDX-License-Identifier: Apache-2.0
"""Branch and bound: is there any placement within a number of bytes? Proves small arenas optimal.

A placement may be pushed down until every group rests on byte 0 or on a group that is live with it, and groups may
be placed in the order of their offsets; of two at one offset the later comes first, because an output that grows into
its input may start where that starts, and must be there before it. So it is enough to try, at every turn, each group
at its resting place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from runnel.plan.packing import Groups, Pair, Problem, make_groups

_MOST_BUFFERS = 400


class OutOfNodes(Exception):
    """The search was given up: it proves nothing either way."""


@dataclass
class Nodes:
    """How many more search nodes may be visited; shared between searches."""

    left: int

    def take(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise OutOfNodes


def fits(problem: Problem, limit: int, nodes: Nodes) -> list[int] | None:
    """Offsets (bytes) of all buffers within `limit` bytes, or None when there is proved to be none.

    Tries every useful choice of which in-place pairs are tied. Raises OutOfNodes, also when there are so many
    buffers that the search would not get to its end (it recurses once per buffer).
    """
    if len(problem.sizes) > _MOST_BUFFERS:
        raise OutOfNodes
    for groups in _tie_choices(problem, nodes):
        found = _Search(problem, groups, limit, nodes).run()
        if found is not None:
            return spread(groups, found)
    return None


def spread(groups: Groups, offsets: Sequence[int]) -> list[int]:
    """From offsets of groups to offsets of buffers."""
    placed = {number: offsets[group] for group, numbers in enumerate(groups.members) for number in numbers}
    return [placed[number] for number in range(len(placed))]


def _tie_choices(problem: Problem, nodes: Nodes) -> Iterator[Groups]:
    """Every partition that some subset of the ties makes, most ties first."""
    seen: set[tuple[tuple[int, ...], ...]] = set()
    count = len(problem.ties)
    for mask in range(1 << count):
        nodes.take()
        ties: list[Pair] = [tie for bit, tie in enumerate(problem.ties) if not mask >> (count - 1 - bit) & 1]
        groups = make_groups(problem, ties)
        if groups.members not in seen:
            seen.add(groups.members)
            yield groups


class _Search:
    """One depth-first search over orders of the groups of one tie choice."""

    def __init__(self, problem: Problem, groups: Groups, limit: int, nodes: Nodes) -> None:
        self.groups, self.limit, self.nodes = groups, limit, nodes
        self.count = len(groups.members)
        self.steps = _heights_by_step(problem, groups)
        self.rank = _ranks(problem, groups)

    def run(self) -> list[int] | None:
        return self._extend([-1] * self.count, [0] * self.count, -1)

    def _extend(self, offsets: list[int], rest: list[int], previous: int) -> list[int] | None:
        """Place one more group. rest: where each unplaced group would rest; previous: the group placed last."""
        self.nodes.take()
        waiting = [group for group in range(self.count) if offsets[group] < 0]
        if not waiting:
            return offsets
        floor = (offsets[previous], self.rank[previous]) if previous >= 0 else (0, -1)
        if not self._may_fit(offsets, floor[0]):
            return None
        ceiling = min(max(rest[group], floor[0]) + self.groups.heights[group] for group in waiting)
        choices = sorted((self._resting(offsets, rest, group), self.rank[group], group) for group in waiting)
        for place, rank, group in choices:
            if (place, rank) <= floor:
                continue
            # Another group would fit wholly below this one: the placements with it there are tried in its branch.
            if place >= ceiling and self.groups.heights[group] > 0:
                break
            if place + self.groups.heights[group] > self.limit:
                continue
            found = self._extend(*self._put(offsets, rest, group, place), group)
            if found is not None:
                return found
        return None

    def _put(self, offsets: list[int], rest: list[int], group: int, place: int) -> tuple[list[int], list[int]]:
        offsets, rest = list(offsets), list(rest)
        offsets[group] = place
        for neighbour in self.groups.neighbours[group]:
            hole = neighbour.hole if neighbour.hole is not None and neighbour.hole >= 0 else neighbour.mine
            rest[neighbour.group] = max(rest[neighbour.group], place + min(hole, neighbour.mine))
        return offsets, rest

    def _resting(self, offsets: Sequence[int], rest: Sequence[int], group: int) -> int:
        """Where the group would rest, which is not inside another that it may only meet at one place."""
        place = rest[group]
        for neighbour in self.groups.neighbours[group]:
            there = offsets[neighbour.group]
            if neighbour.hole is not None and there >= 0 and there - neighbour.hole < place < there + neighbour.theirs:
                place = there + neighbour.theirs
        return place

    def _may_fit(self, offsets: list[int], floor: int) -> bool:
        """False when at some step the groups still to come, all at `floor` or above, must pass the limit."""
        for step in self.steps:
            top, coming = floor, 0
            for group, height in step.heights:
                if offsets[group] < 0:
                    coming += height
                else:
                    top = max(top, offsets[group] + height)
            for lower, upper, height, upper_height, span in step.rolling:
                if offsets[upper] >= 0:
                    continue  # then the lower one is there, or has to come as a whole
                if offsets[lower] < 0:
                    coming -= height + upper_height - span
                else:
                    coming -= upper_height
                    top = max(top, offsets[lower] + span)
            if (top + coming if coming else top) > self.limit:
                return False
        return True


@dataclass(frozen=True)
class _Step:
    """heights: (group, bytes that it takes up) of the live groups.

    rolling: (lower group, upper group, bytes of the lower, of the upper, of both together).
    """

    heights: tuple[tuple[int, int], ...]
    rolling: tuple[tuple[int, int, int, int, int], ...]


def _heights_by_step(problem: Problem, groups: Groups) -> tuple[_Step, ...]:
    """One for each step at which something begins."""
    group_of = {number: group for group, numbers in enumerate(groups.members) for number in numbers}
    steps = []
    for step in sorted({span[0] for span in problem.spans}):
        heights: dict[int, int] = {}
        for number, (first, last) in enumerate(problem.spans):
            if first <= step <= last:
                group = group_of[number]
                heights[group] = max(heights.get(group, 0), problem.sizes[number])
        rolling = []
        for (lower, upper), distance in problem.rolling.items():
            if problem.spans[lower][0] == step:
                low, high = heights[group_of[lower]], heights[group_of[upper]]
                rolling.append((group_of[lower], group_of[upper], low, high, max(low, distance + high)))
        steps.append(_Step(tuple(heights.items()), tuple(rolling)))
    return tuple(steps)


def _ranks(problem: Problem, groups: Groups) -> list[int]:
    """Places of the groups in the order in which equal offsets are given away: the latest first."""
    begins = [max(problem.spans[number][0] for number in numbers) for numbers in groups.members]
    order = sorted(range(len(groups.members)), key=lambda group: (-begins[group], group))
    rank = [0] * len(order)
    for place, group in enumerate(order):
        rank[group] = place
    return rank
