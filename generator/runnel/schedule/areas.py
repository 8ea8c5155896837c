# SPDX-License-Identifier: Apache-2.0
"""Receptive-field arithmetic of a segment: which part of every tensor each patch of its output needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runnel.graph import Graph, Operator
from runnel.operators import operator_type
from runnel.operators.base import RowForm
from runnel.schedule.rows import Area, Span, input_area, join
from runnel.schedule.schedule import Segment, Streaming


def row_forms(graph: Graph, segment: Segment) -> Mapping[int, RowForm]:
    """Place in the segment -> how that operator runs by rows. Raises ValueError where one needs whole tensors."""
    forms: dict[int, RowForm] = {}
    for place, operator in enumerate(segment.operators):
        form = operator_type(operator.kind).row_form(graph, operator)
        if form is None:
            raise ValueError(f"{operator.label} cannot run by rows")
        forms[place] = form
    return forms


def patch_areas(graph: Graph, segment: Segment, forms: Mapping[int, RowForm]) -> tuple[Mapping[int, Area], ...]:
    """For each patch the part of every tensor that is made (or read, of inputs), clipped to the tensor.

    The grid divides the segment's last output; where that is a global pool, it divides what is pooled.
    """
    streaming = segment.streaming or Streaming()
    if streaming.strips * streaming.bands > 1:
        _check_patches(segment, forms)
    grid = _grid_tensor(segment, forms)
    height, width = plane(graph, grid)
    if streaming.strips > width or streaming.bands > height:
        raise ValueError(f"{streaming.bands} x {streaming.strips} patches of a {height} x {width} tensor")
    patches = [
        _areas(graph, segment, forms, grid, Area(rows, columns))
        for rows in divide(height, streaming.bands)
        for columns in divide(width, streaming.strips)
    ]
    if len(patches) > 1:
        _check_windows(graph, segment, forms, grid, patches)
    return tuple(patches)


def divide(size: int, parts: int) -> list[Span]:
    """0..size in as equal parts as possible."""
    return [Span(size * part // parts, size * (part + 1) // parts) for part in range(parts)]


def plane(graph: Graph, tensor: int) -> tuple[int, int]:
    """Height and width of a tensor; one row of one pixel where it has fewer than three dimensions."""
    shape = graph.tensor(tensor).shape
    return (shape[-3], shape[-2]) if len(shape) >= 3 else (1, 1)


def _check_patches(segment: Segment, forms: Mapping[int, RowForm]) -> None:
    """Raises ValueError for what strips and patches cannot make: several outputs, operators behind a global pool."""
    if len(segment.outputs) != 1:
        raise ValueError(f"strips and patches make one output, this segment has {len(segment.outputs)}")
    if any(forms[place].form == "sums" for place in range(len(segment.operators) - 1)):
        raise ValueError("strips and patches end with the global pool")


def _check_windows(
    graph: Graph,
    segment: Segment,
    forms: Mapping[int, RowForm],
    grid: int,
    patches: Sequence[Mapping[int, Area]],
) -> None:
    """Raises ValueError where a patch would hold windows of nothing but padding, or pool a pixel twice."""
    height, width = plane(graph, grid)
    pooled = sum(areas[grid].rows.size * areas[grid].columns.size for areas in patches)
    if forms[len(segment.operators) - 1].form == "sums" and pooled != height * width:
        raise ValueError("strips and patches: what is pooled is also read by a window that reaches into other patches")
    for place, operator in enumerate(segment.operators):
        form = forms[place]
        if form.form not in ("window", "planes") or form.source_rows:
            continue
        window, size = form.window, plane(graph, row_inputs(graph, operator)[0])
        for areas in patches:
            area = areas[operator.outputs[0]]
            if not (
                _touches(area.rows, window.kernel_h, window.stride_h, window.dilation_h, window.pad_top, size[0])
                and _touches(
                    area.columns, window.kernel_w, window.stride_w, window.dilation_w, window.pad_left, size[1]
                )
            ):
                raise ValueError(f"strips and patches: {operator.label} has windows of nothing but padding")


def _touches(output: Span, kernel: int, stride: int, dilation: int, pad: int, size: int) -> bool:
    """Whether the first window and the last one both hold a row (or column) of the input."""
    return output.first * stride - pad + (kernel - 1) * dilation >= 0 and (output.end - 1) * stride - pad < size


def _grid_tensor(segment: Segment, forms: Mapping[int, RowForm]) -> int:
    last = segment.operators[-1]
    if forms[len(segment.operators) - 1].form == "sums":
        assert last.inputs[0] is not None
        return last.inputs[0]
    return last.outputs[0]


def _areas(graph: Graph, segment: Segment, forms: Mapping[int, RowForm], grid: int, patch: Area) -> Mapping[int, Area]:
    one = (segment.streaming or Streaming()).strips * (segment.streaming or Streaming()).bands == 1
    areas: dict[int, Area] = {grid: patch}
    for tensor in segment.outputs if one else ():
        height, width = plane(graph, tensor)
        areas[tensor] = Area(Span(0, height), Span(0, width))
    for place in reversed(range(len(segment.operators))):
        operator, form = segment.operators[place], forms[place]
        if form.form == "sums":
            source = operator.inputs[0]
            assert source is not None
            height, width = plane(graph, source)
            whole = Area(Span(0, height), Span(0, width))
            areas[source] = join(areas.get(source), patch if source == grid else whole)
            areas[operator.outputs[0]] = Area(Span(0, 1), Span(0, 1))
            continue
        if operator.outputs[0] not in areas:
            raise ValueError(f"{operator.label} makes a tensor that this segment needs the whole of")
        output = areas[operator.outputs[0]]
        for tensor in row_inputs(graph, operator):
            height, width = plane(graph, tensor)
            areas[tensor] = join(areas.get(tensor), input_area(form, output, height, width))
    return areas


def row_inputs(graph: Graph, operator: Operator) -> tuple[int, ...]:
    """The inputs that are read row by row: computed ones that have the output's rows and columns, or a window on them.

    A tensor of one pixel that is broadcast over the rows of the other operand is read whole.
    """
    computed = graph.activations(operator)
    if len(computed) < 2:
        return tuple(t.index for t in computed)
    height, width = plane(graph, operator.outputs[0])
    return tuple(dict.fromkeys(t.index for t in computed if plane(graph, t.index) == (height, width)))
