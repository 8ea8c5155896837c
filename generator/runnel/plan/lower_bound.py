# SPDX-License-Identifier: Apache-2.0
"""The least arena any placement could reach, from the buffers alone: the largest sum of bytes live at one step.

It never looks at offsets, so it judges the arena search from outside. `plan/compaction.py` shows that it is always
reached when tensors may be moved between steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from runnel.plan.plan import Buffer


@dataclass(frozen=True)
class Rolling:
    """Rolling overlap that holds: `upper` dies in the step in which `lower` takes over its consumed rows.

    distance: bytes that `lower` starts below `upper`, at least; just so many where it is exact.
    """

    lower: Buffer
    upper: Buffer
    distance: int
    exact: bool

    @property
    def bytes(self) -> int:
        """What the two take up together at least, in the only step in which they meet."""
        return max(self.distance + self.upper.aligned_bytes, self.lower.aligned_bytes)


@dataclass(frozen=True)
class Unit:
    """Buffers that take up one stretch of bytes at a step. With `rolling` they are its two; else all start there."""

    buffers: tuple[Buffer, ...]
    bytes: int
    rolling: Rolling | None = None


def lower_bound(buffers: Sequence[Buffer]) -> int:
    """Bytes that must be live at the worst step, each buffer rounded up to the alignment.

    Buffers that may start at the same byte (in place) count as the larger of the two where they meet in time, a
    rolling overlap as what the two span.
    """
    return max((live_bytes(buffers, step) for step in change_steps(buffers)), default=0)


def peak_step(buffers: Sequence[Buffer]) -> int:
    """The first step at which `lower_bound` is reached; 0 when there are no buffers."""
    return max(change_steps(buffers), key=lambda step: (live_bytes(buffers, step), -step), default=0)


def change_steps(buffers: Sequence[Buffer]) -> tuple[int, ...]:
    """Steps at which a buffer becomes live. The set of live buffers is largest at one of these."""
    return tuple(sorted({buffer.first for buffer in buffers}))


def live_bytes(buffers: Sequence[Buffer], step: int) -> int:
    """Least bytes that the buffers live at `step` can occupy, in-place and rolling pairs taken once."""
    return sum(unit.bytes for unit in live_units(buffers, step))


def live_units(buffers: Sequence[Buffer], step: int) -> tuple[Unit, ...]:
    """The stretches of bytes that the buffers live at `step` take up when they are packed best."""
    live = [buffer for buffer in buffers if buffer.first <= step <= buffer.last]
    rolling = [pair for pair in rolling_pairs(live) if pair.lower.first == step]
    paired = {buffer.name for pair in rolling for buffer in (pair.lower, pair.upper)}
    others = [buffer for buffer in live if buffer.name not in paired]
    units = [Unit((pair.lower, pair.upper), pair.bytes, pair) for pair in rolling]
    return (*units, *_in_place_units(others))


def rolling_pairs(buffers: Sequence[Buffer]) -> tuple[Rolling, ...]:
    """The overlaps that `grows_into` allows, where they save bytes. At any step a buffer is in one pair at most."""
    growing = [buffer for buffer in buffers if buffer.grows_into is not None]
    named = {buffer.name: buffer for buffer in buffers} if growing else {}
    found: list[Rolling] = []
    taken: set[tuple[str, int]] = set()
    for lower in growing:
        assert lower.grows_into is not None
        upper = named.get(lower.grows_into.over)
        step = lower.first
        if upper is None or upper is lower or upper.last != step or {(lower.name, step), (upper.name, step)} & taken:
            continue
        if lower.grows_into.distance < lower.aligned_bytes:
            found.append(Rolling(lower, upper, lower.grows_into.distance, lower.grows_into.exact))
            taken |= {(lower.name, step), (upper.name, step)}
    return tuple(found)


def may_start_together(a: Buffer, b: Buffer) -> bool:
    """Whether a kernel works in place on the two, which then meet in the step of that kernel only."""
    return a is not b and (a.name in b.shares or b.name in a.shares) and max(a.first, b.first) == min(a.last, b.last)


def _in_place_units(live: Sequence[Buffer]) -> list[Unit]:
    """Partition the buffers into cliques of in-place pairs; each clique costs its largest member. Least total.

    Buffers at one place must all share with each other, hence cliques. Largest first: a clique costs its first
    member, so the search only decides which later ones come for free. Buffers that share with nothing are alone.
    """
    pairs = _share_pairs(live)
    sharing = {name for pair in pairs for name in pair}
    rest = sorted((b for b in live if b.name in sharing), key=lambda b: (-b.aligned_bytes, b.name))
    # those of one streamed segment all share with each other: no need to try partitions
    together = all(frozenset((a.name, b.name)) in pairs for a, b in combinations(rest, 2))
    cliques = ((tuple(rest),) if rest else ()) if together else _partition(rest, pairs, ())
    alone = [Unit((buffer,), buffer.aligned_bytes) for buffer in live if buffer.name not in sharing]
    return alone + [Unit(clique, clique[0].aligned_bytes) for clique in cliques]


def _share_pairs(live: Iterable[Buffer]) -> frozenset[frozenset[str]]:
    """Pairs of live names of which one names the other in `shares`: the relation holds both ways."""
    named = {buffer.name: buffer for buffer in live}
    return frozenset(
        frozenset((buffer.name, other))
        for buffer in live
        for other in buffer.shares
        if other in named and may_start_together(buffer, named[other])
    )


Cliques = tuple[tuple[Buffer, ...], ...]


def _partition(rest: Sequence[Buffer], pairs: frozenset[frozenset[str]], cliques: Cliques) -> Cliques:
    """The cheapest way to add all of `rest` to the cliques."""
    if not rest:
        return cliques
    head, tail = rest[0], rest[1:]
    best = _partition(tail, pairs, (*cliques, (head,)))
    for position, clique in enumerate(cliques):
        if all(frozenset((head.name, member.name)) in pairs for member in clique):
            joined = (*cliques[:position], (*clique, head), *cliques[position + 1 :])
            best = min(best, _partition(tail, pairs, joined), key=_clique_bytes)
    return best


def _clique_bytes(cliques: Cliques) -> int:
    return sum(clique[0].aligned_bytes for clique in cliques)
