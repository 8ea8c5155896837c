# SPDX-License-Identifier: Apache-2.0
"""The least arena any placement could reach, from the buffers alone: the largest sum of bytes live at one step.

It never looks at offsets, so it judges the arena search from outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from runnel.plan.plan import Buffer


def lower_bound(buffers: Sequence[Buffer]) -> int:
    """Bytes that must be live at the worst step, each buffer rounded up to the alignment.

    Buffers that may start at the same byte (in place) count as the larger of the two where they meet in time.
    """
    return max((live_bytes(buffers, step) for step in change_steps(buffers)), default=0)


def peak_step(buffers: Sequence[Buffer]) -> int:
    """The first step at which `lower_bound` is reached; 0 when there are no buffers."""
    return max(change_steps(buffers), key=lambda step: (live_bytes(buffers, step), -step), default=0)


def change_steps(buffers: Sequence[Buffer]) -> tuple[int, ...]:
    """Steps at which a buffer becomes live. The set of live buffers is largest at one of these."""
    return tuple(sorted({buffer.first for buffer in buffers}))


def live_bytes(buffers: Sequence[Buffer], step: int) -> int:
    """Least bytes that the buffers live at `step` can occupy, in-place pairs taken once."""
    live = [buffer for buffer in buffers if buffer.first <= step <= buffer.last]
    return _least_bytes(tuple(live), _share_pairs(live))


def _share_pairs(live: Iterable[Buffer]) -> frozenset[frozenset[str]]:
    """Pairs of live names of which one names the other in `shares`: the relation holds both ways."""
    names = {buffer.name for buffer in live}
    return frozenset(
        frozenset((buffer.name, other)) for buffer in live for other in buffer.shares if other in names - {buffer.name}
    )


def _least_bytes(live: tuple[Buffer, ...], pairs: frozenset[frozenset[str]]) -> int:
    """Partition the buffers into cliques of `pairs`; each clique costs its largest member. Least total.

    Buffers at one place must all share with each other, hence cliques. Largest first: a clique costs its first
    member, so the search only decides which later ones come for free. Buffers that share with nothing are summed.
    """
    sharing = {name for pair in pairs for name in pair}
    alone = sum(buffer.aligned_bytes for buffer in live if buffer.name not in sharing)
    rest = sorted((b for b in live if b.name in sharing), key=lambda b: (-b.aligned_bytes, b.name))
    return alone + _partition(rest, pairs, ())


def _partition(rest: Sequence[Buffer], pairs: frozenset[frozenset[str]], cliques: tuple[tuple[str, ...], ...]) -> int:
    if not rest:
        return 0
    head, tail = rest[0], rest[1:]
    best = head.aligned_bytes + _partition(tail, pairs, (*cliques, (head.name,)))
    for position, clique in enumerate(cliques):
        if all(frozenset((head.name, member)) in pairs for member in clique):
            joined = (*cliques[:position], (*clique, head.name), *cliques[position + 1 :])
            best = min(best, _partition(tail, pairs, joined))
    return best
