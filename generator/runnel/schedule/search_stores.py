# SPDX-License-Identifier: Apache-2.0
"""Bytes of the stores that each operator adds to a streamed segment, for every end and strip count: `streams.py` in
arrays.

What an operator keeps depends on where the segment ends, not on where it starts, so the bytes of a segment are a sum
over its operators: prefix sums then give all segments at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from runnel.operators.base import Window
from runnel.schedule.rows import ALIGNMENT, READ_AHEAD_BYTES
from runnel.schedule.search_areas import Columns, Strips
from runnel.schedule.search_network import CALLER, Activation, Integers, Network, align
from runnel.schedule.search_rings import is_pipeline, ring_rows


@dataclass(frozen=True, eq=False)
class Stores:
    """Arrays [place, end, count] unless said otherwise; zero where the place is not in the segment.

    fixed: bytes of rings, planes and sums. columns: pixels of the int16 columns that the place writes, 0 where it
    writes none; pitches[place] is the bytes of one. input_ring: [end, count], of a pulled input, without the planes.
    made: elements of the output that are computed, each time that it is: for multiply-accumulates.
    """

    fixed: Integers
    columns: Integers
    pitches: tuple[int, ...]
    input_ring: Integers
    made: Integers


def count_stores(network: Network, columns: Mapping[int, Columns], strips: Strips) -> Stores:
    """What every operator keeps."""
    size = (network.count, network.count + 1, len(strips.counts))
    stores = Stores(
        fixed=np.zeros(size, np.int64),
        columns=np.zeros(size, np.int64),
        pitches=tuple(network.column_bytes(place) for place in range(network.count)),
        input_ring=np.zeros(size[1:], np.int64),
        made=np.zeros(size, np.int64),
    )
    for place, one in enumerate(network.places):
        if one.form is None:
            continue
        ends = slice(place + 1, None)
        output = network.activations[one.output]
        made = columns[one.output]
        if one.form.form == "sums":
            stores.fixed[place, ends] += ALIGNMENT * network.activations[one.by_rows[0]].channels
            _add_ring(network, columns, strips, output, stores.fixed[place])
            continue
        stores.made[place, ends] = output.channels * made.rows[ends, None] * strips.total(made.width)[ends]
        if one.form.form == "planes":
            planes = _planes_by_strips(network.activations[one.by_rows[0]], one.form.window, made, strips)
            stores.fixed[place, ends] += planes[ends]
        if network.writes_columns(place):
            stores.columns[place, place + 2 :] = strips.most(made.width)[place + 2 :]
        else:
            _add_ring(network, columns, strips, output, stores.fixed[place])
    for number in network.graph.inputs:
        _add_ring(network, columns, strips, network.activations[number], stores.input_ring)
    return stores


def _add_ring(
    network: Network,
    columns: Mapping[int, Columns],
    strips: Strips,
    tensor: Activation,
    into: Integers,
) -> None:
    """The ring of pixels of a tensor that only the segment itself reads, unless it needs none."""
    if not tensor.readers or any(network.places[place].form is None for place in tensor.readers):
        return
    ends = slice(tensor.last + 1, None)  # every reader is in the segment
    if is_made_as_planes(network, tensor):
        return
    rows = ring_rows(network, columns, tensor)
    shared = user_in_place(network, tensor)
    ring = -(-rows[:, None] * strips.most(columns[tensor.number].width) * tensor.channels // ALIGNMENT) * ALIGNMENT
    if shared is not None:
        ring = np.where(_lies_in_output(network, shared, rows)[:, None], 0, ring)
    into[ends] += ring[ends]


def is_made_as_planes(network: Network, tensor: Activation) -> bool:
    """Whether the step writes channel planes straight away: a depthwise convolution alone reads it."""
    if tensor.made == CALLER or len(tensor.readers) != 1:
        return False
    maker, reader = network.places[tensor.made].form, network.places[tensor.readers[0]].form
    return maker is not None and maker.writes_planes and reader is not None and reader.form == "planes"


def user_in_place(network: Network, tensor: Activation) -> int | None:
    """The element-wise step that may work on the row of `tensor` where it lies, if any."""
    if len(tensor.readers) != 1:
        return None
    user = network.places[tensor.readers[0]]
    assert user.form is not None
    positions = [p for p, t in enumerate(user.operator.inputs) if t == tensor.number]
    output = network.activations[user.output]
    fits = user.form.form == "pixels" and len(positions) == 1 and positions[0] in user.footprint.in_place
    same = output.channels == tensor.channels and (output.height, output.width) == (tensor.height, tensor.width)
    return tensor.readers[0] if fits and same else None


def _lies_in_output(network: Network, user: int, rows: Integers) -> npt.NDArray[np.bool_]:
    """[end] whether it does: its row is used at once, and what is written there are pixels."""
    output = network.activations[network.places[user].output]
    ends = np.arange(network.count + 1)
    pixels = ends <= output.last if is_made_as_planes(network, output) else ends > user
    return np.asarray((rows == 1) & pixels)


def planes_bytes(source: Activation, window: Window, output: Activation) -> int:
    """A ring of channel planes with one shared gap of margin columns, where all columns of the output are made."""
    end = (output.width - 1) * window.stride_w - window.pad_left + (window.kernel_w - 1) * window.dilation_w + 1
    gap = max(window.pad_left, end - source.width)
    rows = (window.kernel_h - 1) * window.dilation_h + 1
    return align(source.channels * rows * (source.width + gap) + gap + READ_AHEAD_BYTES)


def _planes_by_strips(source: Activation, window: Window, output: Columns, strips: Strips) -> Integers:
    """[end, count]: the same of the largest strip, as `plane_columns` says."""
    first = output.first * window.stride_w - window.pad_left
    end = (output.end - 1) * window.stride_w - window.pad_left + (window.kernel_w - 1) * window.dilation_w + 1
    real_first = np.clip(first, 0, source.width - 1)
    real_end = np.maximum(np.minimum(source.width, end), real_first + 1)
    gap = np.maximum(np.maximum(real_first - first, end - real_end), 0)
    row = strips.most(real_end - real_first + gap)
    rows = (window.kernel_h - 1) * window.dilation_h + 1
    size = source.channels * rows * row + strips.most(gap) + READ_AHEAD_BYTES
    return -(-size // ALIGNMENT) * ALIGNMENT


def follows_all(network: Network) -> tuple[bool, ...]:
    """For each place whether its step is in a pipeline with the one before it."""
    return tuple(is_pipeline(network, place) for place in range(network.count))
