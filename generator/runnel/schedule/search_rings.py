# SPDX-License-Identifier: Apache-2.0
"""How many rows the ring of a tensor keeps, without running the turns of `rings.py` row by row.

In a pipeline (each step reads the rows of the step before it) the deepest step that can go goes, so when a row is made
everything behind it has gone as far as the rows before allowed. That is a function of the count of those rows alone:
how far a reader has come is the composition of "how many rows can be made of c input rows" along the pipeline.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from runnel.schedule.search_areas import Columns
from runnel.schedule.search_network import Activation, Integers, Network


def is_pipeline(network: Network, place: int) -> bool:
    """Whether the step at `place` only ever waits for the one before it: its other inputs are always ahead."""
    one = network.places[place]
    if not one.follows or one.form is None:
        return False
    return all(_is_ahead(network, network.activations[t], place) for t in one.by_rows)


def _is_ahead(network: Network, tensor: Activation, place: int) -> bool:
    """Whether rows of `tensor` are there when the step before `place` has made what `place` waits for."""
    if tensor.made >= place - 1:
        return True
    need = network.rows_needed(place)
    if any(network.places[p].form is None for p in range(max(0, tensor.made + 1), place)):
        return True  # never in one segment
    (other,) = (t for t in network.places[place].by_rows if network.activations[t].made == place - 1)
    if network.activations[other].height != tensor.height:
        return False
    through = need
    for before in range(place - 1, tensor.made, -1):
        if not network.places[before].follows and before > tensor.made + 1:
            return False
        through = needed_before(network, before, through)
    return bool(np.all(through >= need))


def needed_before(network: Network, place: int, made: Integers) -> Integers:
    """How many rows the step at `place` has read when it has made `made` rows."""
    table = np.concatenate([[0], network.rows_needed(place)])
    return np.asarray(table[np.minimum(made, len(table) - 1)], dtype=np.int64)


def possible_after(network: Network, place: int, read: Integers, rows: int) -> Integers:
    """How many of its `rows` rows the step at `place` can make of the first `read` rows of its input."""
    return np.searchsorted(network.rows_needed(place)[:rows], read, side="right").astype(np.int64)


def ring_rows(network: Network, columns: Mapping[int, Columns], tensor: Activation) -> Integers:
    """[end]: rows that a ring of pixels of `tensor` keeps; 1 where a segment that ends there has no such ring."""
    kept = np.ones(network.count + 1, np.int64)
    if _keeps_one(network, tensor):
        return kept
    last = tensor.readers[-1]
    ends = np.stack([columns[number].rows[last + 1 :] for number in _involved(network, tensor)])
    distinct, which = np.unique(ends, axis=1, return_inverse=True)
    answers = [_kept(network, tensor, column.tolist()) for column in distinct.T]
    kept[last + 1 :] = np.array(answers, np.int64)[which.reshape(-1)]
    return kept


def rows_kept(network: Network, tensor: Activation, rows_of: Callable[[int], int]) -> int:
    """The same for one end, at which segments make so many rows of each tensor."""
    if _keeps_one(network, tensor):
        return 1
    return _kept(network, tensor, [rows_of(number) for number in _involved(network, tensor)])


def _keeps_one(network: Network, tensor: Activation) -> bool:
    """Whether there is nothing to work out: no ring, or each row is used up by the next step as soon as it is made."""
    if not tensor.readers or any(network.places[p].form is None for p in tensor.readers):
        return True
    last = tensor.readers[-1]
    return last == tensor.made + 1 and _is_read_row_by_row(network, last)


def _involved(network: Network, tensor: Activation) -> list[int]:
    """The tensors whose rows are counted, from `tensor` on to the output of its last reader."""
    return [tensor.number, *(_rows_of(network, p) for p in range(tensor.made + 1, tensor.readers[-1] + 1))]


def _rows_of(network: Network, place: int) -> int:
    """The tensor whose rows the step at `place` counts: its output, or what global pooling reads."""
    one = network.places[place]
    return one.by_rows[0] if one.form is not None and one.form.form == "sums" else one.output


def _is_read_row_by_row(network: Network, place: int) -> bool:
    form = network.places[place].form
    assert form is not None
    return form.form in ("sums", "planes") or bool(
        np.all(network.first_needed(place)[:-1] >= network.rows_needed(place) - 1)
    )


def _kept(network: Network, tensor: Activation, rows: Sequence[int]) -> int:
    """rows: how many are made, of the tensor and of each place after it up to its last reader."""
    count = rows[0]
    before = np.arange(count)  # rows that were there when each one was being made
    lowest = np.full(count, 1 << 30)
    come = before
    pipeline = True
    for place in range(tensor.made + 1, tensor.readers[-1] + 1):
        end = rows[place - tensor.made]
        one = network.places[place]
        reads = place in tensor.readers
        if place > tensor.made + 1:
            pipeline = pipeline and one.form is not None and is_pipeline(network, place)
        if pipeline and one.form is not None:
            come = possible_after(network, place, come, end)
            if one.form.form == "sums" and not reads:
                come = np.where(come == end, 1, 0)  # one row, when all are added
        if reads:
            came = come if pipeline else possible_after(network, place, before, end)
            lowest = np.minimum(lowest, _lowest(network, tensor, place, came, end))
    return int(np.max(before + 1 - np.minimum(lowest, before), initial=1))


def _lowest(network: Network, tensor: Activation, place: int, came: Integers, end: int) -> Integers:
    """The lowest row of `tensor` that the step at `place` still reads when it has made `came` of `end` rows."""
    form = network.places[place].form
    assert form is not None
    if form.form in ("planes", "sums"):
        # rows are copied into channel planes, or added, as soon as they are there
        return np.full(len(came), 1 << 30)
    still = network.first_needed(place)[came]
    return np.where(came < end, still, 1 << 30)
