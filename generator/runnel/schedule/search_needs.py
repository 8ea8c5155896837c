# SPDX-License-Identifier: Apache-2.0
"""What every segment needs and costs in every mode, as arrays over [first place, end, ...].

Bytes of a segment = whole tensors that are live while it runs + its stores + what steps use one after the other - what
overlap saves. The stores are sums over operators (`search_stores.py`): sums from the end give them for all segments.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from runnel.schedule.search_areas import Columns, Strips, sweep
from runnel.schedule.search_network import CALLER, Activation, Integers, Network, Place
from runnel.schedule.search_overlap import NEVER, growths
from runnel.schedule.search_stores import Stores, count_stores, follows_all
from runnel.schedule.search_strips import unfit_strips

GROUPS = (2, 4, 12, 0)
"""Pixels of int16 columns that are tried in the search, 0 for a whole row; the chosen schedule then gets more."""


@dataclass(frozen=True, eq=False)
class Needs:
    """[first place, end, count] where not said otherwise; NEVER where a segment cannot run so.

    layer: [place], one operator on whole tensors. plain: streamed, without `work` and without overlap. grown: the same,
    growing into the tensor `grows_into`. work: [group, first place, end, count] bytes that hold nothing from one row to
    the next and so share one place: int16 columns and scratch; scratch: [first place, end] of that. macs: what is
    computed. certain: [first place, end]: whether the arithmetic is exact; else the bytes are a bound from below.
    """

    network: Network
    strips: Strips
    areas: dict[int, Columns]
    stores: Stores
    layer: Integers
    plain: Integers
    grown: Integers
    grows_into: Integers
    work: Integers
    scratch: Integers
    macs: Integers
    certain: npt.NDArray[np.bool_]
    pulled: bool


def count_needs(network: Network, strips: Strips, pulled: bool, layers_only: bool = False) -> Needs:
    """All of it. pulled: the graph's input is not stored (see `can_pull`). layers_only: nothing runs by rows."""
    areas = sweep(network, strips)
    stores = count_stores(network, areas, strips)
    whole = _WholeTensors(network, pulled)
    streams = _streamable(network, pulled) & (not layers_only)
    plain = _sums_to_ends(stores.fixed)
    if pulled:
        plain[0] += stores.input_ring
    plain += (whole.live[:, None] + whole.outputs)[:, :, None]
    _forbid(network, strips, plain, streams, whole.output_count, _sums_to_ends(unfit_strips(network, areas, strips)))
    certain = _certain(network)
    grown, grows_into = _grown(network, areas, strips, plain, certain, whole.output_count, pulled)
    macs = _sums_to_ends(_macs(network, stores))
    scratch = _scratch(network)
    work = np.stack([np.maximum(_most_to_ends(_column_bytes(stores, group)), scratch[:, :, None]) for group in GROUPS])
    layer = _layers(network, whole, pulled)
    return Needs(network, strips, areas, stores, layer, plain, grown, grows_into, work, scratch, macs, certain, pulled)


def can_pull(network: Network) -> bool:
    """Whether rows of the only input can be asked for: one streamed segment can hold all that read it."""
    return why_not_pulled(network) is None


def why_not_pulled(network: Network) -> str | None:
    """What keeps the rows of the input from being asked for, as a clause; None where nothing does."""
    if len(network.graph.inputs) != 1:
        return "the model has several inputs"
    tensor = network.activations[network.graph.inputs[0]]
    if tensor.last >= network.count:
        return "its input is an output too"
    for place in network.places[: tensor.last + 1]:
        name = f"operator {place.operator.index} ({place.operator.kind})"
        if place.form is None:
            return f"{name} needs whole tensors, and " + _image_reader(network, tensor.last, place)
        if place.whole:
            return f"{name} needs all of another tensor first, and " + _image_reader(network, tensor.last, place)
    return None if 0 in tensor.readers else "its first operator does not read the image"


