# SPDX-License-Identifier: Apache-2.0
"""The Pareto front: every schedule for which no other needs less in bytes, recomputation and instructions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from runnel.graph import Graph
from runnel.schedule.schedule import Schedule
from runnel.schedule.search import Request, correct, make_schedule, most_macs, search_edges
from runnel.schedule.search_modes import LAYER, Edges
from runnel.schedule.search_overlap import NEVER
from runnel.schedule.search_paths import Path, cheapest

STEPS = 160
"""Points looked for along one axis at most; beyond that the caps are spread evenly in their ratio."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A schedule and what it is predicted to take. overhead: recomputed part of the network's own MACs."""

    predicted_bytes: int
    overhead: float
    cycles: float
    schedule: Schedule


def pareto(graph: Graph, request: Request) -> tuple[Candidate, ...]:
    """From the fewest bytes to the most. Recomputation up to `request.max_overhead`; budgets are not looked at."""
    edges = search_edges(graph, request)
    most = most_macs(edges, request.max_overhead)
    paths = list(_sweep(edges, most, cycles_count=True))
    if request.max_overhead > 0:
        paths += _sweep(edges, most, cycles_count=False)
        paths += _sweep(edges, edges.nominal, cycles_count=True)
    return tuple(
        Candidate(path.bytes, path.macs / edges.nominal - 1.0 if edges.nominal else 0.0, path.cycles, schedule)
        for path in _front(paths)
        for schedule in (make_schedule(edges, path, request),)
    )


def _sweep(edges: Edges, most: int, cycles_count: bool) -> Iterator[Path]:
    """The cheapest schedules under caps that fall from no cap to the least that can be."""
    cap = NEVER - 1
    for _ in range(STEPS):
        path = cheapest(edges, cap, most, cycles_count)
        if path is None:
            return
        if _is_certain(edges, path) or not correct(edges, path):
            yield path
            cap = path.bytes - 1


def _is_certain(edges: Edges, path: Path) -> bool:
    """Whether the arithmetic is exact for all of it (as tests of pipelines show), so that no geometry need be built."""
    return all(number == LAYER or edges.needs.certain[first, end] for first, end, number in path.steps)


def _front(paths: Sequence[Path]) -> list[Path]:
    """Those that no other equals or beats in all three."""
    ordered = sorted(
        {(p.bytes, p.macs, p.cycles): p for p in paths}.values(), key=lambda p: (p.bytes, p.macs, p.cycles)
    )
    kept: list[Path] = []
    for path in ordered:
        if not any(one.macs <= path.macs and one.cycles <= path.cycles for one in kept):
            kept.append(path)
    return kept
