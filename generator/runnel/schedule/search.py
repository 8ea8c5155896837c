# SPDX-License-Identifier: Apache-2.0
"""The scheduler: where to cut a network, and how each segment runs.

All segments in all modes are edges over cuts; a schedule is a path from the first cut to the last. Its bytes are those
of its largest segment, so the least SRAM is a bottleneck path, and the least work within a budget a shortest path over
the segments that fit. Patches (`Streaming.bands`) are left out: bands of rows keep the same rings as the strips alone
(rings hold the rows of a window however many rows are made) and recompute more.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from runnel.graph import Graph
from runnel.operators.base import Target
from runnel.schedule.layer_by_layer import layer_by_layer
from runnel.schedule.schedule import Objective, Schedule
from runnel.schedule.search_areas import Strips
from runnel.schedule.search_groups import widest_groups
from runnel.schedule.search_modes import LAYER, Edges, make_edges
from runnel.schedule.search_needs import can_pull, count_needs
from runnel.schedule.search_network import read_network
from runnel.schedule.search_overlap import NEVER
from runnel.schedule.search_paths import Path, cheapest, least_peak
from runnel.schedule.search_segments import exact_bytes, make_segment

STRIPS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 18)
"""Tried; more than the columns of an output cannot be."""


@dataclass(frozen=True)
class Request:
    """What is asked of the scheduler.

    objective: "sram" least bytes, then least predicted instructions among those; "latency" least instructions within
    `sram` bytes; "flash" layer by layer, where operators of equal shape share code, if that fits `sram`. pulled: the
    input is not stored but asked for row by row, where the network allows that. input_passes: how often each row may be
    asked for. max_overhead: multiply-accumulates that may be computed again, as a part of the network's own.
    layers_only: whole tensors only.
    """

    objective: Objective = "sram"
    sram: int | None = None
    pulled: bool = False
    input_passes: int = 1
    max_overhead: float = 0.0
    layers_only: bool = False
    target: Target = field(default_factory=Target)


def find_schedule(graph: Graph, request: Request) -> Schedule:
    """The best schedule. Where none fits `request.sram`, the one of least SRAM: the caller compares and reports."""
    edges = search_edges(graph, request)
    most = most_macs(edges, request.max_overhead)
    while True:
        path = _best_path(edges, request, most)
        if path is None:
            return layer_by_layer(graph, request.objective)
        if not correct(edges, path):
            break
    if request.objective == "flash" and request.sram is not None and path.bytes > request.sram:
        # layer by layer does not fit: as few instructions as the budget allows
        return replace(find_schedule(graph, replace(request, objective="latency")), objective="flash")
    return make_schedule(edges, path, request)


def least_bytes(graph: Graph, request: Request) -> int:
    """The least arena of any schedule that the request allows."""
    edges = search_edges(graph, request)
    most = most_macs(edges, request.max_overhead)
    while True:
        peak = least_peak(edges, most)
        path = cheapest(edges, peak, most) if peak < NEVER else None
        if path is None or not correct(edges, path):
            return peak


def search_edges(graph: Graph, request: Request) -> Edges:
    """All segments in all modes that the request allows."""
    network = read_network(graph, request.target)
    plain = request.layers_only or request.objective == "flash"
    pulled = request.pulled and not plain and can_pull(network)
    needs = count_needs(network, Strips(STRIPS if request.max_overhead > 0 and not plain else (1,)), pulled, plain)
    return make_edges(needs, request.input_passes, plain)


def most_macs(edges: Edges, overhead: float) -> int:
    return int(edges.nominal * (1.0 + overhead))


def _best_path(edges: Edges, request: Request, most: int) -> Path | None:
    if request.objective == "latency":
        cap = NEVER - 1 if request.sram is None else request.sram
        path = cheapest(edges, cap, most)
        if path is not None:
            return path
    peak = least_peak(edges, most)
    return cheapest(edges, peak, most) if peak < NEVER else None


def correct(edges: Edges, path: Path) -> bool:
    """Looks the path's segments up in the exact geometry; puts right what the arithmetic had otherwise. Whether it did.

    For pipelines the two agree; elsewhere the arithmetic is a bound from below, so correcting the best path until it
    stays the best finds the true best.
    """
    wrong = False
    for step in path.steps:
        if step[2] != LAYER and _put_right(edges, step):
            wrong = True
            for other in _likewise(edges, step):
                _put_right(edges, other)
    return wrong


def _put_right(edges: Edges, step: tuple[int, int, int]) -> bool:
    """Whether the edge had other bytes than its geometry."""
    try:
        exact = exact_bytes(edges.needs.network, edges.choice(*step))
    except ValueError:
        exact = NEVER
    wrong = bool(exact != edges.bytes[step])
    edges.bytes[step] = exact
    return wrong


def _likewise(edges: Edges, step: tuple[int, int, int]) -> list[tuple[int, int, int]]:
    """The same segment with other groups or overlap: wrong where this one is, and the search would take them next."""
    first, end, number = step
    mine = edges.modes[number]
    assert mine is not None
    return [
        (first, end, other)
        for other, mode in enumerate(edges.modes)
        if other != number and mode is not None and mode.count == mine.count and edges.bytes[first, end, other] < NEVER
    ]


def make_schedule(edges: Edges, path: Path, request: Request) -> Schedule:
    """The path's segments, each with the widest groups that fit below the peak or the budget."""
    cap = path.bytes
    if request.objective == "latency" and request.sram is not None:
        cap = max(cap, request.sram)
    network = edges.needs.network
    choices = widest_groups(edges, path, cap)
    segments = tuple(make_segment(network, choice, number) for number, (choice, _) in enumerate(choices))
    return Schedule(
        graph=network.graph,
        segments=segments,
        objective=request.objective,
        predicted_bytes=max((size for _, size in choices), default=0),
    )
