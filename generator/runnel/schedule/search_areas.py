# SPDX-License-Identifier: Apache-2.0
"""Receptive fields of all segments at once: one sweep backwards over the operators, all ends and strips together.

The part of a tensor that a segment makes depends on where the segment ends and on its strips, not on where it starts.
So one array for each tensor holds the columns for every end (axis 0, cuts 0..n) and every strip (axis 1: the only
strip of 1, the two of 2, the three of 3...). `areas.py` does the same for one segment; the two must agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from runnel.operators.base import RowForm
from runnel.schedule.search_network import Activation, Integers, Network

FAR = 1 << 40
"""Columns of what no reader has asked for: first is FAR, end is -FAR."""


@dataclass(frozen=True, eq=False)
class Strips:
    """The strip counts that are tried, and where each one's strips lie on axis 1: from starts[k] on."""

    counts: tuple[int, ...]

    @cached_property
    def starts(self) -> tuple[int, ...]:
        return tuple(sum(self.counts[:k]) for k in range(len(self.counts)))

    def spans(self, width: int) -> tuple[Integers, Integers]:
        """First and end column of every strip of a tensor that is `width` columns wide."""
        first = [width * s // n for n in self.counts for s in range(n)]
        end = [width * (s + 1) // n for n in self.counts for s in range(n)]
        return np.array(first), np.array(end)

    def most(self, values: Integers) -> Integers:
        """[end, strip] -> [end, count]: the largest of each count's strips."""
        return np.maximum.reduceat(values, self.starts, axis=1)

    def total(self, values: Integers) -> Integers:
        """[end, strip] -> [end, count]: the sum over each count's strips."""
        return np.add.reduceat(values, self.starts, axis=1)


@dataclass(frozen=True, eq=False)
class Columns:
    """What is made of one tensor: columns [end, strip], rows 0..rows[end]."""

    first: Integers
    end: Integers
    rows: Integers

    @property
    def width(self) -> Integers:
        return self.end - self.first


def sweep(network: Network, strips: Strips) -> dict[int, Columns]:
    """Tensor -> its part for every end and strip. Meaningless where the segment could not run by rows."""
    size = (network.count + 1, sum(strips.counts))
    found = {
        number: Columns(np.full(size, FAR, np.int64), np.full(size, -FAR, np.int64), np.zeros(size[0], np.int64))
        for number in network.activations
    }
    for place in reversed(range(network.count)):
        one = network.places[place]
        if one.form is None:
            continue
        output = network.activations[one.output]
        made = found[one.output]
        if one.form.form == "sums":
            source = network.activations[one.by_rows[0]]
            _take_all(found[source.number], source, slice(place + 1, None), strips)
            continue
        _take_all(made, output, slice(place + 1, place + 2), strips)
        _take_whole(made, output, strips)
        for number in one.by_rows:
            _ask(found[number], network.activations[number], one.form, made, slice(place + 1, None))
    return found


def _take_all(made: Columns, tensor: Activation, ends: slice, strips: Strips) -> None:
    """The segment ends with this tensor: its columns are divided among the strips."""
    made.first[ends], made.end[ends] = strips.spans(tensor.width)
    made.rows[ends] = tensor.height


def _take_whole(made: Columns, tensor: Activation, strips: Strips) -> None:
    """What is read after the segment too is made whole, when there is one strip."""
    ends = slice(tensor.made + 1, tensor.last + 1)
    for start, count in zip(strips.starts, strips.counts, strict=True):
        if count == 1:
            made.first[ends, start], made.end[ends, start] = 0, tensor.width
            made.rows[ends] = tensor.height


def _ask(source: Columns, tensor: Activation, form: RowForm, output: Columns, ends: slice) -> None:
    """Adds what `output` needs of its input."""
    first, end = output.first[ends], output.end[ends]
    window = form.window
    if form.source_columns:
        table = np.array(form.source_columns)
        low = table[np.clip(first, 0, len(table) - 1)]
        high = table[np.clip(end - 1, 0, len(table) - 1)] + 1
    else:
        reach = (window.kernel_w - 1) * window.dilation_w + 1 - window.pad_left
        low = np.clip(first * window.stride_w - window.pad_left, 0, tensor.width - 1)
        high = np.maximum(np.minimum((end - 1) * window.stride_w + reach, tensor.width), low + 1)
    np.minimum(source.first[ends], low, out=source.first[ends])
    np.maximum(source.end[ends], high, out=source.end[ends])
    rows = output.rows[ends]
    if form.source_rows:
        needed = np.array(form.source_rows)[np.maximum(rows - 1, 0)] + 1
    else:
        reach = (window.kernel_h - 1) * window.dilation_h + 1 - window.pad_top
        needed = np.maximum(np.minimum((rows - 1) * window.stride_h + reach, tensor.height), 1)
    np.maximum(source.rows[ends], needed, out=source.rows[ends])
