# SPDX-License-Identifier: Apache-2.0
"""Segment -> its steps and stores: `build_rows`."""

from __future__ import annotations

from dataclasses import dataclass

from runnel.graph import Graph, Operator
from runnel.operators import operator_type
from runnel.operators.base import RowForm, Target, Window
from runnel.schedule.areas import plane, row_inputs
from runnel.schedule.overlap import growing_distance, halo_columns
from runnel.schedule.rings import Observed, Turn, take_turns
from runnel.schedule.rows import Area, SegmentRows, Step, StepForm, Store, input_area
from runnel.schedule.schedule import Segment, Streaming
from runnel.schedule.stores import Stores

_ONE_PIXEL = Window(1, 1, 1, 1, 1, 1, 0, 0)
_ANY_TARGET = Target()


def build_rows(graph: Graph, segment: Segment) -> SegmentRows:
    """The steps of a segment that streams, with exact ring sizes.

    Raises ValueError where the segment cannot run in the way its `streaming` says; the text says why.
    """
    assert segment.streaming is not None
    builder = _Builder(graph, segment, segment.streaming)
    builder.add_steps()
    seen = builder.size_rings()
    builder.share_rows(seen)
    return builder.result()


@dataclass
class _Draft:
    """A step in the making; stores by name."""

    form: StepForm
    operators: tuple[Operator, ...]
    row_form: RowForm
    inputs: list[str]
    output: str
    areas: tuple[Area, ...]
    columns: str = ""
    sums: str = ""
    halo: str = ""
    group: int = 0


