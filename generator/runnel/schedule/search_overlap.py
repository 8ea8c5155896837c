# SPDX-License-Identifier: Apache-2.0
"""Rolling overlap of every segment: what it saves, for every strip count. `overlap.py` does the same for one segment.

When the last step of a pipeline makes row r, every step before it has made just the rows that this asks for: so how
far the segment has come with its input is a composition of "rows needed" along the pipeline, from its end to its start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from runnel.operators.base import Window
from runnel.schedule.search_areas import Columns, Strips
from runnel.schedule.search_network import Activation, Integers, Network, align
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
class EndState:
    """A cut at which segments end, while their first place moves towards the start.

    writers: places whose rows lie in the output. rows: the turns at which they write a row. made: for each place in the
    segment and each writer, the turns that are over when that writer is about to take each of these. rows_of: how many
    rows of a tensor a segment with this end makes.
    """

    end: int
    rows_of: Callable[[int], int]
    output: Activation
    rows: Integers
    writers: tuple[int, ...]
    made: dict[int, tuple[Integers, ...]]


def growths(
    network: Network, columns: Mapping[int, Columns], strips: Strips, end: int, starts: range, certain: int
) -> Iterator[tuple[int, Growth]]:
    """(first place, growth) of segments that end at cut `end`; starts: the first places, from the last down.

    All of them have one output and run by rows. Those from `certain` on are pipelines; for the others bytes are a bound
    from below.
    """
    state = end_state(network, lambda tensor: int(columns[tensor].rows[end]), end, starts.stop + 1)
    read: dict[int, Activation] = {}
    for start in starts:
        _add_reads(network, read, start, end)
        for tensor in _whole_before(network, reversed(read.values()), start):
            if start >= certain:
                yield start, _growth(network, columns, strips, state, tensor, start)
            else:
                larger, same = max(tensor.bytes, state.output.bytes), tensor.shape == state.output.shape
                bound = [larger if same or count == 1 else NEVER for count in strips.counts]
                yield start, Growth(tensor.number, np.array(bound))


def end_state(network: Network, rows_of: Callable[[int], int], end: int, lowest: int) -> EndState:
    """Of segments that end at cut `end` and start at `lowest` or after it."""
    last = network.places[end - 1]
    assert last.form is not None
    output = network.activations[last.output]
    rows = np.arange(output.height)
    if last.form.form == "sums":
        rows = np.array([rows_of(last.by_rows[0]) - 1])  # after the last row is added
    writers = [end - 1]
    while writers[-1] > lowest and _writes_inside(network, writers[-1]):
        writers.append(writers[-1] - 1)
    return EndState(end, rows_of, output, rows, tuple(writers), {})


def _writes_inside(network: Network, user: int) -> bool:
    """Whether the place before writes its row where the element-wise step at `user` then writes its own."""
    one, before = network.places[user], network.activations[network.places[user - 1].output]
    if one.form is None or one.form.form != "pixels" or before.readers != (user,) or before.last != user:
        return False
    after = network.activations[one.output]
    positions = [p for p, t in enumerate(one.operator.inputs) if t == before.number]
    return len(positions) == 1 and positions[0] in one.footprint.in_place and before.shape == after.shape


def _made(network: Network, state: EndState, start: int) -> tuple[Integers, ...]:
    """`state.made` of the place `start`, which is looked up once."""
    if start in state.made:
        return state.made[start]
    one = network.places[start]
    assert one.form is not None
    counts = []
    for number, writer in enumerate(state.writers):
        if start >= writer:
            counts.append(state.rows)
            continue
        after = state.rows + 1 if start == writer - 1 else _made(network, state, start + 1)[number]
        made = needed_before(network, start + 1, after)
        if one.form.form == "sums":
            made = np.where(made > 0, state.rows_of(one.by_rows[0]), 0)
        counts.append(made)
    state.made[start] = tuple(counts)
    return state.made[start]


def dying_inputs(network: Network, start: int, end: int) -> list[Activation]:
    """Inputs of the segment whose buffer nobody needs after it, all of it read row by row."""
    read: dict[int, Activation] = {}
    for place in reversed(range(start, end)):
        _add_reads(network, read, place, end)
    return _whole_before(network, reversed(read.values()), start)


def _add_reads(network: Network, read: dict[int, Activation], place: int, end: int) -> None:
    """What the operator at `place` reads by rows and nobody needs from `end` on; in `read` the first read comes last.

    What it makes itself is no input of a segment that starts here or before.
    """
    read.pop(network.places[place].output, None)
    for number in reversed(network.places[place].by_rows):
        tensor = network.activations[number]
        if tensor.last < end:
            read.pop(number, None)
            read[number] = tensor


def _whole_before(network: Network, tensors: Iterable[Activation], start: int) -> list[Activation]:
    """Those that are made before `start` and that no operator needs all of at once."""
    made = (tensor for tensor in tensors if tensor.made < start)
    return [t for t in made if not any(t.number in network.places[p].whole for p in t.readers)]


def _growth(
    network: Network,
    columns: Mapping[int, Columns],
    strips: Strips,
    state: EndState,
    source: Activation,
    start: int,
) -> Growth:
    distance = growing_distance(network, state, source, start)
    both = source.bytes + state.output.bytes
    sizes = np.full(len(strips.counts), NEVER)
    for k, count in enumerate(strips.counts):
        if count == 1:
            sizes[k] = min(both, max(align(distance) + source.bytes, state.output.bytes))
            continue
        halo = _halo(network, columns, strips, state, source, k, start)
        if halo is not None:
            row = state.output.width * state.output.channels
            lower = -(-distance // row) * row
            sizes[k] = min(both, max(lower + source.bytes, state.output.bytes)) + halo
    return Growth(source.number, sizes)


def growing_distance(network: Network, state: EndState, source: Activation, start: int) -> int:
    """Bytes that the output must start below the input at least, before rounding."""
    output_row, input_row = _row_bytes(state.output), _row_bytes(source)
    furthest = 0
    for number, _ in enumerate(state.writers):
        lowest = np.full(len(state.rows), NEVER)
        for place in (p for p in source.readers if p >= start):
            lowest = np.minimum(lowest, _lowest(network, state, place, number))
        written = (np.arange(len(state.rows)) + 1) * output_row
        still = lowest < source.height
        furthest = max(furthest, int(np.max((written - lowest * input_row)[still], initial=0)))
    return furthest


def _lowest(network: Network, state: EndState, place: int, writer: int) -> Integers:
    """The lowest row of the input that the reader at `place` still asks for."""
    one = network.places[place]
    assert one.form is not None
    made = _made(network, state, place)[writer]
    if one.form.form == "planes":
        # a step of its own copies rows into the planes, as far as the depthwise convolution has come
        copied = needed_before(network, place, made + 1 if place == state.writers[writer] else made)
        needed = needed_before(network, place, np.array([state.rows_of(one.output)]))
        return np.where(copied < needed, copied, NEVER)
    of = one.by_rows[0] if one.form.form == "sums" else one.output
    return np.where(made < state.rows_of(of), network.first_needed(place)[made], NEVER)


def _halo(
    network: Network,
    columns: Mapping[int, Columns],
    strips: Strips,
    state: EndState,
    source: Activation,
    k: int,
    start: int,
) -> int | None:
    """Bytes of the columns that are saved for the next strip; None where strips cannot be in place."""
    end = state.end
    row = state.output.width * state.output.channels
    if state.output.shape != source.shape or row % 4 or strips.counts[k] > state.output.width:
        return None
    ours = slice(strips.starts[k], strips.starts[k] + strips.counts[k])
    out, wide = columns[state.output.number], 0
    first = out.first[end, ours]
    for place in (p for p in source.readers if p >= start):
        one = network.places[place]
        if one.form is None or one.form.form != "pixels" or one.form.window != ONE_PIXEL:
            return None
        mine = columns[one.output]
        first = np.minimum(first, mine.first[end, ours])
        at_own_place = (
            np.array_equal(mine.first[end, ours], out.first[end, ours])
            and np.array_equal(mine.end[end, ours], out.end[end, ours])
            and mine.rows[end] == out.rows[end]
        )
        if not at_own_place and [t for t in one.operator.inputs if t in network.activations] != [source.number]:
            return None  # what needs a halo reads nothing else
        wide += not at_own_place
    if wide > 1 or np.any(first[1:] < out.first[end, ours][:-1]):
        return None
    most = int(np.max((out.first[end, ours] - first)[1:], initial=0))
    return align(source.height * most * source.channels)


def _row_bytes(tensor: Activation) -> int:
    return tensor.width * tensor.channels
