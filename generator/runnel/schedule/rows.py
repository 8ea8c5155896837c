# SPDX-License-Identifier: Apache-2.0
"""The geometry of a segment that runs by rows: its steps, what they keep, and which rows and columns they make.

Shapes only, no weights. The plan, the emitter and the verifier read it; the scheduler's faster arithmetic must agree.
How the steps take turns is in `rings.py`: the deepest step that can make a row makes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from runnel.graph import Operator
from runnel.operators.base import RowForm, Window
from runnel.schedule.schedule import Segment

StoreLayout = Literal["rows of pixels", "channel planes", "int16 columns", "int32 sums"]
StepForm = Literal["pull", "spread", "pixels", "window", "planes", "sums"]

ALIGNMENT = 4
"""Bytes. Every buffer of the arena starts on a multiple of this; sizes are rounded up to it."""

READ_AHEAD_BYTES = 8
"""After channel planes: kernels load whole words and multiply the rest by zero weights."""


@dataclass(frozen=True)
class Span:
    """first <= index < end."""

    first: int
    end: int

    @property
    def size(self) -> int:
        return self.end - self.first


@dataclass(frozen=True)
class Area:
    """Rows and columns of a tensor."""

    rows: Span
    columns: Span


@dataclass(frozen=True)
class Store:
    """Where rows of one tensor are kept while the segment runs.

    whole: the tensor's own buffer in the arena, all rows; otherwise a buffer that lives during this segment only.
    rows: slots of the ring (all rows where whole). row_bytes: from one row to the next; in channel planes of the same
    channel, and `rows * row_bytes` is then the step from channel to channel. bytes: all of it, before alignment.
    inside: name of the store in which these rows lie too, because an element-wise step works in place ("": its own).
    """

    name: str
    tensor: int
    layout: StoreLayout
    whole: bool
    rows: int
    row_bytes: int
    bytes: int
    channels: int
    inside: str = ""


@dataclass(frozen=True, eq=False)
class Step:
    """Makes rows of its output, one at a time.

    form: "pull" asks the caller for a row, "spread" copies a row of pixels into channel planes; else the operator's.
    operators: one; none for pull and spread; a depthwise convolution and the 1x1 convolution after it where `columns`
    is set: `group` pixels at a time go through that store.
    inputs: stores of the inputs that are not constant, in the order of the (first) operator's inputs.
    output: where the rows go; for "sums" the whole output tensor, and `sums` is what rows are added to.
    halo: with in-place strips, the saved columns that the left end of input 0's row is read from.
    areas: for each patch what the step makes: rows and columns of its output; for "sums" of its input.
    between: for each patch the columns of the depthwise output (the same as the output's) where `columns` is set.
    """

    form: StepForm
    operators: tuple[Operator, ...]
    row_form: RowForm
    inputs: tuple[Store, ...]
    output: Store
    areas: tuple[Area, ...]
    columns: Store | None = None
    sums: Store | None = None
    halo: Store | None = None
    group: int = 0

    @property
    def window(self) -> Window:
        return self.row_form.window


@dataclass(frozen=True, eq=False)
class SegmentRows:
    """steps in topological order; stores that need bytes of their own, in order of first use.

    areas: for each patch, tensor number -> the part of it that is made or, for inputs, read. Patches run band by
    band, in each from left to right.
    distance: bytes that the output must lie below the input that it grows into, None where it does not.
    """

    segment: Segment
    steps: tuple[Step, ...]
    stores: tuple[Store, ...]
    areas: tuple[Mapping[int, Area], ...]
    distance: int | None = None

    @property
    def patches(self) -> int:
        return len(self.areas)


def rows_needed(form: RowForm, row: int, height: int) -> int:
    """How many rows of the input, from the top, output row `row` needs: 0..height."""
    if form.source_rows:
        return form.source_rows[row] + 1
    window = form.window
    reach = (window.kernel_h - 1) * window.dilation_h - window.pad_top + 1
    return max(0, min(height, row * window.stride_h + reach))


def first_row_needed(form: RowForm, row: int) -> int:
    """The lowest input row that output row `row` reads; 0 where the window starts in the padding."""
    if form.source_rows:
        return form.source_rows[row]
    return max(0, row * form.window.stride_h - form.window.pad_top)


def input_area(form: RowForm, output: Area, height: int, width: int) -> Area:
    """The part of a height x width input that an area of the output needs, clipped to the input; never empty."""
    window = form.window
    rows = _input_span(
        output.rows, form.source_rows, window.kernel_h, window.stride_h, window.dilation_h, window.pad_top, height
    )
    columns = _input_span(
        output.columns, form.source_columns, window.kernel_w, window.stride_w, window.dilation_w, window.pad_left, width
    )
    return Area(rows, columns)


def _input_span(
    output: Span, sources: tuple[int, ...], kernel: int, stride: int, dilation: int, pad: int, size: int
) -> Span:
    if sources:
        taken = sources[output.first : output.end]
        return Span(min(taken), max(taken) + 1)
    first = min(max(0, output.first * stride - pad), size - 1)
    end = min(size, (output.end - 1) * stride - pad + (kernel - 1) * dilation + 1)
    return Span(first, max(first + 1, end))


def join(a: Area | None, b: Area) -> Area:
    """The smallest area that holds both."""
    if a is None:
        return b
    return Area(
        Span(min(a.rows.first, b.rows.first), max(a.rows.end, b.rows.end)),
        Span(min(a.columns.first, b.columns.first), max(a.columns.end, b.columns.end)),
    )