def _image_reader(network: Network, last: int, place: Place) -> str:
    """Why it matters how `place` runs: it reads the image, or comes before one that does."""
    if network.graph.inputs[0] in place.operator.inputs:
        return "it reads the image"
    reader = network.places[last].operator
    return f"operator {reader.index} ({reader.kind}) after it reads the image again"


class _WholeTensors:
    """live: [place] bytes of tensors made before and needed from it on. outputs, output_count: [first place, end]."""

    def __init__(self, network: Network, pulled: bool) -> None:
        count = network.count
        self.live = np.zeros(count, np.int64)
        made = np.zeros(count, np.int64)
        last = np.full(count, CALLER)
        number = np.zeros(count, np.int64)
        for tensor in network.activations.values():
            if tensor.made == CALLER and pulled:
                continue
            if tensor.owner == tensor.number:
                self.live[tensor.made + 1 : tensor.last + 1] += tensor.bytes
            if tensor.made == CALLER:
                continue
            own = tensor.bytes if tensor.owner == tensor.number else 0
            made[tensor.made] += own
            number[tensor.made] += 1
            last[tensor.made] = max(last[tensor.made], tensor.last)
        ends = np.arange(count + 1)
        kept = (last[:, None] >= ends) | (np.arange(count)[:, None] + 1 == ends)
        inside = np.arange(count)[:, None] < ends
        self.outputs = _sums_to_ends(np.where(kept & inside, made[:, None], 0)[:, :, None])[:, :, 0]
        self.output_count = _sums_to_ends(np.where(kept & inside, number[:, None], 0)[:, :, None])[:, :, 0]


def _sums_to_ends(values: Integers) -> Integers:
    """[place, end, ...] of operators -> [first place, end, ...] of segments: the sum from the first place on."""
    return np.asarray(np.cumsum(values[::-1], axis=0)[::-1], dtype=np.int64)


def _most_to_ends(values: Integers) -> Integers:
    """The same with the largest instead of the sum."""
    return np.asarray(np.maximum.accumulate(values[::-1], axis=0)[::-1], dtype=np.int64)


def _scratch(network: Network) -> Integers:
    """[first place, end]: the most that a row kernel asks for."""
    count = network.count
    inside = np.arange(count)[:, None] < np.arange(count + 1)
    first = np.where(inside, np.array([network.scratch(p, p) for p in range(count)])[:, None], 0)
    later = np.where(inside, np.array([network.scratch(p, CALLER) for p in range(count)])[:, None], 0)
    most = _most_to_ends(later)
    return np.asarray(np.maximum(first, np.concatenate([most[1:], most[:1] * 0])), dtype=np.int64)


def _streamable(network: Network, pulled: bool) -> npt.NDArray[np.bool_]:
    """[first place, end]: whether all of it runs by rows and tensors read as wholes are made before."""
    count = network.count
    found = np.zeros((count, count + 1), np.bool_)
    for start in range(count):
        for end in range(start + 1, count + 1):
            one = network.places[end - 1]
            if one.form is None or any(network.activations[t].made >= start for t in one.whole):
                break
            found[start, end] = True
    if pulled:
        tensor = network.activations[network.graph.inputs[0]]
        found[0, : tensor.last + 1] = False  # all that read it are in the first segment
        found[1 : tensor.last + 1] = False
    return found


def _forbid(
    network: Network,
    strips: Strips,
    plain: Integers,
    streams: npt.NDArray[np.bool_],
    output_count: Integers,
    unfit: Integers,
) -> None:
    """Marks what cannot run: strips need one output that is wide enough, and windows that touch their input."""
    plain[~streams] = NEVER
    for end in range(1, network.count + 1):
        last = network.places[end - 1]
        if last.form is None:
            continue
        divided = last.by_rows[0] if last.form.form == "sums" else last.output
        width = network.activations[divided].width
        for k, number in enumerate(strips.counts):
            if number > width:
                plain[:, end, k] = NEVER
            elif number > 1:
                plain[(output_count[:, end] != 1) | (unfit[:, end, k] > 0), end, k] = NEVER


