# SPDX-License-Identifier: Apache-2.0
"""Runs a streamed segment row by row in numpy, with real ring slots, margins and overlaps in one array of bytes.

It shows whether the geometry (`SegmentRows`) is right before any C exists. It is written apart from the emitter, from
docs/streaming.md: the deepest step that can make a row makes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from random_schedules.row_arithmetic import apply, finished, pooled
from runnel.graph import Graph
from runnel.schedule.rows import READ_AHEAD_BYTES, Area, SegmentRows, Span, Step, Store, rows_needed

Array = npt.NDArray[Any]

COLUMN_ORDER = (0, 2, 1, 3)


class OverlapError(AssertionError):
    """A step wrote over bytes that it still reads."""


def run_segment(
    graph: Graph,
    rows: SegmentRows,
    memory: npt.NDArray[np.int8],
    offsets: Mapping[str, int],
    image: Array | None = None,
    before_row: Callable[[], None] = lambda: None,
) -> None:
    """Runs all patches. offsets: first byte of every store in `memory`, whole tensors included.

    image: what a pulled input gives. before_row: called before each row, to spoil the scratch.
    """
    run = _Run(graph, rows, memory, offsets, image)
    run.before_row = before_row
    for step in rows.steps:
        if step.sums is not None:
            run.bytes_of(step.sums).view(np.int32)[:] = 0
    for patch in range(rows.patches):
        run.patch(patch)


class _Run:
    """One segment. `patch` runs one patch after the other."""

    def __init__(
        self,
        graph: Graph,
        rows: SegmentRows,
        memory: npt.NDArray[np.int8],
        offsets: Mapping[str, int],
        image: Array | None,
    ) -> None:
        self.graph, self.rows, self.memory, self.offsets, self.image = graph, rows, memory, offsets, image
        self.homes: dict[str, Store] = {}
        for step in rows.steps:
            for store in (*step.inputs, step.output):
                self.homes[store.name] = store
        self.made_here = {step.output.name for step in rows.steps}
        self.areas: Mapping[int, Area] = {}
        self.number = 0
        self.read_ranges: list[tuple[int, int]] = []
        self.before_row: Callable[[], None] = lambda: None

    # --- order --------------------------------------------------------------------------------------------------

    def patch(self, number: int) -> None:
        self.number, self.areas = number, self.rows.areas[number]
        self.made: dict[str, int] = {}
        self.filled: dict[str, int] = {}
        self.following = [step.areas[number].rows.first for step in self.rows.steps]
        for step in self.rows.steps:
            if step.output.layout == "channel planes":
                self.bytes_of(step.output)[:] = self.zero_point(step.output.tensor)
            self.made[step.output.name] = 0 if step.sums is not None else step.areas[number].rows.first
        while (place := self._deepest_ready()) is not None:
            self._make(self.rows.steps[place], self.following[place])
            self.following[place] += 1
        for step, row in zip(self.rows.steps, self.following, strict=True):
            assert row == step.areas[number].rows.end, f"{step.form} of {step.output.name} stopped at row {row}"

    def _deepest_ready(self) -> int | None:
        for place in reversed(range(len(self.rows.steps))):
            step, row = self.rows.steps[place], self.following[place]
            if row < step.areas[self.number].rows.end and self._is_ready(step, row):
                return place
        return None

    def _is_ready(self, step: Step, row: int) -> bool:
        return all(
            self.made[store.name] >= rows_needed(step.row_form, row, self.height(store.tensor))
            for store in step.inputs
            if store.name in self.made_here
        )

    # --- rows ---------------------------------------------------------------------------------------------------

    def _make(self, step: Step, row: int) -> None:
        self.before_row()
        self.read_ranges = []
        columns = step.areas[self.number].columns
        if step.form == "sums":
            self._add(step, row, columns)
            return
        size = step.group if step.columns is not None else columns.size
        for first in range(columns.first, columns.end, size):
            part = Span(first, min(first + size, columns.end))
            self._write(step, row, part, self._pixels(step, row, part))
        self.made[step.output.name] = row + 1

    def _pixels(self, step: Step, row: int, columns: Span) -> Array:
        if step.form == "pull":
            assert self.image is not None
            pulled: Array = self.image[0, row, columns.first : columns.end]
            return pulled
        if step.form == "spread":
            return self.read(step.inputs[0], row, columns)
        if step.form == "planes":
            return self._depthwise(step, row, columns)
        if step.form == "window":
            return self._windows(step, row, columns)
        pieces = [self._piece(step, place, row, columns) for place in range(len(step.inputs))]
        return apply(self.graph, step.operators[0], pieces, columns.size)

    def _piece(self, step: Step, place: int, row: int, columns: Span) -> Array:
        """What form "pixels" reads of an input: the pixels at the same place, times the stride, or all of it."""
        store, window = step.inputs[place], step.window
        shape = self.graph.tensor(store.tensor).shape
        if shape[1:3] == (1, 1) and self.graph.tensor(step.operators[0].outputs[0]).shape[1:3] != (1, 1):
            return self.bytes_of(store)[: store.channels].reshape(shape).copy()
        assert window.kernel_h == window.kernel_w == 1 and window.pad_top == window.pad_left == 0
        last = (columns.end - 1) * window.stride_w
        taken = Span(columns.first * window.stride_w, last + 1)
        if step.halo is not None and place == 0:
            return self._with_halo(step, row, taken)[None, None]
        return self.read(store, row * window.stride_h, taken)[None, None]

    def _with_halo(self, step: Step, row: int, columns: Span) -> Array:
        """In-place strips: the left end from what the strip before left, then this strip's right end is saved."""
        assert step.halo is not None
        own = self.areas[self.rows.segment.outputs[0]].columns.first
        halo = self.bytes_of(step.halo).reshape(step.halo.rows, -1, step.halo.channels)[row]
        parts = [halo[: own - columns.first].copy()] if own > columns.first else []
        parts.append(self.read(step.inputs[0], row, Span(max(own, columns.first), columns.end)))
        if self.number + 1 < self.rows.patches:
            after = self.rows.areas[self.number + 1]
            first = after[step.inputs[0].tensor].columns.first
            end = after[self.rows.segment.outputs[0]].columns.first
            halo[: end - first] = self.read(step.inputs[0], row, Span(first, end), own)
        return np.concatenate(parts)

    def _windows(self, step: Step, row: int, columns: Span) -> Array:
        operator, window, store = step.operators[0], step.window, step.inputs[0]
        if step.row_form.source_rows:
            taken = [step.row_form.source_columns[x] for x in range(columns.first, columns.end)]
            line = self.read(store, step.row_form.source_rows[row], Span(min(taken), max(taken) + 1))
            chosen: Array = line[np.array(taken) - min(taken)]
            return chosen
        _, height, width, channels = self.graph.tensor(store.tensor).shape
        top, left = row * window.stride_h - window.pad_top, columns.first * window.stride_w - window.pad_left
        high = (window.kernel_h - 1) * window.dilation_h + 1
        wide = (columns.size - 1) * window.stride_w + (window.kernel_w - 1) * window.dilation_w + 1
        real_rows = Span(max(0, top), min(height, top + high))
        real = Span(max(0, left), min(width, left + wide))
        piece = np.full((1, high, wide, channels), self.zero_point(store.tensor), np.int8)
        for y in range(real_rows.first, real_rows.end):
            if (y - top) % window.dilation_h == 0 and real.first < real.end:
                piece[0, y - top, real.first - left : real.end - left] = self.read(store, y, real)
        if not operator.kind.endswith("POOL_2D"):
            return apply(self.graph, operator, [piece], columns.size)
        pads = (real_rows.first - top, top + high - real_rows.end, real.first - left, left + wide - real.end)
        inside = piece[:, pads[0] : high - pads[1], pads[2] : wide - pads[3]]
        return pooled(self.graph, operator, inside, pads, columns.size)

    def _depthwise(self, step: Step, row: int, columns: Span) -> Array:
        window, store = step.window, step.inputs[0]
        top, left = row * window.stride_h - window.pad_top, columns.first * window.stride_w - window.pad_left
        high = (window.kernel_h - 1) * window.dilation_h + 1
        wide = (columns.size - 1) * window.stride_w + (window.kernel_w - 1) * window.dilation_w + 1
        self._fill_below(step, top + high)
        lines = [
            self._plane_row(step, y, Span(left, left + wide))
            if (y - top) % window.dilation_h == 0
            else np.zeros((wide, store.channels), np.int8)
            for y in range(top, top + high)
        ]
        result = apply(self.graph, step.operators[0], [np.stack(lines)[None]], columns.size)
        if step.columns is None:
            return result
        pitch = step.columns.row_bytes // 2
        order = np.array([(c & ~3) | COLUMN_ORDER[c & 3] for c in range(step.columns.channels)])
        kept = self.bytes_of(step.columns).view(np.int16).reshape(-1, pitch)
        kept[: columns.size, order] = result
        read = kept[: columns.size, order].astype(np.int8)
        return apply(self.graph, step.operators[1], [read[None, None]], columns.size)

    def _add(self, step: Step, row: int, columns: Span) -> None:
        assert step.sums is not None
        sums = self.bytes_of(step.sums).view(np.int32)
        sums += self.read(step.inputs[0], row, columns).astype(np.int32).sum(axis=0, dtype=np.int32)
        last = self.number + 1 == self.rows.patches and row + 1 == step.areas[self.number].rows.end
        if last:
            start, size = self._line(step.output, 0, Span(0, 1))
            self.memory[start : start + size] = finished(self.graph, step.operators[0], sums)
            self.made[step.output.name] = 1

    # --- bytes --------------------------------------------------------------------------------------------------

    def home(self, store: Store) -> Store:
        while store.inside:
            store = self.homes[store.inside]
        return store

    def bytes_of(self, store: Store) -> npt.NDArray[np.int8]:
        start = self.offsets[store.name]
        return self.memory[start : start + store.bytes]

    def height(self, tensor: int) -> int:
        shape = self.graph.tensor(tensor).shape
        return shape[-3] if len(shape) >= 3 else 1

    def zero_point(self, tensor: int) -> int:
        quantization = self.graph.tensor(tensor).quantization
        assert quantization is not None
        return quantization.zero_point

    def _line(self, store: Store, row: int, columns: Span) -> tuple[int, int]:
        """First byte in memory and number of bytes of some pixels."""
        home = self.home(store)
        first = 0 if home.whole else self.areas[home.tensor].columns.first
        start, size = (columns.first - first) * home.channels, columns.size * home.channels
        assert start >= 0 and start + size <= home.row_bytes, f"{store.name}: columns {columns} are not kept"
        slot = row if home.whole else row % home.rows
        assert 0 <= slot < home.rows and row >= 0
        return self.offsets[home.name] + slot * home.row_bytes + start, size

    def read(self, store: Store, row: int, columns: Span, own: int = 0) -> Array:
        start, size = self._line(store, row, columns)
        self.read_ranges.append((start, start + size))
        return self.memory[start : start + size].reshape(columns.size, -1).copy()

    def _write(self, step: Step, row: int, columns: Span, pixels: Array) -> None:
        if step.output.layout == "channel planes":
            for x, pixel in zip(range(columns.first, columns.end), pixels, strict=True):
                self.bytes_of(step.output)[self._plane_bytes(step.output, row, x)] = pixel
            return
        start, size = self._line(step.output, row, columns)
        for first, end in self.read_ranges:
            in_place = step.form == "pixels" and (first, end) == (start, start + size)
            if first < start + size and start < end and not in_place:
                raise OverlapError(f"{step.form}: row {row} of {step.output.name} lies over what it is made of")
        self.memory[start : start + size] = pixels.reshape(-1)

    # --- channel planes -----------------------------------------------------------------------------------------

    def _plane_bytes(self, store: Store, row: int, column: int) -> Array:
        """Where the channels of one pixel lie in the planes; rows and columns may lie in the padding."""
        reader = next(s for s in self.rows.steps if s.form == "planes" and s.inputs[0].name == store.name)
        writer = next(s for s in self.rows.steps if s.output.name == store.name)
        base = reader.areas[self.number].rows.first * reader.window.stride_h - reader.window.pad_top
        gap = store.bytes - READ_AHEAD_BYTES - store.channels * store.rows * store.row_bytes
        place = gap + column - writer.areas[self.number].columns.first
        assert 0 <= place < store.row_bytes + gap, f"{store.name}: column {column} is not kept"
        slot = (row - base) % store.rows
        channels: Array = np.arange(store.channels) * store.rows * store.row_bytes + slot * store.row_bytes + place
        return channels

    def _plane_row(self, step: Step, row: int, columns: Span) -> Array:
        store = step.inputs[0]
        return np.stack(
            [self.bytes_of(store)[self._plane_bytes(store, row, x)] for x in range(columns.first, columns.end)]
        )

    def _fill_below(self, step: Step, end: int) -> None:
        """Rows below the image become zero, one at a time."""
        store = step.inputs[0]
        height = self.height(store.tensor)
        for row in range(self.filled.get(store.name, height), end):
            columns = next(s for s in self.rows.steps if s.output.name == store.name).areas[self.number].columns
            for x in range(columns.first, columns.end):
                self.bytes_of(store)[self._plane_bytes(store, row, x)] = self.zero_point(store.tensor)
        self.filled[store.name] = max(end, self.filled.get(store.name, height))
