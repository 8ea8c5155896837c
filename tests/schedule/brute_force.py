# SPDX-License-Identifier: Apache-2.0
"""The least SRAM of a small network by trying every cut and every mode, judged by the real buffers.

It knows nothing of the scheduler's arithmetic: bytes come from `make_buffers` and `lower_bound.live_bytes`,
multiply-accumulates from `streamed_macs`, and what cannot run from `build_rows`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise

from runnel.graph import Graph
from runnel.operators import operator_type
from runnel.operators.base import Target
from runnel.plan.buffers import make_buffers, segment_rows
from runnel.plan.lower_bound import live_bytes
from runnel.plan.planner import streamed_macs
from runnel.schedule.schedule import Schedule, Segment, Streaming

GROUP = 2
"""Pixels of int16 columns: the fewest that the scheduler tries."""


@dataclass(frozen=True)
class Way:
    """One segment in one mode: bytes while it runs, and its multiply-accumulates."""

    segment: Segment
    bytes: int
    macs: int


def best_bytes(
    graph: Graph, target: Target, pulled: bool, strips: Sequence[int], most_macs: int, input_passes: int
) -> int | None:
    """The least arena of all schedules within `most_macs`, None where there is none. Each operator doubles the time."""
    count = len(graph.operators)
    ways = {
        (first, end): tuple(
            _ways(graph, target, pulled, [n for n in strips if not pulled or first or n <= input_passes], first, end)
        )
        for first in range(count)
        for end in range(first + 1, count + 1)
    }
    best: int | None = None
    for number in range(count):
        for inner in combinations(range(1, count), number):
            cuts = (0, *inner, count)
            found = _least(ways, cuts, most_macs, best)
            best = found if best is None or (found is not None and found < best) else best
    return best


def _least(
    ways: Mapping[tuple[int, int], Sequence[Way]], cuts: tuple[int, ...], most_macs: int, below: int | None
) -> int | None:
    """The least peak with these cuts: caps from the least up, each segment with the fewest operations under the cap."""
    options = [ways[pair] for pair in pairwise(cuts)]
    if not all(options):
        return None
    for cap in sorted({way.bytes for each in options for way in each}):
        if below is not None and cap >= below:
            return None
        under = [[way.macs for way in each if way.bytes <= cap] for each in options]
        if all(under) and sum(min(each) for each in under) <= most_macs:
            return cap
    return None


def _ways(graph: Graph, target: Target, pulled: bool, strips: Sequence[int], first: int, end: int) -> Iterator[Way]:
    """Every mode in which the operators first..end-1 can run as one segment."""
    for streaming in _modes(graph, pulled, strips, first, end):
        segments = [
            *(_segment(graph, place, place + 1, None) for place in range(first)),
            _segment(graph, first, end, streaming),
            *(_segment(graph, place, place + 1, None) for place in range(end, len(graph.operators))),
        ]
        schedule = Schedule(graph, tuple(segments))
        read = [place for place, one in enumerate(graph.operators) if set(graph.inputs) & set(one.inputs)]
        reads = any(first <= place < end for place in read)
        if pulled and reads and (end <= max(read) or streaming is None or not streaming.pulled):
            continue
        try:
            rows = segment_rows(schedule)
        except ValueError:
            continue
        buffers = make_buffers(schedule, target, rows)
        if pulled and first > 0:
            buffers = tuple(b for b in buffers if not set(b.tensors) & set(graph.inputs))
        segment, streamed = segments[first], rows[first]
        nominal = sum(operator_type(o.kind).macs(graph, o) for o in segment.operators)
        macs = nominal if streamed is None else streamed_macs(graph, streamed)
        yield Way(segment, live_bytes(buffers, first), macs)


def _modes(graph: Graph, pulled: bool, strips: Sequence[int], first: int, end: int) -> Iterator[Streaming | None]:
    if end == first + 1:
        yield None
    operators = graph.operators[first:end]
    if any(operator_type(o.kind).row_form(graph, o) is None for o in operators):
        return
    segment = _segment(graph, first, end, Streaming())
    later = {t for o in graph.operators[end:] for t in o.inputs} | set(graph.outputs)
    dying = [t for t in segment.inputs if t not in later]
    for count in strips:
        plain = Streaming(strips=count, group=GROUP, pulled=pulled and first == 0)
        yield plain
        for tensor in dying if not plain.pulled else ():
            yield replace(plain, grows_into=tensor)


def _segment(graph: Graph, first: int, end: int, streaming: Streaming | None) -> Segment:
    inside = graph.operators[first:end]
    made = [t for o in inside for t in o.outputs]
    elsewhere = {t for o in (*graph.operators[:first], *graph.operators[end:]) for t in o.inputs} | set(graph.outputs)
    pulled = graph.inputs if streaming is not None and streaming.pulled else ()
    read = dict.fromkeys(t.index for o in inside for t in graph.activations(o))
    return Segment(
        name=f"segment_{first}",
        operators=inside,
        inputs=tuple(t for t in read if t not in made and t not in pulled),
        outputs=tuple(t for t in made if t in elsewhere or not graph.consumers(t)),
        streaming=streaming,
    )
