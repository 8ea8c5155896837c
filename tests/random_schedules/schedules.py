# SPDX-License-Identifier: Apache-2.0
"""Random schedules of a graph: cuts anywhere, and each run of operators streamed in a random way or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from random_models.source import Source
from runnel.graph import Graph, Operator
from runnel.operators import Target, operator_type
from runnel.schedule.rows import SegmentRows
from runnel.schedule.schedule import Schedule, Segment, Streaming
from runnel.schedule.streams import build_rows

LONGEST = 12
"""Operators in a segment."""


def random_schedule(graph: Graph, source: Source, target: Target) -> Schedule:
    """Streams what can be streamed with a good chance, each run of operators in one of the ways that it allows."""
    segments: list[Segment] = []
    first = 0
    while first < len(graph.operators):
        segment = _streamed(graph, first, source, target) if source.chance(0.85) else None
        segment = segment or _whole(graph, first)
        segments.append(segment)
        first += len(segment.operators)
    return Schedule(graph, tuple(segments))


def segment_of(graph: Graph, first: int, end: int, streaming: Streaming | None) -> Segment:
    """Operators first..end-1 with the tensors that must be whole before and after."""
    operators = graph.operators[first:end]
    made = {tensor for operator in operators for tensor in operator.outputs}
    read = dict.fromkeys(t.index for operator in operators for t in graph.activations(operator))
    pulled = set(graph.inputs) if streaming is not None and streaming.pulled else set()
    return Segment(
        name=f"segment_{first}",
        operators=operators,
        inputs=tuple(tensor for tensor in read if tensor not in made and tensor not in pulled),
        outputs=tuple(
            tensor
            for operator in operators
            for tensor in operator.outputs
            if tensor in graph.outputs or any(o not in operators for o in graph.consumers(tensor))
        ),
        streaming=streaming,
    )


def _whole(graph: Graph, place: int) -> Segment:
    return segment_of(graph, place, place + 1, None)


def _streamed(graph: Graph, first: int, source: Source, target: Target) -> Segment | None:
    """The longest of a few random runs from `first` on that can stream in the way drawn for it."""
    end = first
    while end < len(graph.operators) and end < first + LONGEST and _has_rows(graph, graph.operators[end]):
        end += 1
    if end == first:
        return None
    last = end if source.chance(0.4) else source.integer(first + 1, end)
    forks = [stop for stop in range(first + 1, end) if len(graph.consumers(graph.operators[stop - 1].outputs[0])) > 1]
    if forks and source.chance(0.4):  # where residual branches begin
        last = source.choice(forks)
    in_place = [stop for stop in range(first + 1, end + 1) if _same_shapes(graph, first, stop, target)]
    if in_place and source.chance(0.6):
        last = source.choice(in_place)
    for stop in range(last, first, -1):
        for streaming in _ways(graph, first, stop, source, target):
            segment = segment_of(graph, first, stop, streaming)
            if can_stream(graph, segment) is not None:
                return segment
    return None


def can_stream(graph: Graph, segment: Segment) -> SegmentRows | None:
    """Its geometry, None where it cannot run in this way."""
    try:
        return build_rows(graph, segment)
    except ValueError:
        return None


def _has_rows(graph: Graph, operator: Operator) -> bool:
    return operator_type(operator.kind).row_form(graph, operator) is not None


def _ways(graph: Graph, first: int, end: int, source: Source, target: Target) -> Iterator[Streaming]:
    """Random ways, the boldest first; the last is the plainest."""
    operators = graph.operators[first:end]
    group = source.choice((0, 2, 4, 1, 3, 8))
    pulled = can_pull(graph, operators) and source.chance(0.6)
    strips = source.choice((1, 1, 2, 3, 4, source.integer(1, 9)))
    bands = source.choice((1, 1, 1, 2, 3, source.integer(1, 9)))
    dying = dying_inputs(graph, first, end, target)
    grows = source.choice(dying) if dying and source.chance(0.8) else None
    if grows is not None and bands > 1 and source.chance(0.7):
        bands = 1
    same = _same_shapes(graph, first, end, target)
    if same and source.chance(0.6):
        yield Streaming(source.integer(2, 3), 1, group, False, source.choice(same))
    if pulled and grows in graph.inputs:
        grows = None
    yield Streaming(strips, bands, group, pulled, grows)
    yield Streaming(1, 1, group, pulled, grows)
    yield Streaming(strips, bands, group, pulled)
    yield Streaming(1, 1, group, pulled)


def _same_shapes(graph: Graph, first: int, end: int, target: Target) -> list[int]:
    """Dying inputs of the shape of the only output: strips can work in place there."""
    outputs = segment_of(graph, first, end, Streaming()).outputs
    if len(outputs) != 1:
        return []
    shape = graph.tensor(outputs[0]).shape
    return [tensor for tensor in dying_inputs(graph, first, end, target) if graph.tensor(tensor).shape == shape]


def can_pull(graph: Graph, operators: Sequence[Operator]) -> bool:
    """Whether the graph's only input is read by these operators alone."""
    if len(graph.inputs) != 1 or graph.inputs[0] in graph.outputs:
        return False
    readers = graph.consumers(graph.inputs[0])
    return bool(readers) and all(reader in operators for reader in readers)


def dying_inputs(graph: Graph, first: int, end: int, target: Target) -> list[int]:
    """Tensors that operators first..end-1 read and nobody after them, under no other name either."""
    names = _names(graph, target)
    later = {names[t.index] for operator in graph.operators[end:] for t in graph.activations(operator)}
    alive = later | {names[tensor] for tensor in graph.outputs}
    segment = segment_of(graph, first, end, Streaming())
    # an input that nobody has read yet lives from the start, and dies here like any other
    return [tensor for tensor in segment.inputs if names[tensor] not in alive]


def _names(graph: Graph, target: Target) -> dict[int, int]:
    """Tensor -> the first tensor whose bytes it is (RESHAPE gives a tensor another name)."""
    names = {index: index for index in graph.tensors}
    for operator in graph.operators:
        if operator_type(operator.kind).footprint(graph, operator, target).calls == 0:
            computed = graph.activations(operator)
            for output in operator.outputs:
                names[output] = names[computed[0].index]
    return names