def _certain(network: Network) -> npt.NDArray[np.bool_]:
    """[first place, end]: whether the steps from the first place to the end run as one pipeline."""
    count = network.count
    follows = follows_all(network)
    found = np.zeros((count, count + 1), np.bool_)
    for start in range(count):
        for end in range(start + 1, count + 1):
            if end > start + 1 and not follows[end - 1]:
                break
            found[start, end] = True
    return found


def _grown(
    network: Network,
    areas: dict[int, Columns],
    strips: Strips,
    plain: Integers,
    certain: npt.NDArray[np.bool_],
    output_count: Integers,
    pulled: bool,
) -> tuple[Integers, Integers]:
    """Bytes with the best overlap, and the tensor that it grows into (-1: none)."""
    grown, into = np.full_like(plain, NEVER), np.full_like(plain, -1)
    for end in range(1, network.count + 1):
        possible = (plain[:, end, 0] < NEVER) & (output_count[:, end] == 1)
        if pulled:
            possible[0] = False  # its only input is not stored
        if not np.any(possible):
            continue
        output = network.activations[network.places[end - 1].output]
        starts = range(end - 1, int(np.flatnonzero(possible)[0]) - 1, -1)
        pipelines = int(np.flatnonzero(certain[:, end])[0])
        for start, growth in growths(network, areas, strips, end, starts, pipelines):
            if not possible[start]:
                continue
            source = network.activations[growth.tensor]
            saved = source.bytes + output.bytes - growth.bytes
            better = (saved > 0) & (plain[start, end] - saved < grown[start, end]) & (plain[start, end] < NEVER)
            grown[start, end] = np.where(better, plain[start, end] - saved, grown[start, end])
            into[start, end] = np.where(better, growth.tensor, into[start, end])
    return grown, into


def _macs(network: Network, stores: Stores) -> Integers:
    """[place, end, count]: multiply-accumulates, never less than the operator's own."""
    macs = np.zeros_like(stores.made)
    for place, one in enumerate(network.places):
        if one.macs:
            elements = int(np.prod(network.activations[one.output].shape))
            macs[place] = np.maximum(one.macs, one.macs * stores.made[place] // elements)
            macs[place, : place + 1] = 0
    return macs


def _column_bytes(stores: Stores, group: int) -> Integers:
    pixels = stores.columns if group == 0 else np.minimum(stores.columns, group)
    return np.asarray(pixels * np.array(stores.pitches)[:, None, None], dtype=np.int64)


def _layers(network: Network, whole: _WholeTensors, pulled: bool) -> Integers:
    """[place] bytes of an operator on whole tensors; NEVER where it would need the input that is not stored."""
    found = np.zeros(network.count, np.int64)
    for place, one in enumerate(network.places):
        scratch = -(-one.footprint.scratch_bytes // 4) * 4
        made = int(whole.outputs[place, place + 1])
        found[place] = whole.live[place] + made + scratch - saved_in_place(network, place)
        if pulled and place in network.activations[network.graph.inputs[0]].readers:
            found[place] = NEVER
    return found


def saved_in_place(network: Network, place: int) -> int:
    """Bytes that the output saves by starting where a dying input starts."""
    one = network.places[place]
    if one.footprint.calls != 1:
        return 0
    inputs = [network.activations.get(t) if t is not None else None for t in one.operator.inputs]
    best = 0
    for position in one.footprint.in_place:
        source: Activation | None = inputs[position]
        others = (t for p, t in enumerate(inputs) if p != position and p not in one.footprint.in_place)
        if source is None or source.last != place or any(t is not None and t.owner == source.owner for t in others):
            continue
        best = max(best, min(source.bytes, network.activations[one.output].bytes))
    return best
