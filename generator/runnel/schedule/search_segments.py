# SPDX-License-Identifier: Apache-2.0
"""Segments of a network by their cuts, and the exact bytes of one as its geometry says (`streams.py`)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from runnel.schedule.schedule import Segment, Streaming
from runnel.schedule.search_network import Network, align
from runnel.schedule.streams import build_rows


@dataclass(frozen=True)
class Choice:
    """A segment of the places first..end-1 and how it runs; streaming as in Segment."""

    first: int
    end: int
    streaming: Streaming | None = None


def make_segment(network: Network, choice: Choice, number: int = 0) -> Segment:
    """The segment with its inputs and outputs."""
    inside = network.places[choice.first : choice.end]
    pulled = choice.streaming is not None and choice.streaming.pulled
    read = dict.fromkeys(t for place in inside for t in (*place.by_rows, *place.whole))
    made = [t for place in inside for t in place.operator.outputs]
    return Segment(
        name=f"segment_{number}",
        operators=tuple(place.operator for place in inside),
        inputs=tuple(t for t in read if t not in made and not (pulled and t in network.graph.inputs)),
        outputs=tuple(t for t in made if _is_whole(network, t, choice.end)),
        streaming=choice.streaming,
    )


def _is_whole(network: Network, tensor: int, end: int) -> bool:
    """Whether somebody reads it after the segment, or nobody does at all."""
    readers = network.activations[tensor].readers
    return not readers or readers[-1] >= end or tensor in network.graph.outputs


def exact_bytes(network: Network, choice: Choice) -> int:
    """What is live while the segment runs, from its geometry. Raises ValueError where it cannot run so."""
    assert choice.streaming is not None
    segment = make_segment(network, choice)
    rows = build_rows(network.graph, segment)
    scratch = max(network.scratch(place, choice.first) for place in range(choice.first, choice.end))
    stores = sum(align(store.bytes) for store in rows.stores if store.layout != "int16 columns")
    columns = max((align(store.bytes) for store in rows.stores if store.layout == "int16 columns"), default=0)
    tensors = network.activations.values()
    before = sum(
        t.bytes
        for t in tensors
        if t.owner == t.number and t.made < choice.first <= t.last and not (choice.streaming.pulled and t.made < 0)
    )
    made = sum(network.activations[t].bytes for t in segment.outputs)
    return before + made + stores + max(columns, scratch) - _saved(network, segment, rows.distance)


def _saved(network: Network, segment: Segment, distance: int | None) -> int:
    if distance is None or segment.streaming is None or segment.streaming.grows_into is None:
        return 0
    upper = network.activations[segment.streaming.grows_into].bytes
    lower = network.activations[segment.outputs[0]].bytes
    return max(0, upper + lower - max(distance + upper, lower))


def with_group(choice: Choice, group: int) -> Choice:
    """The same with other column groups."""
    assert choice.streaming is not None
    return replace(choice, streaming=replace(choice.streaming, group=group))
