# SPDX-License-Identifier: Apache-2.0
"""Rolling overlap: how far below its input a segment's output must start to grow into rows that are consumed.

Safe when for every output row r the end of row r lies at or below the address of the lowest input row that is still to
be read, by the first operator's window or by a residual. Under strips output and input must have the same rows and
columns: then a strip's output only takes the place of its own columns, and the halo of the next strip is saved first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from runnel.graph import Graph
from runnel.schedule.rings import Turn, take_turns
from runnel.schedule.rows import ALIGNMENT, Area
from runnel.schedule.schedule import Segment, Streaming


def growing_distance(
    graph: Graph, segment: Segment, turns: Sequence[Turn], writers: frozenset[int], source: str
) -> int:
    """Bytes from the output's first byte up to the input's, at least; a multiple of 4, with strips of a row.

    turns: the steps. writers: those whose rows lie in the output. source: name of the store of the input.
    Raises ValueError where the overlap cannot be made safe.
    """
    streaming = segment.streaming or Streaming()
    if len(segment.outputs) != 1 or streaming.bands > 1:
        raise ValueError("rolling overlap needs one output and whole columns")
    readers = sum(streaming.grows_into in operator.inputs for operator in segment.operators)
    if sum(source in turn.reads for turn in turns) != readers:
        raise ValueError("rolling overlap: the input is broadcast over all rows")
    output, grown = graph.tensor(segment.outputs[0]), graph.tensor(streaming.grows_into)
    output_row, input_row = _row_bytes(output.shape), _row_bytes(grown.shape)
    if streaming.strips > 1 and output.shape != grown.shape:
        raise ValueError("in-place strips need an output of the input's shape")
    distance = 0

    def watch(step: int, row: int, lowest: Callable[[str], int]) -> None:
        nonlocal distance
        low = lowest(source)
        if step in writers and low * input_row < grown.bytes:
            distance = max(distance, (row + 1) * output_row - low * input_row)

    take_turns(turns, 0, watch)
    unit = output_row if streaming.strips > 1 else ALIGNMENT
    if streaming.strips > 1 and output_row % ALIGNMENT:
        raise ValueError("in-place strips need rows of a multiple of 4 bytes")
    return -(-distance // unit) * unit


def halo_columns(segment: Segment, areas: Sequence[Mapping[int, Area]], tensor: int) -> int:
    """Columns that have to be saved for the next strip at most. Raises ValueError where strips are too narrow."""
    output = segment.outputs[0]
    most = 0
    for before, after in pairwise(areas):
        first = after[tensor].columns.first
        if first < before[output].columns.first:
            raise ValueError("in-place strips: the halo is wider than a strip")
        most = max(most, after[output].columns.first - first)
    return most


def _row_bytes(shape: tuple[int, ...]) -> int:
    return shape[-1] * shape[-2] if len(shape) >= 3 else shape[-1]
