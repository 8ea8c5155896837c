# SPDX-License-Identifier: Apache-2.0
"""One row of a step on the verifier's arena: what it reads must be right, then what it writes has a new owner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runnel.operators import operator_type
from runnel.operators.base import Target, Window
from runnel.plan.plan import PlannedSegment
from runnel.plan.verify_arena import SCRATCH, Bytes, Extent, PlanError, check_apart, run_of
from runnel.plan.verify_places import Places, name_of
from runnel.plan.verify_run import Run
from runnel.schedule.rows import SegmentRows, Step, Store

_Access = tuple[Bytes, bool]
"""Bytes that are read, and whether the row may be written at just that place."""


@dataclass(frozen=True)
class Reach:
    """What a step reads of its inputs, from the graph.

    sources: input row (column) of each output row (column) where that is no affine function.
    whole: numbers of the inputs that are one pixel for all rows. in_place: those the output may take the place of.
    """

    window: Window
    source_rows: Sequence[int] = ()
    source_columns: Sequence[int] = ()
    whole: frozenset[int] = frozenset()
    in_place: frozenset[int] = frozenset()

    def rows(self, row: int) -> list[int]:
        """Input rows that an output row reads, from the top, also those outside the image."""
        if self.source_rows:
            return [self.source_rows[row]]
        w = self.window
        return [row * w.stride_h - w.pad_top + tap * w.dilation_h for tap in range(w.kernel_h)]

    def columns(self, first: int, end: int) -> range:
        """Input columns that output columns first..end read, also those outside the image."""
        if self.source_columns:
            taken = self.source_columns[first:end]
            return range(min(taken), max(taken) + 1)
        w = self.window
        low = first * w.stride_w - w.pad_left
        high = (end - 1) * w.stride_w - w.pad_left + (w.kernel_w - 1) * w.dilation_w + 1
        return range(low, high, w.stride_w if (w.kernel_w, w.pad_left) == (1, 0) else 1)


class RowMaker:
    """Makes rows of a segment's steps, patch by patch."""

    def __init__(self, run: Run, planned: PlannedSegment, rows: SegmentRows) -> None:
        self.arena, self.planned, self.rows = run.arena, planned, rows
        self.run, self.places = run, Places(run, planned, rows)
        self.padding = {
            store.name: self.arena.block(f"zero points of tensor {store.tensor}", 1) for store in self.places.planes
        }
        self.sums: dict[str, int] = {}

    # --- before and after the rows ----------------------------------------------------------------------------------

    def clear_sums(self) -> None:
        for step in self.rows.steps:
            if step.sums is not None:
                self.sums[step.sums.name] = self.arena.block(f"sums of tensor {step.output.tensor}", step.sums.bytes)
                where = self._sums(step)
                numbers = self.places.ramp(self.sums[step.sums.name], where.counts[0])
                self.arena.write(where, numbers, self.places.span(step.sums), name_of(step))

    def begin(self, patch: int) -> None:
        """Margins and rows above the image: all of each store of planes holds the zero point."""
        self.places.patch = patch
        for store in self.places.planes:
            home = self.places.span(store)
            self.arena.write(run_of(home.offset, home.end - home.offset), self.padding[store.name], home, store.name)

    def finish(self, place: int) -> None:
        """The sums become the output tensor."""
        step = self.rows.steps[place]
        output, tensor = self.places.span(step.output), self.run.graph.tensor(step.output.tensor)
        where = run_of(output.offset, tensor.bytes)
        check_apart([(self._read_sums(step), False)], [where, *(w for w, _ in self._scratch(place))], name_of(step))
        numbers = self.places.ramp(self.run.block(tensor.index), tensor.bytes)
        self.arena.write(where, numbers, output, name_of(step))

    def _sums(self, step: Step) -> Bytes:
        assert step.sums is not None
        return run_of(self.places.span(step.sums).offset, 4 * self.places.channels(step.inputs[0].tensor))

    def _read_sums(self, step: Step) -> Bytes:
        assert step.sums is not None
        where = self._sums(step)
        numbers = self.places.ramp(self.sums[step.sums.name], where.counts[0])
        self.arena.read(where, numbers, self.places.span(step.sums), name_of(step))
        return where

    # --- one row ----------------------------------------------------------------------------------------------------

    def make(self, place: int, row: int, reach: Reach) -> None:
        step = self.rows.steps[place]
        area = step.areas[self.places.patch]
        columns = range(area.columns.first, area.columns.end)
        reads = self._reads(step, row, columns, reach)
        inner = [*self._columns(step, len(columns)), *self._scratch(place)]
        if step.form == "sums":
            check_apart(reads, [self._read_sums(step), *(where for where, _ in inner)], name_of(step))
            return
        output = self._output(place, row, columns)
        in_place = [(where, allowed and _same_place(where, output)) for where, allowed in reads]
        check_apart(in_place, [output, *(where for where, _ in inner)], name_of(step))
        for where, home in inner:
            self.arena.write(where, SCRATCH, home, name_of(step))
        numbers = self.places.numbers(step.output.tensor, row, columns).reshape(output.counts)
        self.arena.write(output, numbers, self.places.span(step.output), name_of(step))

    def _output(self, place: int, row: int, columns: range) -> Bytes:
        """Where the row goes; from pixel to pixel and channel to channel as the kernel was told."""
        step, calls = self.rows.steps[place], self.planned.step_calls[place]
        planes = step.output.layout == "channel planes"
        where = (self.places.in_planes if planes else self.places.pixels)(step.output, row, columns)
        steps = (1, where.steps[1]) if planes else (self.places.channels(step.output.tensor), 1)
        told = calls[-1].shape if calls else {}
        if (told.get("output_pixel_step", steps[0]), told.get("output_channel_step", steps[1])) != steps:
            raise PlanError(f"the kernel of {name_of(step)} was told to put its pixels elsewhere in {step.output.name}")
        return where

    def _columns(self, step: Step, pixels: int) -> list[tuple[Bytes, Extent]]:
        """int16 columns of a group of pixels."""
        if step.columns is None:
            return []
        pitch = 2 * (-(-self.places.channels(step.operators[0].outputs[0]) // 4) * 4)
        home = self.places.span(step.columns)
        return [(run_of(home.offset, min(step.group, pixels) * pitch), home)]

    def _scratch(self, place: int) -> list[tuple[Bytes, Extent]]:
        need = max((call.scratch_bytes for call in self.planned.step_calls[place]), default=0)
        if not need:
            return []
        who = name_of(self.rows.steps[place])
        if self.planned.scratch is None:
            raise PlanError(f"{who} needs {need} bytes of scratch and has not got them")
        home = self.run.inner(self.planned.scratch, need, who)
        return [(run_of(home.offset, need), home)]

    # --- reading ----------------------------------------------------------------------------------------------------

    def _reads(self, step: Step, row: int, columns: range, reach: Reach) -> list[_Access]:
        if step.form == "pull":
            return []
        if step.form == "planes":
            return [(self._read_planes(step, row, columns, reach), False)]
        reads: list[_Access] = []
        for store in step.inputs:
            if store.tensor in reach.whole:
                home, size = self.places.span(store), self.run.graph.tensor(store.tensor).bytes
                where = run_of(home.offset, size)
                self.arena.read(where, self.places.ramp(self.run.value[store.tensor], size), home, name_of(step))
                reads.append((where, False))
            else:
                reads += self._read_pixels(step, store, row, columns, reach)
        return reads

    def _read_pixels(self, step: Step, store: Store, row: int, columns: range, reach: Reach) -> list[_Access]:
        """The real pixels of an input that a row of the output needs."""
        height, width = self.places.plane(store.tensor)
        taken = _clip(reach.columns(columns.start, columns.stop), width)
        reads: list[_Access] = []
        for source in reach.rows(row):
            if not 0 <= source < height or not taken:
                continue
            if step.halo is not None and store is step.inputs[0]:
                reads += self._read_halo(step, source, taken)
            else:
                reads.append((self._read_row(step, store, source, taken), store.tensor in reach.in_place))
        return reads

    def _read_row(self, step: Step, store: Store, row: int, columns: range) -> Bytes:
        where = self.places.pixels(store, row, columns)
        numbers = self.places.numbers(store.tensor, row, columns).reshape(where.counts)
        self.arena.read(where, numbers, self.places.span(store), name_of(step))
        return where

    def _read_planes(self, step: Step, row: int, columns: range, reach: Reach) -> Bytes:
        """The window of a depthwise convolution with its margins. Rows below the image are filled just before."""
        store, window = step.inputs[0], reach.window
        height, width = self.places.plane(store.tensor)
        top, home = row * window.stride_h - window.pad_top, self.places.span(store)
        for below in range(max(0, store.rows - window.stride_h), store.rows):
            if top + below >= height:
                where = self.places.row_of_planes(store, top + below)
                self.arena.write(where, self.padding[store.name], home, store.name)
        taken = reach.columns(columns.start, columns.stop)
        all_of = range(taken.start, taken.stop)
        span = self.places.span(store, read_ahead=True)
        for source in reach.rows(row):
            real = _clip(all_of, width) if 0 <= source < height else range(0)
            margins = (range(taken.start, real.start), range(real.stop, taken.stop)) if real else (all_of,)
            for margin in margins:
                if margin:
                    where = self.places.in_planes(store, source, margin)
                    self.arena.read(where, self.padding[store.name], span, name_of(step))
            if real:
                where = self.places.in_planes(store, source, real)
                self.arena.read(where, self.places.numbers(store.tensor, source, real), span, name_of(step))
        return run_of(home.offset, home.end - home.offset)

    # --- halos of in-place strips -----------------------------------------------------------------------------------

    def _read_halo(self, step: Step, row: int, columns: range) -> list[_Access]:
        """The left end of the row from what was saved, the rest from the row; then saves what the next strip needs."""
        assert step.halo is not None
        source, who, saved_in = step.inputs[0], name_of(step), self.places.span(step.halo)
        own = self._own_column(self.places.patch)
        reads: list[_Access] = []
        saved = range(columns.start, min(own, columns.stop))
        if saved:
            where = self.places.halo(step.halo, row, len(saved))
            numbers = self.places.numbers(source.tensor, row, saved).reshape(where.counts)
            self.arena.read(where, numbers, saved_in, who)
            reads.append((where, False))
        reads.append((self._read_row(step, source, row, range(max(own, columns.start), columns.stop)), False))
        following = self.places.patch + 1
        if following < self.rows.patches:
            wanted = range(step.areas[following].columns.first, self._own_column(following))
            if wanted:
                self._read_row(step, source, row, wanted)
                where = self.places.halo(step.halo, row, len(wanted))
                numbers = self.places.numbers(source.tensor, row, wanted).reshape(where.counts)
                self.arena.write(where, numbers, saved_in, who)
        return reads

    def _own_column(self, patch: int) -> int:
        """The first column of the patch's part of the segment's output."""
        return self.rows.areas[patch][self.planned.segment.outputs[0]].columns.first


def reach_of(run: Run, step: Step) -> Reach:
    """From the step's operators. Raises PlanError where they cannot run in the step's form."""
    if step.form in ("pull", "spread", "sums"):
        return Reach(_COPY)
    graph, operator = run.graph, step.operators[0]
    if step.row_form.source_rows:
        return Reach(_COPY, step.row_form.source_rows, step.row_form.source_columns)
    size = graph.tensor(operator.outputs[0]).shape[1:3]
    inputs = [tensor for tensor in graph.activations(operator) if len(graph.activations(operator)) > 1]
    whole = frozenset(tensor.index for tensor in inputs if tensor.shape[-3:-1] != size)
    kind = operator_type(operator.kind)
    window = kind.window(graph, operator) or (_COPY if step.form == "pixels" else None)
    if window is None or (step.form == "pixels" and not _is_one_pixel(window)):
        raise PlanError(f"{operator.label} cannot run by rows in the form {step.form}")
    if step.window != window:
        raise PlanError(f"{operator.label} has another window than the plan says")
    for reader in step.operators[1:]:
        after = operator_type(reader.kind).window(graph, reader)
        if after != _COPY or reader.inputs[0] != operator.outputs[0]:
            raise PlanError(f"{reader.label} cannot read the columns of {operator.label}")
    positions = kind.footprint(graph, operator, Target()).in_place if step.form == "pixels" else ()
    in_place = frozenset(number for number in (operator.inputs[p] for p in positions) if number is not None)
    return Reach(window, whole=whole, in_place=in_place)


_COPY = Window(1, 1, 1, 1, 1, 1, 0, 0)


def _is_one_pixel(window: Window) -> bool:
    return (window.kernel_h, window.kernel_w, window.pad_top, window.pad_left) == (1, 1, 0, 0)


def _clip(columns: range, width: int) -> range:
    """Those inside the image."""
    return columns if columns.step > 1 else range(max(0, columns.start), min(width, columns.stop))


def _same_place(read: Bytes, written: Bytes) -> bool:
    return (read.first, read.counts, read.steps) == (written.first, written.counts, written.steps)
