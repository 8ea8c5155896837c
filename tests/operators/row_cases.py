# SPDX-License-Identifier: Apache-2.0
"""Random calls of row kernels for a random operator, with what they must leave, from the operator's reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from operators.row_host import Case
from runnel.graph import Graph, Operator
from runnel.operators import operator_type
from runnel.operators.base import RowForm, RowLayout, Target

Array = npt.NDArray[Any]

MOST_PIXELS = 17
READ_AHEAD = 8
FILL = 77
"""What lies in output bytes that must not change."""


@dataclass(frozen=True, eq=False)
class Job:
    """An operator with data: `values` of its inputs, None where there is none; `result` [height, width, channels]."""

    graph: Graph
    operator: Operator
    form: RowForm
    values: tuple[Array | None, ...]
    result: Array
    target: Target
    random: np.random.Generator

    def integer(self, low: int, high: int) -> int:
        return int(self.random.integers(low, high + 1))


def make_job(graph: Graph, operator: Operator, target: Target, random: np.random.Generator) -> Job | None:
    """None where the operator does not run by rows."""
    kind = operator_type(operator.kind)
    form = kind.row_form(graph, operator)
    if form is None:
        return None
    values: list[Array | None] = []
    for index in operator.inputs:
        tensor = None if index is None else graph.tensor(index)
        made = tensor is not None and tensor.data is None
        values.append(
            random.integers(-128, 128, tensor.shape).astype(np.int8)
            if made and tensor is not None
            else None
            if tensor is None
            else tensor.data
        )
    result = kind.reference(graph, operator, tuple(values))[0]
    shaped = result.reshape(1, 1, -1) if form.form == "sums" else result[0]
    return Job(graph, operator, form, tuple(values), shaped, target, random)


def row_cases(job: Job, count: int) -> list[Case]:
    """`count` calls on random rows and columns; for sums all of them and the end."""
    if job.form.form == "sums":
        return _sums_cases(job)
    return [{"pixels": _pixels, "window": _window, "planes": _planes}[job.form.form](job) for _ in range(count)]


@dataclass(frozen=True)
class Place:
    """Part of an output row."""

    row: int
    column: int
    pixels: int


def _place(job: Job) -> Place:
    height, width, _ = job.result.shape
    pixels = job.integer(1, min(width, MOST_PIXELS))
    return Place(job.integer(0, height - 1), job.integer(0, width - pixels), pixels)


def _expected(job: Job, place: Place) -> Array:
    return job.result[place.row, place.column : place.column + place.pixels]


def _output(job: Job, place: Place) -> tuple[dict[str, int], int, Array, Array]:
    """Steps of a random output layout, where it starts, and the buffer before and after."""
    wanted = _expected(job, place)
    pixels, channels = wanted.shape
    if not job.form.writes_planes or job.integer(0, 1):
        steps, start, size = (channels, 1), 0, pixels * channels
    else:
        start = job.integer(0, 5)
        steps = (1, start + pixels + job.integer(0, 9))
        size = channels * steps[1]
    before = np.full(size, FILL, np.int8)
    after = before.copy()
    at = start + np.arange(pixels)[:, None] * steps[0] + np.arange(channels)[None, :] * steps[1]
    after[at] = wanted
    return {"output_pixel_step": steps[0], "output_channel_step": steps[1]}, start, before, after


def _call(job: Job, **layout: Any) -> Any:
    (call,) = operator_type(job.operator.kind).lower_rows(job.graph, job.operator, job.target, RowLayout(**layout))
    assert call.form == job.form.form
    kind = operator_type(job.operator.kind)
    columns_in = bool(layout.get("columns_in"))
    assert call.scratch_bytes == kind.row_scratch_bytes(job.graph, job.operator, job.target, columns_in)
    return call


def _note(job: Job, place: Place, *more: object) -> str:
    shapes = [job.graph.tensor(i).shape for i in job.operator.inputs if i is not None]
    return f"{job.operator.kind} {shapes} {dict(job.operator.attributes)} {place} {more} dsp={job.target.dsp}"


def column_elements(pixels: int, channels: int) -> Array:
    """[pixel][channel]: element of the int16 columns, from the description in columns.h."""
    pitch = -(-channels // 4) * 4
    elements = np.empty((pixels, channels), np.int64)
    for pixel in range(pixels):
        alone = pixel == pixels - 1 and pixel % 2 == 0
        for channel in range(channels):
            four = channel // 4 if alone else channel // 4 * 2 + pixel % 2
            elements[pixel, channel] = (pixel - pixel % 2) * pitch + four * 4 + (0, 2, 1, 3)[channel % 4]
    return elements


def _pixels(job: Job) -> Case:
    place = _place(job)
    steps, start, before, after = _output(job, place)
    shape = job.graph.tensor(job.operator.outputs[0]).shape
    stride_h, stride_w = job.form.window.stride_h, job.form.window.stride_w
    end = (place.column + place.pixels - 1) * stride_w + 1
    data = job.values[0]
    assert data is not None
    if job.form.reads_columns and job.integer(0, 1):
        call = _call(job, columns_in=True, **steps)
        return Case(call, (_columns(job, place, data),), (place.pixels, start), before, after, _note(job, place))
    inputs = []
    for index, value in zip(job.operator.inputs, job.values, strict=True):
        if value is None or index is None or len(inputs) == len(_call(job, **steps).inputs):
            continue
        # an operand of another shape is broadcast
        by_rows = value.shape == shape or job.operator.kind not in ("ADD", "SUB", "MUL")
        inputs.append(value[0, place.row * stride_h, place.column * stride_w : end] if by_rows else value)
    note = _note(job, place, steps, start)
    lead = job.integer(0, 3)
    return Case(_call(job, **steps), tuple(inputs), (place.pixels, start), before, after, note, lead)


def _columns(job: Job, place: Place, data: Array) -> Array:
    """int16 columns of a 1x1 convolution's input; what pads them is anything."""
    pixels = data[0, place.row, place.column : place.column + place.pixels]
    channels = pixels.shape[1]
    columns = job.random.integers(-128, 128, place.pixels * (-(-channels // 4) * 4)).astype(np.int16)
    columns[column_elements(place.pixels, channels)] = pixels
    return columns


def _needed(form: RowForm, place: Place, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """First and end row and column of the input that lie in the windows and in the input; not empty."""
    if form.source_rows:
        taken = form.source_columns[place.column : place.column + place.pixels]
        return form.source_rows[place.row], form.source_rows[place.row] + 1, min(taken), max(taken) + 1
    w = form.window
    top, left = place.row * w.stride_h - w.pad_top, place.column * w.stride_w - w.pad_left
    bottom = top + (w.kernel_h - 1) * w.dilation_h + 1
    right = left + (place.pixels - 1) * w.stride_w + (w.kernel_w - 1) * w.dilation_w + 1
    clipped = []
    for first, end, length in ((top, bottom, size[0]), (left, right, size[1])):
        first = min(max(first, 0), length - 1)
        clipped += [first, max(first + 1, min(end, length))]
    return clipped[0], clipped[1], clipped[2], clipped[3]


def _window(job: Job) -> Case:
    place = _place(job)
    steps, start, before, after = _output(job, place)
    data = job.values[0]
    assert data is not None
    height, width, channels = data.shape[1:]
    top, bottom, left, right = _needed(job.form, place, (height, width))
    rows = job.integer(bottom - top, max(bottom - top, min(height, bottom - top + 3)))
    row_bytes = (right - left) * channels + (job.integer(0, 3) if rows > 1 else 0)
    ring = job.random.integers(-128, 128, (rows, row_bytes)).astype(np.int8)
    for y in range(top, bottom):
        ring[y % rows, : (right - left) * channels] = data[0, y, left:right].reshape(-1)
    # nothing may be read behind the last pixel of the last slot
    flat = ring.reshape(-1)[: (rows - 1) * row_bytes + (right - left) * channels]
    numbers = (place.pixels, start, place.row, rows, row_bytes, left, place.column)
    note = _note(job, place, steps, start, numbers)
    return Case(_call(job, **steps), (flat,), numbers, before, after, note, job.integer(0, 3))


def _planes(job: Job) -> Case:
    place = _place(job)
    data = job.values[0]
    assert data is not None
    w = job.form.window
    ring_rows = (w.kernel_h - 1) * w.dilation_h + 1
    planes, plane_width, first = _ring_of_planes(job, place, data[0], ring_rows)
    rotation = first % ring_rows
    layout = {"plane_width": plane_width, "plane_bytes": ring_rows * plane_width, "ring_rows": ring_rows}
    if job.integer(0, 1):
        steps, start, before, after = _output(job, place)
        call = _call(job, **steps, **layout)
    else:
        start, (before, after) = 0, _columns_out(job, place)
        steps = {"output_pixel_step": before.size // place.pixels, "output_channel_step": 1}
        call = _call(job, columns_out=True, **steps, **layout)
    note = _note(job, place, steps, start, layout, rotation)
    numbers = (place.pixels, start, 0, rotation)
    return Case(call, (planes,), numbers, before, after, note, job.integer(0, 3))


def _columns_out(job: Job, place: Place) -> tuple[Array, Array]:
    wanted = _expected(job, place)
    pixels, channels = wanted.shape
    before = np.full(pixels * (-(-channels // 4) * 4), FILL, np.int16)
    after = before.copy()
    after[column_elements(pixels, channels)] = wanted
    return before, after


def _ring_of_planes(job: Job, place: Place, data: Array, ring_rows: int) -> tuple[Array, int, int]:
    """Planes from the first window's first column on, their width, and the slot of the window's first row.

    Neighbouring rows share one gap: the right margin of a row is the left margin of the next one.
    """
    w = job.form.window
    height, width, channels = data.shape
    left = place.column * w.stride_w - w.pad_left
    right = left + (place.pixels - 1) * w.stride_w + (w.kernel_w - 1) * w.dilation_w + 1
    first, end = max(0, min(left, width)), max(0, min(right, width))
    margins = max(0, min(right, 0) - left if left < 0 else 0), max(0, right - max(left, width) if right > width else 0)
    real = max(0, end - first)
    plane_width = real + max(margins) + job.integer(0, 2)
    rows = channels * ring_rows
    zero_point = job.graph.tensor(job.operator.inputs[0]).quantization
    assert zero_point is not None
    planes = np.full(rows * plane_width + max(margins) + READ_AHEAD, zero_point.zero_point, np.int8)
    top = place.row * w.stride_h - w.pad_top
    base = job.integer(0, ring_rows - 1) + top  # the ring may have begun anywhere
    for y in range(max(top, 0), min(top + ring_rows, height)):
        slot = (y - base) % ring_rows
        for channel in range(channels):
            at = (channel * ring_rows + slot) * plane_width + margins[0]
            planes[at : at + real] = data[y, first:end, channel]
    return planes, plane_width, (top - base) % ring_rows


def _sums_cases(job: Job) -> list[Case]:
    data = job.values[0]
    assert data is not None
    add, finish = operator_type(job.operator.kind).lower_rows(job.graph, job.operator, job.target, RowLayout(1, 1))
    pixels = data.reshape(-1, data.shape[3])
    sums = np.zeros(data.shape[3], np.int32)
    cases, at = [], 0
    while at < len(pixels):
        taken = pixels[at : at + job.integer(1, MOST_PIXELS)]
        after = sums + taken.sum(axis=0, dtype=np.int32)
        cases.append(Case(add, (taken,), (len(taken),), sums, after, job.operator.kind, job.integer(0, 3)))
        sums, at = after, at + len(taken)
    before = np.full(data.shape[3], FILL, np.int8)
    cases.append(Case(finish, (sums,), (0,), before, job.result.reshape(-1), job.operator.kind))
    return cases
