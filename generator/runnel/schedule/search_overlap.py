# SPDX-License-Identifier: Apache-2.0
"""Rolling overlap of every segment: what it saves, for every strip count. `overlap.py` does the same for one segment.

When the last step of a pipeline makes row r, every step before it has made just the rows that this asks for: so how
far the segment has come with its input is a composition of "rows needed" along the pipeline, from its end to its start.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from runnel.operators.base import Window
from runnel.schedule.search_areas import Columns, Strips
from runnel.schedule.search_network import CALLER, Activation, Integers, Network, align
from runnel.schedule.search_rings import needed_before

ONE_PIXEL = Window(1, 1, 1, 1, 1, 1, 0, 0)
NEVER = 1 << 50


@dataclass(frozen=True, eq=False)
class Growth:
    """A segment that may grow into `tensor`. bytes: [count] of input, output and saved halo together, NEVER where it

    cannot be.
    """

    tensor: int
    bytes: Integers


@dataclass(frozen=True, eq=False)
class _End:
    """A place at which segments end, while their first place moves towards the start.

    writers: places whose rows lie in the output. rows: the turns at which they write a row. made: for each place in the
    segment and each writer, the turns that are over when that writer is about to take each of these.
    """

    output: Activation
    rows: Integers
    writers: tuple[int, ...]
    made: dict[int, tuple[Integers, ...]]


def growths(
    network: Network, columns: Mapping[int, Columns], strips: Strips, end: int, starts: range
) -> Iterator[tuple[int, Growth]]:
    """(first place, growth) of segments that end at cut `end`; starts: the first places, from the last down.

    All of them are pipelines with one output.
    """
    state = _end(network, columns, end, starts)
    for start in starts:
        _step_back(network, columns, state, start, end)
        for tensor in _dying_inputs(network, start, end):
            yield start, _growth(network, columns, strips, state, tensor, start, end)


def _end(network: Network, columns: Mapping[int, Columns], end: int, starts: range) -> _End:
    last = network.places[end - 1]
    assert last.form is not None
    output = network.activations[last.output]
    rows = np.arange(output.height)
    if last.form.form == "sums":
        rows = columns[last.by_rows[0]].rows[end : end + 1] - 1  # after the last row is added
    writers = [end - 1]
    while writers[-1] - 1 in starts and _writes_inside(network, writers[-1]):
        writers.append(writers[-1] - 1)
    return _End(output, rows, tuple(writers), {})


def _writes_inside(network: Network, user: int) -> bool:
    """Whether the place before writes its row where the element-wise step at `user` then writes its own."""
    one, before = network.places[user], network.activations[network.places[user - 1].output]
    if one.form is None or one.form.form != "pixels" or before.readers != (user,) or before.last != user:
        return False
    after = network.activations[one.output]
    positions = [p for p, t in enumerate(one.operator.inputs) if t == before.number]
    return len(positions) == 1 and positions[0] in one.footprint.in_place and before.shape == after.shape


def _step_back(network: Network, columns: Mapping[int, Columns], state: _End, start: int, end: int) -> None:
    """Takes the operator at `start` into the segment."""
    one = network.places[start]
    assert one.form is not None
    counts = []
    for number, writer in enumerate(state.writers):
        if start >= writer:
            counts.append(state.rows)
            continue
        after = state.rows + 1 if start == writer - 1 else state.made[start + 1][number]
        made = needed_before(network, start + 1, after)
        if one.form.form == "sums":
            made = np.where(made > 0, columns[one.by_rows[0]].rows[end], 0)
        counts.append(made)
    state.made[start] = tuple(counts)


def _dying_inputs(network: Network, start: int, end: int) -> list[Activation]:
    """Inputs of the segment whose buffer nobody needs after it, all of it read row by row."""
    found: list[Activation] = []
    for place in range(start, end):
        for number in network.places[place].by_rows:
            tensor = network.activations[number]
            if tensor.made < start and tensor.last < end and tensor not in found:
                found.append(tensor)
    return [t for t in found if not any(t.number in network.places[p].whole for p in t.readers)]


def _growth(
    network: Network,
    columns: Mapping[int, Columns],
    strips: Strips,
    state: _End,
    source: Activation,
    start: int,
    end: int,
) -> Growth:
    distance = _distance(network, columns, state, source, end)
    both = source.bytes + state.output.bytes
    sizes = np.full(len(strips.counts), NEVER)
    for k, count in enumerate(strips.counts):
        if count == 1:
            sizes[k] = min(both, max(align(distance) + source.bytes, state.output.bytes))
            continue
        halo = _halo(network, columns, strips, state, source, k, end)
        if halo is not None:
            row = state.output.width * state.output.channels
            lower = -(-distance // row) * row
            sizes[k] = min(both, max(lower + source.bytes, state.output.bytes)) + halo
    return Growth(source.number, sizes)


def _distance(
    network: Network, columns: Mapping[int, Columns], state: _End, source: Activation, end: int
) -> int:
    """Bytes that the output must start below the input at least, before rounding."""
    output_row, input_row = _row_bytes(state.output), _row_bytes(source)
    furthest = 0
    for number, _ in enumerate(state.writers):
        lowest = np.full(len(state.rows), NEVER)
        for place in (p for p in source.readers if p in state.made):
            lowest = np.minimum(lowest, _lowest(network, columns, state, place, number, end))
        written = (np.arange(len(state.rows)) + 1) * output_row
        still = lowest < source.height
        furthest = max(furthest, int(np.max((written - lowest * input_row)[still], initial=0)))
    return furthest


def _lowest(
    network: Network, columns: Mapping[int, Columns], state: _End, place: int, writer: int, end: int
) -> Integers:
    """The lowest row of the input that the reader at `place` still asks for."""
    one = network.places[place]
    assert one.form is not None
    made = state.made[place][writer]
    if one.form.form == "planes":
        # a step of its own copies rows into the planes, as far as the depthwise convolution has come
        copied = needed_before(network, place, made + 1 if place == state.writers[writer] else made)
        needed = needed_before(network, place, columns[one.output].rows[end : end + 1])
        return np.where(copied < needed, copied, NEVER)
    of = one.by_rows[0] if one.form.form == "sums" else one.output
    return np.where(made < columns[of].rows[end], network.first_needed(place)[made], NEVER)


def _halo(
    network: Network,
    columns: Mapping[int, Columns],
    strips: Strips,
    state: _End,
    source: Activation,
    k: int,
    end: int,
) -> int | None:
    """Bytes of the columns that are saved for the next strip; None where strips cannot be in place."""
    row = state.output.width * state.output.channels
    if state.output.shape != source.shape or row % 4 or strips.counts[k] > state.output.width:
        return None
    ours = slice(strips.starts[k], strips.starts[k] + strips.counts[k])
    out, wide = columns[state.output.number], 0
    first = out.first[end, ours]
    for place in (p for p in source.readers if p in state.made):
        one = network.places[place]
        if one.form is None or one.form.form != "pixels" or one.form.window != ONE_PIXEL:
            return None
        mine = columns[one.output]
        first = np.minimum(first, mine.first[end, ours])
        wide += not (
            np.array_equal(mine.first[end, ours], out.first[end, ours])
            and np.array_equal(mine.end[end, ours], out.end[end, ours])
            and mine.rows[end] == out.rows[end]
        )
    if wide > 1 or np.any(first[1:] < out.first[end, ours][:-1]):
        return None
    most = int(np.max((out.first[end, ours] - first)[1:], initial=0))
    return align(source.height * most * source.channels)


def _row_bytes(tensor: Activation) -> int:
    return tensor.width * tensor.channels


__all__ = ["CALLER", "Growth", "NEVER", "growths"]
