# SPDX-License-Identifier: Apache-2.0
"""The bytes that one row of a step reads and writes on the verifier's arena."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from runnel.operators import operator_type
from runnel.operators.base import Target, Window
from runnel.plan.plan import PlannedSegment
from runnel.plan.verify_arena import SCRATCH, Bytes, Extent, Numbers, PlanError, check_apart, run_of
from runnel.plan.verify_run import Run, extent
from runnel.schedule.rows import READ_AHEAD_BYTES, Area, SegmentRows, Step, Store

_PADDING = "zero points of tensor {}"


class Reads(Protocol):
    """What a step needs (`verify_rows.Reach`)."""

    window: Window
    whole: frozenset[int]

    def rows(self, row: int, height: int) -> list[int]: ...

    def columns(self, first: int, end: int, width: int) -> tuple[int, int]: ...


class RowMaker:
    """Makes rows of a segment's steps: checks what they read, then gives what they write to its new owner."""

    def __init__(self, run: Run, planned: PlannedSegment, rows: SegmentRows) -> None:
        self.run, self.arena, self.planned, self.rows = run, run.arena, planned, rows
        self.label = [_label(step) for step in rows.steps]
        self.stores = {s.name: s for step in rows.steps for s in _stores_of(step)}
        self.extents = {name: self._extent(store) for name, store in self.stores.items()}
        self.padding = {
            store.name: self.arena.block(_PADDING.format(store.tensor), 1)
            for store in self.stores.values()
            if store.layout == "channel planes"
        }
        self.sums = {
            step.sums.name: self.arena.block(f"the sums of tensor {step.output.tensor}", step.sums.bytes)
            for step in rows.steps
            if step.sums is not None
        }
        self.readers = {
            step.inputs[0].name: place for place, step in enumerate(rows.steps) if step.form == "planes"
        }
        self.patch = 0
        self.reaches: Sequence[Reads] = ()

    # --- patches ----------------------------------------------------------------------------------------------------

    def begin(self, patch: int, reaches: Sequence[Reads]) -> None:
        """Margins and rows above the image: all of each store of planes holds the zero point."""
        self.patch, self.reaches = patch, reaches
        for name, number in self.padding.items():
            where = self.extents[name]
            self.arena.write(run_of(where.offset, where.end - where.offset), number, where, "the start of a patch")

    def clear_sums(self) -> None:
        for name, first in self.sums.items():
            where = self.extents[name]
            size = where.end - where.offset
            self.arena.write(run_of(where.offset, size), _from(first, size), where, "the start of a segment")

    def finish(self, place: int) -> None:
        """The sums become the output tensor."""
        step = self.rows.steps[place]
        output = self.extents[step.output.name]
        where = run_of(output.offset, self.run.graph.tensor(step.output.tensor).bytes)
        check_apart([(self._read_sums(step), False)], [where], self.label[place])
        self.arena.write(where, _from(self.run.block(step.output.tensor), where.counts[0]), output, self.label[place])

    def _read_sums(self, step: Step) -> Bytes:
        assert step.sums is not None
        home = self.extents[step.sums.name]
        where = run_of(home.offset, 4 * self._channels(step.inputs[0].tensor))
        self.arena.read(where, _from(self.sums[step.sums.name], where.counts[0]), home, _label(step))
        return where

    # --- one row ----------------------------------------------------------------------------------------------------

    def make(self, place: int, row: int, reach: Reads) -> None:
        step, who = self.rows.steps[place], self.label[place]
        reads: list[tuple[Bytes, bool]] = []
        if step.form == "planes":
            reads += self._read_planes(step, row, reach)
        elif step.form != "pull":
            for position, store in enumerate(step.inputs):
                reads += self._read_pixels(step, position, store, row, reach)
        inner = self._inner(place)
        if step.form == "sums":
            sums = self._read_sums(step)
            check_apart(reads, [sums, *(where for where, _ in inner)], who)
            written: list[Bytes] = []
        else:
            written = [self._row_of(step.output, row, step.areas[self.patch].columns, self._steps_of(place))]
            check_apart(self._mark_in_place(step, reads, written[0]), [*written, *(w for w, _ in inner)], who)
        for where, home in inner:
            self.arena.write(where, SCRATCH, home, who)
        area = step.areas[self.patch]
        for where in written:
            numbers = self._numbers(step.output, row, range(area.columns.first, area.columns.end), where)
            self.arena.write(where, numbers, self._home(step.output), who)
        if step.halo is not None:
            self._save_halo(step, row)

    def _inner(self, place: int) -> list[tuple[Bytes, Extent]]:
        """int16 columns and scratch of the step's kernels."""
        step, inner = self.rows.steps[place], []
        if step.columns is not None:
            pitch = 2 * (-(-self._channels(step.operators[0].outputs[0]) // 4) * 4)
            home = self.extents[step.columns.name]
            pixels = min(step.group, step.areas[self.patch].columns.size)
            inner.append((run_of(home.offset, pixels * pitch), home))
        need = max((call.scratch_bytes for call in self.planned.step_calls[place]), default=0)
        if need:
            if self.planned.scratch is None:
                raise PlanError(f"{self.label[place]} needs {need} bytes of scratch and has not got them")
            home = self.run.inner(self.planned.scratch, need, self.label[place])
            inner.append((run_of(home.offset, need), home))
        for where, home in inner:
            if where.end > home.end:
                raise PlanError(f"{self.label[place]} needs {where.end - where.first} bytes of {home.name}")
        return inner

    # --- reading ----------------------------------------------------------------------------------------------------

    def _read_pixels(
        self, step: Step, position: int, store: Store, row: int, reach: Reads
    ) -> list[tuple[Bytes, bool]]:
        """The pixels of an input that a row of the output needs, row by row of the window."""
        tensor, who = store.tensor, _label(step)
        if tensor in reach.whole:
            where = run_of(self.extents[store.name].offset, self.run.graph.tensor(tensor).bytes)
            self.arena.read(where, _from(self.run.value[tensor], where.counts[0]), self.extents[store.name], who)
            return [(where, False)]
        height, width = self._plane(tensor)
        columns = reach.columns(step.areas[self.patch].columns.first, step.areas[self.patch].columns.end, width)
        reads: list[tuple[Bytes, bool]] = []
        for source in reach.rows(row, height):
            if not 0 <= source < height:
                continue
            first = columns[0]
            if step.halo is not None and position == 0:
                first = self._own_column()
                reads.append(self._read_halo(step, source, columns[0], first))
            taken = range(first, columns[1], reach.window.stride_w if step.form == "pixels" else 1)
            reads.append((self._read_row(store, source, taken, who), False))
        return reads

    def _read_row(self, store: Store, row: int, columns: range, who: str) -> Bytes:
        where = self._pixels(store, row, columns)
        self.arena.read(where, self._numbers(store, row, columns, where), self._home(store), who)
        return where

    def _read_planes(self, step: Step, row: int, reach: Reads) -> list[tuple[Bytes, bool]]:
        """The window of a depthwise convolution in its planes, with the margins. Rows below the image come first."""
        planes, window, who = step.inputs[0], reach.window, _label(step)
        height, width = self._plane(planes.tensor)
        home, span = self.extents[planes.name], (window.kernel_h - 1) * window.dilation_h + 1
        if planes.rows < span:
            raise PlanError(f"{planes.name} has {planes.rows} rows, the window of {who} has {span}")
        top = row * window.stride_h - window.pad_top
        for below in range(max(0, planes.rows - window.stride_h), planes.rows):
            if top + below >= height:
                first = self._plane_byte(planes, top + below, self._plane_origin(planes)[1])
                where = Bytes(first, (planes.channels, planes.row_bytes), (self._plane_bytes(planes), 1))
                self.arena.write(where, self.padding[planes.name], home, who)
        columns = step.areas[self.patch].columns
        left = columns.first * window.stride_w - window.pad_left
        right = (columns.end - 1) * window.stride_w - window.pad_left + (window.kernel_w - 1) * window.dilation_w + 1
        for source in reach.rows(row, height):
            real = (max(0, left), min(width, right)) if 0 <= source < height else (right, right)
            for first, end in ((left, real[0]), (real[1], right)):
                if first < end:
                    where = self._in_planes(planes, source, range(first, end))
                    self.arena.read(where, self.padding[planes.name], home, who)
            if real[0] < real[1]:
                taken = range(*real)
                where = self._in_planes(planes, source, taken)
                self.arena.read(where, self._numbers(planes, source, taken, where), home, who)
        last = self._plane_byte(planes, top, left) + self._plane_bytes(planes) * (planes.channels - 1)
        if last + planes.rows * planes.row_bytes > home.end - READ_AHEAD_BYTES + self._slot(planes, top) * planes.row_bytes:
            raise PlanError(f"{planes.name} leaves no room for the words that {who} reads ahead")
        return [(run_of(home.offset, home.end - home.offset), False)]

    # --- halos of in-place strips -----------------------------------------------------------------------------------

    def _own_column(self) -> int:
        """The first column that the patch's part of the segment's output has."""
        return self.rows.areas[self.patch][self.planned.segment.outputs[0]].columns.first

    def _read_halo(self, step: Step, row: int, first: int, end: int) -> tuple[Bytes, bool]:
        where, home, numbers = self._halo_row(step, row, range(first, end))
        self.arena.read(where, numbers, home, _label(step))
        return where, False

    def _save_halo(self, step: Step, row: int) -> None:
        """What the next strip needs of the input's row is saved before the output takes it over."""
        if self.patch + 1 == self.rows.patches:
            return
        source = step.inputs[0]
        following = self.rows.areas[self.patch + 1]
        own = following[self.planned.segment.outputs[0]].columns.first
        wanted = range(step.areas[self.patch + 1].columns.first, own)
        if len(wanted):
            self._read_row(source, row, wanted, f"{_label(step)}, saving a halo,")
            where, home, numbers = self._halo_row(step, row, wanted)
            self.arena.write(where, numbers, home, _label(step))

    def _halo_row(self, step: Step, row: int, columns: range) -> tuple[Bytes, Extent, Numbers]:
        assert step.halo is not None
        home = self.extents[step.halo.name]
        where = run_of(home.offset + row * step.halo.row_bytes, len(columns) * step.halo.channels)
        if where.counts[0] > step.halo.row_bytes:
            raise PlanError(f"{_label(step)} needs {where.counts[0]} bytes of a row of {step.halo.name}")
        return where, home, self._numbers(step.inputs[0], row, columns, where)

    # --- places -----------------------------------------------------------------------------------------------------

    def _extent(self, store: Store) -> Extent:
        """The bytes that a store has: its tensor's buffer at this step, or a buffer of its own name."""
        who = f"segment {self.planned.segment.name}"
        if store.inside:
            return self._extent(self.stores[store.inside])
        if store.whole:
            placed = self.run.place(self.run.graph.tensor(store.tensor), who)
            self.run.check_lifetime(placed, who)
            return extent(placed)
        return self.run.inner(store.name, store.bytes, who)

    def _home(self, store: Store) -> Extent:
        return self.extents[store.name]

    def _lies_in(self, store: Store) -> Store:
        while store.inside:
            store = self.stores[store.inside]
        return store

    def _row_of(self, store: Store, row: int, columns: object, steps: tuple[int, int]) -> Bytes:
        raise NotImplementedError
