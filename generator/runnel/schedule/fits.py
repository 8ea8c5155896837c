# SPDX-License-Identifier: Apache-2.0
"""Whether any schedule of a network stays within a budget: what an architecture search asks thousands of times.

A walk over cuts that are reachable within the budget, one operator at a time, which stops at the end of the network.
It needs no arrays of all segments, no costs and no weights; what it cannot decide it leaves to the scheduler.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

from runnel.graph import Graph
from runnel.operators.base import Target
from runnel.schedule.search import Request, least_bytes
from runnel.schedule.search_needs import can_pull, saved_in_place
from runnel.schedule.search_network import CALLER, Activation, Network, align, read_network
from runnel.schedule.search_overlap import EndState, dying_inputs, end_state, growing_distance
from runnel.schedule.search_rings import is_pipeline, rows_kept
from runnel.schedule.search_stores import is_made_as_planes, planes_bytes, user_in_place

SMALLEST_GROUP = 2


def fits(
    graph: Graph,
    target: Target,
    budget: int,
    pulled: bool = True,
    input_passes: int = 1,
    max_overhead: float = 0.0,
) -> bool:
    """Whether `find_schedule` with these settings would need at most `budget` bytes of arena."""
    network = read_network(graph, target)
    walk = _Walk(network, budget, pulled and can_pull(network))
    if walk.reaches_end():
        return True
    if walk.is_exact and max_overhead <= 0:
        return False
    request = Request(pulled=pulled, input_passes=input_passes, max_overhead=max_overhead, target=target)
    return least_bytes(graph, request) <= budget


@dataclass(eq=False)
class _Walk:
    """is_exact: what does not fit here does not fit with one strip at all."""

    network: Network
    budget: int
    pulled: bool
    is_exact: bool = True
    ends: dict[int, EndState] = field(default_factory=dict)

    def __post_init__(self) -> None:
        network = self.network
        places = range(network.count)
        self.pipeline = [is_pipeline(network, place) for place in places]
        self.writes_columns = [network.writes_columns(place) for place in places]
        self.stores = [self._stores(place) for place in places]
        self.scratch = [(network.scratch(place, place), network.scratch(place, CALLER)) for place in places]
        self.rings = {number: self._ring(tensor) for number, tensor in network.activations.items()}
        self.pending = [0]

    @cached_property
    def input(self) -> Activation:
        return self.network.activations[self.network.graph.inputs[0]]

    @cached_property
    def live(self) -> list[int]:
        """Bytes of tensors made before each place and needed from it on."""
        changes = [0] * (self.network.count + 2)
        for tensor in self.network.activations.values():
            if tensor.owner == tensor.number and not (self.pulled and tensor.made == CALLER):
                changes[tensor.made + 1] += tensor.bytes
                changes[tensor.last + 1] -= tensor.bytes
        return list(accumulate(changes))

    @cached_property
    def dying(self) -> list[list[Activation]]:
        """Tensors by the place that reads them last."""
        found: list[list[Activation]] = [[] for _ in range(self.network.count + 1)]
        for tensor in self.network.activations.values():
            found[max(0, tensor.last)].append(tensor)
        return found

    def reaches_end(self) -> bool:
        """Whether there is a path of segments that fit. Where areas are not exact, bytes are at most too many."""
        count = self.network.count
        reached = [True] + [False] * count
        while self.pending and not reached[count]:
            first = -heapq.heappop(self.pending)  # the furthest
            if not reached[first + 1] and self._layer(first) <= self.budget:
                self._reach(first + 1, reached)
            self._stream(first, reached)
        self.is_exact = self.is_exact and all(_reads_all(self.network, place) for place in range(count))
        return reached[count]

    def _reach(self, cut: int, reached: list[bool]) -> None:
        reached[cut] = True
        if cut < self.network.count:
            heapq.heappush(self.pending, -cut)

    def _layer(self, place: int) -> int:
        """Bytes of the operator on whole tensors."""
        if self.pulled and place in self.input.readers:
            return self.budget + 1
        one = self.network.places[place]
        made = sum(self.network.activations[t].bytes for t in one.operator.outputs) if one.footprint.calls else 0
        scratch = align(one.footprint.scratch_bytes)
        return self.live[place] + made + scratch - saved_in_place(self.network, place)

    def _stream(self, first: int, reached: list[bool]) -> None:
        """Marks the cuts at which a streamed segment from `first` on may end."""
        network, starts_pulled = self.network, self.pulled and first == 0
        stores = self.rings[self.input.number] if starts_pulled else 0
        outputs: dict[int, int] = {}
        work = 0
        for place in range(first, network.count):
            one = network.places[place]
            if one.form is None or any(network.activations[t].made >= first for t in one.whole):
                return
            if place > first and not self.pipeline[place]:
                self.is_exact = False
                return
            fixed, columns = self.stores[place]
            stores += fixed
            work = max(work, self.scratch[place][place > first], columns if place > first else 0)
            outputs[one.output] = network.activations[one.output].bytes
            for tensor in self.dying[place]:
                if outputs.pop(tensor.number, None) is not None:
                    stores += self.rings[tensor.number] + self._moved_out(tensor, first)
            least = self.live[first] + stores + work
            if least > self.budget:
                return
            if reached[place + 1] or (starts_pulled and place < self.input.last):
                continue
            need = least + sum(outputs.values())
            if need <= self.budget or (
                len(outputs) == 1 and not starts_pulled and self._saves(first, place + 1, need - self.budget)
            ):
                self._reach(place + 1, reached)

    def _stores(self, place: int) -> tuple[int, int]:
        """Bytes of the planes or sums of the operator at `place`, and of the int16 columns that it reads."""
        network, one = self.network, self.network.places[place]
        if one.form is None:
            return 0, 0
        source = network.activations[one.by_rows[0]]
        own = 0
        if one.form.form == "planes":
            own = planes_bytes(source, one.form.window, network.activations[one.output])
        elif one.form.form == "sums":
            own = 4 * source.channels
        if place == 0 or not self.writes_columns[place - 1]:
            return own, 0
        return own, min(SMALLEST_GROUP, source.width) * network.column_bytes(place - 1)

    def _ring(self, tensor: Activation) -> int:
        """Bytes of the ring of a tensor that the segment alone reads, 0 where it has none."""
        if not tensor.readers or any(self.network.places[p].form is None for p in tensor.readers):
            return 0
        if is_made_as_planes(self.network, tensor) or self.network.writes_columns(tensor.made):
            return 0
        rows = self._rows(tensor)
        if rows == 1 and user_in_place(self.network, tensor) is not None:
            return 0
        return align(rows * tensor.width * tensor.channels)

    def _rows(self, tensor: Activation) -> int:
        return rows_kept(self.network, tensor, self._height)

    def _height(self, number: int) -> int:
        return self.network.activations[number].height

    def _moved_out(self, tensor: Activation, first: int) -> int:
        """Bytes of the row that lay in the output of `tensor` until that became channel planes."""
        if tensor.made < first or not is_made_as_planes(self.network, tensor):
            return 0
        for number in self.network.places[tensor.made].by_rows:
            before = self.network.activations[number]
            if before.made >= first and self.rings[number] == 0 and user_in_place(self.network, before) == tensor.made:
                return align(before.width * before.channels)
        return 0

    def _saves(self, first: int, end: int, wanted: int) -> bool:
        """Whether some rolling overlap saves so many bytes."""
        network = self.network
        output = network.activations[network.places[end - 1].output]
        if output.bytes < wanted:
            return False
        for source in dying_inputs(network, first, end):
            if source.bytes < wanted:
                continue
            if end not in self.ends:
                self.ends[end] = end_state(network, self._height, end, 0)
            distance = align(growing_distance(network, self.ends[end], source, first))
            both = source.bytes + output.bytes
            if both - max(distance + source.bytes, output.bytes) >= wanted:
                return True
        return False


def _reads_all(network: Network, place: int) -> bool:
    """Whether making all of the output takes all rows and columns of every input: then parts are whole tensors."""
    one = network.places[place]
    if one.form is None or one.form.form == "sums":
        return True
    output, window = network.activations[one.output], one.form.window
    for number in one.by_rows:
        source = network.activations[number]
        if one.form.source_rows:
            whole = one.form.source_rows[-1] == source.height - 1 and one.form.source_columns[-1] == source.width - 1
        else:
            rows = (output.height - 1) * window.stride_h - window.pad_top + (window.kernel_h - 1) * window.dilation_h
            columns = (output.width - 1) * window.stride_w - window.pad_left + (window.kernel_w - 1) * window.dilation_w
            whole = rows >= source.height - 1 and columns >= source.width - 1
        if not whole:
            return False
    return True
