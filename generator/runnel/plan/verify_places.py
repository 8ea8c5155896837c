# SPDX-License-Identifier: Apache-2.0
"""Where the stores of a streamed segment keep rows, for the verifier: bytes of the arena and their owner numbers."""

from __future__ import annotations

import numpy as np

from runnel.operators import operator_type
from runnel.plan.plan import PlannedSegment
from runnel.plan.verify_arena import Bytes, Extent, Numbers, PlanError, run_of
from runnel.plan.verify_run import Run, extent
from runnel.schedule.rows import READ_AHEAD_BYTES, SegmentRows, Step, Store


class Places:
    """Bytes of rows in the stores of one segment while patch number `patch` runs."""

    def __init__(self, run: Run, planned: PlannedSegment, rows: SegmentRows) -> None:
        self.run, self.graph, self.planned, self.rows = run, run.graph, planned, rows
        self.patch = 0
        self.stores = {store.name: store for step in rows.steps for store in _stores_of(step)}
        self.extents = {name: self._extent(store) for name, store in self.stores.items()}
        self.planes = [store for store in self.stores.values() if store.layout == "channel planes"]
        self._readers = {step.inputs[0].name: step for step in rows.steps if step.form == "planes"}
        self._ramp = np.arange(4096, dtype=np.int32)

    def plane(self, tensor: int) -> tuple[int, int]:
        return plane(self.run, tensor)

    def channels(self, tensor: int) -> int:
        shape = self.graph.tensor(tensor).shape
        return shape[-1] if shape else 1

    def span(self, store: Store, *, read_ahead: bool = False) -> Extent:
        """The bytes that may be touched; those that kernels read ahead are not meant to matter."""
        whole = self.extents[store.name]
        return Extent(whole.name, whole.offset, whole.end - READ_AHEAD_BYTES) if read_ahead else whole

    # --- owner numbers ----------------------------------------------------------------------------------------------

    def ramp(self, first: int, count: int) -> Numbers:
        """first, first + 1, ..."""
        if count > len(self._ramp):
            self._ramp = np.arange(2 * count, dtype=np.int32)
        return self._ramp[:count] + np.int32(first)

    def numbers(self, tensor: int, row: int, columns: range) -> Numbers:
        """Of [column][channel]: where the pixels would lie in the whole tensor."""
        width, channels = self.plane(tensor)[1], self.channels(tensor)
        base = self.run.value[tensor] if tensor in self.run.value else self.run.block(tensor)
        if columns.step == 1:
            numbers = self.ramp(base + (row * width + columns.start) * channels, len(columns) * channels)
            return numbers.reshape(len(columns), channels)
        pixels = np.asarray(columns, dtype=np.int32) + row * width
        return (base + pixels[:, None] * channels + np.arange(channels)).astype(np.int32)

    # --- bytes ------------------------------------------------------------------------------------------------------

    def pixels(self, store: Store, row: int, columns: range) -> Bytes:
        """Pixels of a row in rows of pixels, [column][channel]."""
        home = self._home(store)
        channels = self.channels(store.tensor)
        first_column = 0 if home.whole else self.rows.areas[self.patch][home.tensor].columns.first
        slot = row if home.whole else row % home.rows
        begin = (columns.start - first_column) * channels
        if begin < 0 or (columns[-1] + 1 - first_column) * channels > home.row_bytes:
            raise PlanError(f"columns {columns.start} to {columns[-1]} do not fit into a row of {store.name}")
        first = self.extents[store.name].offset + slot * home.row_bytes + begin
        if columns.step == 1:
            return run_of(first, len(columns) * channels)
        return Bytes(first, (len(columns), channels), (columns.step * channels, 1))

    def in_planes(self, store: Store, row: int, columns: range) -> Bytes:
        """The same in channel planes; the row and the columns may lie in the padding."""
        reader = self._readers[store.name]
        first_row, first_column = self._origin(reader)
        slot = (row - first_row) % store.rows
        first = self.extents[store.name].offset + slot * store.row_bytes + columns.start - first_column
        return Bytes(first, (len(columns), self.channels(store.tensor)), (1, store.rows * store.row_bytes))

    def row_of_planes(self, store: Store, row: int) -> Bytes:
        """All columns of a row in channel planes, margins included."""
        first_column = self._origin(self._readers[store.name])[1]
        return self.in_planes(store, row, range(first_column, first_column + store.row_bytes))

    def _origin(self, reader: Step) -> tuple[int, int]:
        """Row and column of the padded image that lie in slot 0 and at the first byte of its row."""
        window = operator_type(reader.operators[0].kind).window(self.graph, reader.operators[0])
        assert window is not None
        area = reader.areas[self.patch]
        return (
            area.rows.first * window.stride_h - window.pad_top,
            area.columns.first * window.stride_w - window.pad_left,
        )

    def halo(self, halo: Store, row: int, columns: int) -> Bytes:
        """Saved pixels of a row."""
        size = columns * halo.channels
        if size > halo.row_bytes:
            raise PlanError(f"a row of {halo.name} holds {halo.row_bytes} bytes, {size} are saved")
        return run_of(self.extents[halo.name].offset + row * halo.row_bytes, size)

    # --- stores -----------------------------------------------------------------------------------------------------

    def _home(self, store: Store) -> Store:
        """The store that the rows of `store` lie in."""
        while store.inside:
            store = self.stores[store.inside]
        return store

    def _extent(self, store: Store) -> Extent:
        """The bytes that a store has: its tensor's buffer at this step, or a buffer of its own name."""
        who, home = f"segment {self.planned.segment.name}", self._home(store)
        if home.whole:
            placed = self.run.place(self.graph.tensor(home.tensor), who)
            self.run.check_lifetime(placed, who)
            return extent(placed)
        return self.run.inner(home.name, home.bytes, who)


def plane(run: Run, tensor: int) -> tuple[int, int]:
    """Height and width of a tensor; one row of one pixel where it has fewer than three dimensions."""
    shape = run.graph.tensor(tensor).shape
    return (shape[-3], shape[-2]) if len(shape) >= 3 else (1, 1)


def name_of(step: Step) -> str:
    return step.operators[-1].label if step.operators else f"the {step.form} of tensor {step.output.tensor}"


def _stores_of(step: Step) -> list[Store]:
    others = [store for store in (step.columns, step.sums, step.halo) if store is not None]
    return [*step.inputs, step.output, *others]