class _Builder:
    """Walks the operators once, then sizes what they need."""

    def __init__(self, graph: Graph, segment: Segment, streaming: Streaming) -> None:
        self.graph, self.segment, self.streaming = graph, segment, streaming
        self.stores = Stores(graph, segment, streaming)
        self.steps: list[_Draft] = []

    def add_steps(self) -> None:
        pulled = self.stores.pulled
        if pulled is not None:
            copy, areas = RowForm("pixels", _ONE_PIXEL), self.stores.areas_of(pulled)
            self.steps.append(_Draft("pull", (), copy, [], self.stores.pixels(pulled), areas))
        skip = -1
        for place, operator in enumerate(self.segment.operators):
            form = self.stores.forms[place]
            if place == skip:
                continue
            if form.form == "planes":
                skip = self._add_depthwise(place, operator, form)
            elif form.form == "sums":
                self._add_sums(operator)
            else:
                inputs = [self.stores.pixels(t) for t in self._read_tensors(operator)]
                self._add(form.form, (operator,), form, inputs, self.stores.output(operator.outputs[0], form))

    def _add(
        self, form: StepForm, operators: tuple[Operator, ...], row_form: RowForm, inputs: list[str], output: str
    ) -> _Draft:
        draft = _Draft(form, operators, row_form, inputs, output, self.stores.areas_of(operators[-1].outputs[0]))
        self.steps.append(draft)
        return draft

    def _add_depthwise(self, place: int, operator: Operator, form: RowForm) -> int:
        """The depthwise step, with the 1x1 convolution after it where that can read columns; that one's place."""
        planes = self.stores.planes_name(operator)
        if self.stores.get(planes) is None:
            self._add_spread(operator, form)
        after = self._column_reader(place, operator)
        if after is None:
            self._add("planes", (operator,), form, [planes], self.stores.output(operator.outputs[0], form))
            return -1
        reader = self.segment.operators[after]
        output = self.stores.output(reader.outputs[0], self.stores.forms[after])
        draft = self._add("planes", (operator, reader), form, [planes], output)
        draft.columns, draft.group = self.stores.columns(operator)
        return after

    def _add_spread(self, operator: Operator, form: RowForm) -> None:
        """Rows of pixels that somebody else reads too, or that cannot be written as planes, are copied into planes."""
        source = operator.inputs[0]
        assert source is not None
        planes = self.stores.planes(operator, form.window)
        size = plane(self.graph, source)
        areas = tuple(input_area(form, area, *size) for area in self.stores.areas_of(operator.outputs[0]))
        copy = RowForm("pixels", _ONE_PIXEL)
        self.steps.append(_Draft("spread", (), copy, [self.stores.pixels(source)], planes, areas))

    def _column_reader(self, place: int, operator: Operator) -> int | None:
        """The place of the operator straight after that alone reads the output and can do so from int16 columns."""
        tensor = operator.outputs[0]
        if place + 1 == len(self.segment.operators) or tensor in self.segment.outputs:
            return None
        reader = self.segment.operators[place + 1]
        alone = self.graph.consumers(tensor) == (reader,) and reader.inputs[0] == tensor
        return place + 1 if alone and self.stores.forms[place + 1].reads_columns else None

    def _add_sums(self, operator: Operator) -> None:
        source, output = operator.inputs[0], operator.outputs[0]
        assert source is not None
        form = RowForm("sums", _ONE_PIXEL)
        draft = _Draft("sums", (operator,), form, [self.stores.pixels(source)], self.stores.pixels(output), ())
        draft.areas, draft.sums = self.stores.areas_of(source), self.stores.sums(source, output)
        self.steps.append(draft)

    def _read_tensors(self, operator: Operator) -> list[int]:
        """Computed inputs in order; a broadcast operand must be whole before the segment starts."""
        by_rows = row_inputs(self.graph, operator)
        tensors = [t.index for t in self.graph.activations(operator)]
        for tensor in tensors:
            if tensor not in by_rows and (tensor in self.stores.made or tensor == self.stores.pulled):
                raise ValueError(f"{operator.label} needs the whole of a tensor that this segment makes")
        return tensors

    # --- sizes --------------------------------------------------------------------------------------------------

    def turns(self) -> tuple[Turn, ...]:
        return tuple(self._turn(draft) for draft in self.steps)

    def _turn(self, draft: _Draft) -> Turn:
        rows = tuple(area.rows for area in draft.areas[:: self.streaming.strips])
        by_rows = [name for name in draft.inputs if self._is_read_by_rows(draft, name)]
        here = frozenset(name for name in by_rows if any(d.output == name for d in self.steps))
        reads = {name: plane(self.graph, self.stores[name].tensor)[0] for name in by_rows}
        return Turn(draft.row_form, rows, reads, here, draft.output, at_end=bool(draft.sums))

    def _is_read_by_rows(self, draft: _Draft, name: str) -> bool:
        if draft.form != "pixels" or not draft.operators:
            return True
        return self.stores[name].tensor in row_inputs(self.graph, draft.operators[0])

    def size_rings(self) -> list[Observed]:
        """Lets the steps take turns in every band; what was seen in each."""
        turns = self.turns()
        seen = [take_turns(turns, band) for band in range(self.streaming.bands)]
        names = {name for observed in seen for name in observed.kept}
        self.stores.set_rows({name: max(observed.kept.get(name, 1) for observed in seen) for name in names})
        return seen

    def share_rows(self, seen: list[Observed]) -> None:
        """An element-wise step works in place on a row that was made just before and that nobody else reads."""
        for number, draft in enumerate(self.steps):
            into = self.stores[draft.output]
            if draft.form != "pixels" or not draft.operators or into.layout == "channel planes":
                continue
            operator = draft.operators[0]
            positions = operator_type(operator.kind).footprint(self.graph, operator, _ANY_TARGET).in_place
            tensors = [operator.inputs[p] for p in positions]
            for maker in reversed(range(number)):
                store = self.stores[self.steps[maker].output]
                if store.tensor in tensors and self._may_share(seen, maker, number, store, into):
                    self.stores.put_inside(store.name, draft.output)
                    break

    def _may_share(self, seen: list[Observed], maker: int, user: int, store: Store, into: Store) -> bool:
        alone = sum(draft.inputs.count(store.name) for draft in self.steps) == 1
        followed = store.name in self.steps[user].inputs and all(o.followed.get(maker, user) == user for o in seen)
        same = store.channels == into.channels and self.steps[maker].areas == self.steps[user].areas
        return alone and followed and same and store.rows == 1 and not store.whole

    # --- result -------------------------------------------------------------------------------------------------

    def result(self) -> SegmentRows:
        distance = None
        if self.streaming.grows_into is not None:
            distance = self._grow(self.streaming.grows_into)
        steps = tuple(self._step(draft) for draft in self.steps)
        own = tuple(store for store in self.stores.by_name.values() if not store.whole and not store.inside)
        return SegmentRows(self.segment, steps, own, self.stores.areas, distance)

    def _grow(self, tensor: int) -> int:
        """Checks that the output may take over the rows of `tensor`; adds the store of the halo under strips."""
        source, wanted = f"tensor_{tensor}", f"tensor_{self.segment.outputs[0]}"
        writers = frozenset(n for n, draft in enumerate(self.steps) if self.stores.home(draft.output) == wanted)
        distance = growing_distance(self.graph, self.segment, self.turns(), writers, source)
        if self.streaming.strips > 1:
            columns = halo_columns(self.segment, self.stores.areas, tensor)
            self._attach_halo(source, self.stores.halo(tensor, columns) if columns else "")
        return distance

    def _attach_halo(self, source: str, halo: str) -> None:
        """The one step that reads more columns than its strip's own takes the rest from the halo that was saved."""
        own = self.stores.areas_of(self.segment.outputs[0])
        readers = [d for d in self.steps if source in d.inputs]
        wide = [d for d in readers if d.areas != own]
        if any(d.form != "pixels" or d.row_form.window != _ONE_PIXEL for d in readers) or len(wide) > 1:
            raise ValueError("in-place strips: the input is not read by one 1x1 convolution and at its own place only")
        if any(draft.inputs != [source] for draft in wide):
            raise ValueError("in-place strips: the operator that needs a halo has a second operand")
        for draft in wide:
            draft.halo = halo

    def _step(self, draft: _Draft) -> Step:
        return Step(
            form=draft.form,
            operators=draft.operators,
            row_form=draft.row_form,
            inputs=tuple(self.stores[name] for name in draft.inputs),
            output=self.stores[draft.output],
            areas=draft.areas,
            columns=self.stores.get(draft.columns),
            sums=self.stores.get(draft.sums),
            halo=self.stores.get(draft.halo),
            group=draft.group,
        )
