# SPDX-License-Identifier: Apache-2.0
"""Segment -> its steps and stores: `build_rows`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from runnel.graph import Graph, Operator
from runnel.operators import operator_type
from runnel.operators.base import RowForm, Target, Window
from runnel.schedule.areas import patch_areas, plane, row_forms, row_inputs
from runnel.schedule.overlap import growing_distance, halo_columns
from runnel.schedule.rings import Observed, Turn, take_turns
from runnel.schedule.rows import (
    READ_AHEAD_BYTES,
    Area,
    SegmentRows,
    Span,
    Step,
    StepForm,
    Store,
    input_area,
)
from runnel.schedule.schedule import Segment, Streaming

_ONE_PIXEL = Window(1, 1, 1, 1, 1, 1, 0, 0)
_ANY_TARGET = Target()


def build_rows(graph: Graph, segment: Segment) -> SegmentRows:
    """The steps of a segment that streams, with exact ring sizes.

    Raises ValueError where the segment cannot run in the way its `streaming` says; the text says why.
    """
    assert segment.streaming is not None
    builder = _Builder(graph, segment, segment.streaming)
    builder.add_steps()
    builder.size_rings()
    builder.share_rows()
    return builder.result()


@dataclass
class _Draft:
    """A step in the making."""

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
        self.forms = row_forms(graph, segment)
        self.areas = patch_areas(graph, segment, self.forms)
        self.stores: dict[str, Store] = {}
        self.steps: list[_Draft] = []
        self.made = {t for o in segment.operators for t in o.outputs}
        self.pulled = graph.inputs[0] if streaming.pulled else None

    # --- steps --------------------------------------------------------------------------------------------------

    def add_steps(self) -> None:
        if self.pulled is not None:
            ring = self._pixels(self.pulled)
            self.steps.append(_Draft("pull", (), RowForm("pixels", _ONE_PIXEL), [], ring, self._areas_of(self.pulled)))
        skip = -1
        for place, operator in enumerate(self.segment.operators):
            if place == skip:
                continue
            form = self.forms[place]
            if form.form == "planes":
                skip = self._add_depthwise(place, operator, form)
            elif form.form == "sums":
                self._add_sums(operator)
            else:
                inputs = [self._pixels(t) for t in self._read_tensors(operator)]
                self._add(form.form, (operator,), form, inputs, self._output(operator.outputs[0], form))

    def _add(
        self, form: StepForm, operators: tuple[Operator, ...], row_form: RowForm, inputs: list[str], output: str
    ) -> _Draft:
        draft = _Draft(form, operators, row_form, inputs, output, self._areas_of(operators[-1].outputs[0]))
        self.steps.append(draft)
        return draft

    def _add_depthwise(self, place: int, operator: Operator, form: RowForm) -> int:
        """The depthwise step, with the 1x1 convolution after it where that can read columns; that one's place."""
        source = operator.inputs[0]
        assert source is not None
        planes = self._planes_name(operator)
        if planes not in self.stores:
            self._add_planes(operator, form)
            spread = RowForm("pixels", _ONE_PIXEL)
            areas = tuple(self._needed(form, areas[operator.outputs[0]], source) for areas in self.areas)
            self.steps.append(_Draft("spread", (), spread, [self._pixels(source)], planes, areas))
        after = self._column_reader(operator)
        if after is None:
            self._add("planes", (operator,), form, [planes], self._output(operator.outputs[0], form))
            return -1
        reader, reader_place = after
        output = self._output(reader.outputs[0], self.forms[reader_place])
        draft = self._add("planes", (operator, reader), form, [planes], output)
        draft.columns, draft.group = self._columns(operator)
        return reader_place

    def _column_reader(self, operator: Operator) -> tuple[Operator, int] | None:
        """The operator straight after `operator` that alone reads its output and can do so from int16 columns."""
        tensor = operator.outputs[0]
        place = self.segment.operators.index(operator) + 1
        if place == len(self.segment.operators) or tensor in self.segment.outputs:
            return None
        reader = self.segment.operators[place]
        alone = self.graph.consumers(tensor) == (reader,) and reader.inputs[0] == tensor
        return (reader, place) if alone and self.forms[place].reads_columns else None

    def _add_sums(self, operator: Operator) -> None:
        source, output = operator.inputs[0], operator.outputs[0]
        assert source is not None
        channels = self.graph.tensor(source).shape[-1]
        name = f"sums_{output}"
        self.stores[name] = Store(name, output, "int32 sums", False, 1, 4 * channels, 4 * channels, channels)
        whole = self._whole(output)
        draft = _Draft("sums", (operator,), RowForm("sums", _ONE_PIXEL), [self._pixels(source)], whole, ())
        draft.areas, draft.sums = self._areas_of(source), name
        self.steps.append(draft)

    # --- stores -------------------------------------------------------------------------------------------------

    def _read_tensors(self, operator: Operator) -> list[int]:
        """Computed inputs in order; a broadcast operand must be whole before the segment starts."""
        by_rows = row_inputs(self.graph, operator)
        tensors = [t.index for t in self.graph.activations(operator)]
        for tensor in tensors:
            if tensor not in by_rows and (tensor in self.made or tensor == self.pulled):
                raise ValueError(f"{operator.label} needs the whole of a tensor that this segment makes")
        return tensors

    def _pixels(self, tensor: int) -> str:
        """The store that readers of pixels find this tensor in: whole, or a ring of rows yet to be counted."""
        if tensor in self.segment.outputs or (tensor not in self.made and tensor != self.pulled):
            return self._whole(tensor)
        name = f"rows_{tensor}"
        if name not in self.stores:
            channels = self.graph.tensor(tensor).shape[-1]
            width = max(area.columns.size for area in self._areas_of(tensor))
            self.stores[name] = Store(name, tensor, "rows of pixels", False, 0, width * channels, 0, channels)
        return name

    def _whole(self, tensor: int) -> str:
        name = f"tensor_{tensor}"
        if name not in self.stores:
            shape = self.graph.tensor(tensor).shape
            height, width = plane(self.graph, tensor)
            channels = shape[-1] if shape else 1
            self.stores[name] = Store(
                name,
                tensor,
                "rows of pixels",
                True,
                height,
                width * channels,
                self.graph.tensor(tensor).bytes,
                channels,
            )
        return name

    def _output(self, tensor: int, form: RowForm) -> str:
        """Channel planes where a depthwise convolution alone reads them and the step can write them; else pixels."""
        readers = self.graph.consumers(tensor)
        if tensor not in self.segment.outputs and len(readers) == 1 and form.writes_planes:
            place = next((p for p, o in enumerate(self.segment.operators) if o is readers[0]), None)
            if place is not None and self.forms[place].form == "planes":
                return self._add_planes(readers[0], self.forms[place])
        return self._pixels(tensor)

    def _planes_name(self, depthwise: Operator) -> str:
        return f"planes_{depthwise.inputs[0]}_{depthwise.outputs[0]}"

    def _add_planes(self, depthwise: Operator, form: RowForm) -> str:
        """A ring of the rows of one window, with margins: see `plane_width`."""
        source, output = depthwise.inputs[0], depthwise.outputs[0]
        assert source is not None
        _, width = plane(self.graph, source)
        channels = self.graph.tensor(source).shape[-1]
        rows = (form.window.kernel_h - 1) * form.window.dilation_h + 1
        row_bytes = gap = 0
        for areas in self.areas:
            left, real, right = plane_columns(form.window, areas[output].columns, width)
            row_bytes = max(row_bytes, real + max(left, right))
            gap = max(gap, left, right)
        size = channels * rows * row_bytes + gap + READ_AHEAD_BYTES
        name = self._planes_name(depthwise)
        self.stores[name] = Store(name, source, "channel planes", False, rows, row_bytes, size, channels)
        return name

    def _columns(self, depthwise: Operator) -> tuple[str, int]:
        tensor = depthwise.outputs[0]
        width = max(areas[tensor].columns.size for areas in self.areas)
        group = min(self.streaming.group or width, width)
        channels = self.graph.tensor(tensor).shape[-1]
        pitch = 2 * (-(-channels // 4) * 4)
        name = f"columns_{tensor}"
        self.stores[name] = Store(name, tensor, "int16 columns", False, 1, pitch, group * pitch, channels)
        return name, group

    def _areas_of(self, tensor: int) -> tuple[Area, ...]:
        return tuple(areas[tensor] for areas in self.areas)

    def _needed(self, form: RowForm, output: Area, source: int) -> Area:
        return input_area(form, output, *plane(self.graph, source))

    # --- sizes --------------------------------------------------------------------------------------------------

    def turns(self) -> tuple[Turn, ...]:
        return tuple(self._turn(draft) for draft in self.steps)

    def _turn(self, draft: _Draft) -> Turn:
        strips = self.streaming.strips
        rows = tuple(area.rows for area in draft.areas[::strips])
        by_rows = [name for name in draft.inputs if self._is_read_by_rows(draft, name)]
        here = frozenset(name for name in by_rows if any(d.output == name for d in self.steps))
        reads = {name: plane(self.graph, self.stores[name].tensor)[0] for name in by_rows}
        return Turn(draft.row_form, rows, reads, here, "" if draft.sums else draft.output)

    def _is_read_by_rows(self, draft: _Draft, name: str) -> bool:
        return (
            not draft.operators
            or draft.form != "pixels"
            or self.stores[name].tensor in row_inputs(self.graph, draft.operators[0])
        )

    def size_rings(self) -> None:
        turns = self.turns()
        self.seen = [take_turns(turns, band) for band in range(self.streaming.bands)]
        for name, store in self.stores.items():
            if store.layout == "rows of pixels" and not store.whole:
                rows = max(seen.kept.get(name, 1) for seen in self.seen)
                self.stores[name] = replace(store, rows=rows, bytes=rows * store.row_bytes)

    def share_rows(self) -> None:
        """An element-wise step works in place on a row that was made just before and that nobody else reads."""
        for number, draft in enumerate(self.steps):
            if draft.form != "pixels" or not draft.operators or draft.output.startswith("planes"):
                continue
            operator = draft.operators[0]
            positions = operator_type(operator.kind).footprint(self.graph, operator, _ANY_TARGET).in_place
            tensors = [operator.inputs[p] for p in positions]
            for maker in reversed(range(number)):
                store = self.stores[self.steps[maker].output]
                if store.tensor in tensors and self._may_share(maker, number, store, self.stores[draft.output]):
                    self.stores[store.name] = replace(store, inside=draft.output, bytes=0)
                    break

    def _may_share(self, maker: int, user: int, store: Store, into: Store) -> bool:
        alone = sum(store.name in draft.inputs for draft in self.steps) == 1 and store.name in self.steps[user].inputs
        followed = all(seen.followed.get(maker, user) == user for seen in self.seen)
        same = store.channels == into.channels and self.steps[maker].areas == self.steps[user].areas
        return alone and followed and same and store.rows == 1 and not store.whole

    # --- result -------------------------------------------------------------------------------------------------

    def result(self) -> SegmentRows:
        distance = None
        if self.streaming.grows_into is not None:
            distance = self._grow(self.streaming.grows_into)
        steps = tuple(self._step(draft) for draft in self.steps)
        own = tuple(store for store in self.stores.values() if not store.whole and not store.inside)
        return SegmentRows(self.segment, steps, own, self.areas, distance)

    def _grow(self, tensor: int) -> int:
        """Checks that the output may take over the rows of `tensor`; adds the store of the halo under strips."""
        drafts = [(d.form, d.inputs, d.output) for d in self.steps]
        writers = writers_of_output(drafts, self.stores, self.segment.outputs)
        distance = growing_distance(self.graph, self.segment, self.turns(), writers, f"tensor_{tensor}")
        if self.streaming.strips > 1:
            columns = halo_columns(self.graph, self.segment, self.areas, tensor)
            source = self.stores[f"tensor_{tensor}"]
            name = f"halo_{tensor}"
            size = source.rows * columns * source.channels
            store = Store(
                name, tensor, "rows of pixels", False, source.rows, columns * source.channels, size, source.channels
            )
            self.stores[name] = store
            self._attach_halo(f"tensor_{tensor}", name)
        return distance

    def _attach_halo(self, source: str, halo: str) -> None:
        readers = [d for d in self.steps if source in d.inputs]
        wide = [d for d in readers if d.areas != self._areas_of(self.segment.outputs[0])]
        if any(d.form != "pixels" or d.row_form.window != _ONE_PIXEL for d in readers) or len(wide) > 1:
            raise ValueError("in-place strips: the input is not read by one 1x1 convolution and at its own place only")
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


def plane_columns(window: Window, output: Span, width: int) -> tuple[int, int, int]:
    """Columns of a plane's row for these output columns: left margin, real columns of the input, right margin."""
    first = output.first * window.stride_w - window.pad_left
    end = (output.end - 1) * window.stride_w - window.pad_left + (window.kernel_w - 1) * window.dilation_w + 1
    real = Span(min(max(0, first), width - 1), max(min(max(0, first), width - 1) + 1, min(width, end)))
    return max(0, real.first - first), real.size, max(0, end - real.end)


def writers_of_output(
    drafts: Sequence[tuple[str, Sequence[str], str]], stores: Mapping[str, Store], outputs: tuple[int, ...]
) -> frozenset[int]:
    """Steps whose rows lie in the segment's (only) output, in place or not."""

    def home(name: str) -> str:
        while stores[name].inside:
            name = stores[name].inside
        return name

    wanted = f"tensor_{outputs[0]}"
    return frozenset(number for number, (_, _, output) in enumerate(drafts) if home(output) == wanted)


__all__ = ["Observed", "build_rows", "plane_columns"]
