# SPDX-License-Identifier: Apache-2.0
"""What the scheduler must know of a graph, looked up once: places of operators, who reads a tensor, row forms, bytes.

A place is an operator's position in the graph's order, 0..n-1; a cut lies before place 0..n. Graph inputs are made at
place -1, graph outputs are read at place n. Bytes are rounded up to the arena's alignment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from runnel.graph import Graph, Operator
from runnel.operators import operator_type
from runnel.operators.base import Footprint, RowForm, Target
from runnel.schedule.areas import row_inputs
from runnel.schedule.rows import ALIGNMENT, first_row_needed, rows_needed

Integers = npt.NDArray[np.int64]
CALLER = -1
"""The place where graph inputs are made."""


@dataclass(frozen=True)
class Place:
    """One operator. form: None where it needs whole tensors (or writes something nobody reads).

    by_rows, whole: the tensors that it reads row by row and those that must be whole when its segment starts.
    follows: it reads the rows that the place before makes; with that at all places between them, the steps of a
    segment run as one pipeline. scratch: bytes, streamed; scratch_columns: where it reads int16 columns.
    """

    operator: Operator
    form: RowForm | None
    footprint: Footprint
    by_rows: tuple[int, ...]
    whole: tuple[int, ...]
    follows: bool
    scratch: int
    scratch_columns: int
    macs: int

    @property
    def output(self) -> int:
        return self.operator.outputs[0]


@dataclass(frozen=True)
class Activation:
    """A tensor that is computed. made: its place. readers: places, in order. last: the last place at which its buffer

    (which aliases share) is needed. owner: the tensor whose buffer it is.
    """

    number: int
    made: int
    readers: tuple[int, ...]
    last: int
    owner: int
    bytes: int
    height: int
    width: int
    channels: int
    shape: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Network:
    """A graph as the scheduler sees it."""

    graph: Graph
    target: Target
    places: tuple[Place, ...]
    activations: Mapping[int, Activation]
    needs: dict[int, Integers] = field(default_factory=dict)
    firsts: dict[int, Integers] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return len(self.places)

    def writes_columns(self, place: int) -> bool:
        """Whether a depthwise convolution hands int16 columns to the 1x1 convolution after it, if both are inside."""
        if not 0 <= place < self.count - 1:
            return False
        one, reader = self.places[place], self.places[place + 1]
        if one.form is None or one.form.form != "planes" or reader.form is None or not reader.form.reads_columns:
            return False
        tensor = self.activations[one.output]
        alone = tensor.readers == (place + 1,) and tensor.last == place + 1
        return alone and reader.operator.inputs[0] == tensor.number

    def column_bytes(self, place: int) -> int:
        """Of one pixel of int16 columns that the operator at `place` would write."""
        return 2 * (-(-self.activations[self.places[place].output].channels // 4) * 4)

    def scratch(self, place: int, first: int) -> int:
        """Bytes of the row kernel at `place` in a segment from the place `first` on."""
        one = self.places[place]
        return one.scratch_columns if place > first and self.writes_columns(place - 1) else one.scratch

    def rows_needed(self, place: int) -> Integers:
        """For each output row of the operator at `place` how many input rows, from the top, it needs."""
        if place not in self.needs:
            self._tabulate(place)
        return self.needs[place]

    def first_needed(self, place: int) -> Integers:
        """For each output row (and one past the last) the lowest input row that it reads."""
        if place not in self.firsts:
            self._tabulate(place)
        return self.firsts[place]

    def _tabulate(self, place: int) -> None:
        one = self.places[place]
        assert one.form is not None
        heights = self.activations[one.by_rows[0]].height, self.activations[one.output].height
        self.needs[place], self.firsts[place] = _row_tables(one.form, *heights)


@lru_cache(maxsize=8192)
def _row_tables(form: RowForm, height: int, rows: int) -> tuple[Integers, Integers]:
    """`rows_needed` and `first_needed` of an operator that makes `rows` rows of an input of `height` rows."""
    if form.form == "sums":
        return np.arange(1, height + 1), np.arange(height + 1)
    if form.source_rows:
        needs = [rows_needed(form, row, height) for row in range(rows)]
        return np.array(needs), np.array([*(first_row_needed(form, row) for row in range(rows)), height])
    starts = np.arange(rows + 1) * form.window.stride_h - form.window.pad_top
    reach = (form.window.kernel_h - 1) * form.window.dilation_h + 1
    return np.clip(starts[:rows] + reach, 0, height), np.maximum(0, starts)


def align(count: int) -> int:
    """Bytes, rounded up."""
    return -(-count // ALIGNMENT) * ALIGNMENT


def read_network(graph: Graph, target: Target) -> Network:
    """Looks everything up, without weights."""
    made = dict.fromkeys(graph.inputs, CALLER)
    readers: dict[int, list[int]] = {tensor: [] for tensor in graph.inputs}
    footprints: list[Footprint] = []
    owner = {tensor: tensor for tensor in graph.inputs}
    for place, operator in enumerate(graph.operators):
        inputs = dict.fromkeys(t for t in operator.inputs if t is not None and t in made)
        for tensor in inputs:
            readers[tensor].append(place)
        footprints.append(operator_type(operator.kind).footprint(graph, operator, target))
        for tensor in operator.outputs:
            made[tensor], readers[tensor] = place, []
            owner[tensor] = tensor if footprints[-1].calls else owner[next(iter(inputs))]
    last: dict[int, int] = {}
    for tensor, place in made.items():
        mine = graph.outputs and tensor in graph.outputs
        latest = len(graph.operators) if mine else max(readers[tensor], default=place)
        last[owner[tensor]] = max(last.get(owner[tensor], CALLER), latest)
    activations = {
        tensor: _activation(graph, tensor, place, tuple(readers[tensor]), last[owner[tensor]], owner[tensor])
        for tensor, place in made.items()
    }
    places = tuple(
        _place(graph, target, place, operator, footprints[place], activations)
        for place, operator in enumerate(graph.operators)
    )
    return Network(graph, target, places, activations)


def _activation(graph: Graph, number: int, made: int, readers: tuple[int, ...], last: int, owner: int) -> Activation:
    tensor = graph.tensors[number]
    shape = tensor.shape
    height, width = (shape[-3], shape[-2]) if len(shape) >= 3 else (1, 1)
    channels = shape[-1] if shape else 1
    return Activation(number, made, readers, last, owner, align(tensor.bytes), height, width, channels, shape)


def _place(
    graph: Graph,
    target: Target,
    place: int,
    operator: Operator,
    footprint: Footprint,
    activations: Mapping[int, Activation],
) -> Place:
    kind = operator_type(operator.kind)
    form = kind.row_form(graph, operator)
    output = operator.outputs[0]
    read = tuple(dict.fromkeys(t for t in operator.inputs if t is not None and t in activations))
    if len(operator.outputs) > 1 or (not activations[output].readers and output not in graph.outputs):
        form = None
    by_rows = row_inputs(graph, operator) if form is not None and len(read) > 1 else read
    follows = place > 0 and any(activations[t].made == place - 1 for t in by_rows)
    return Place(
        operator=operator,
        form=form,
        footprint=footprint,
        by_rows=by_rows,
        whole=tuple(t for t in read if t not in by_rows),
        follows=follows,
        scratch=align(kind.row_scratch_bytes(graph, operator, target)) if form is not None else 0,
        scratch_columns=align(kind.row_scratch_bytes(graph, operator, target, True)) if form is not None else 0,
        macs=kind.macs(graph, operator),
    )
