# SPDX-License-Identifier: Apache-2.0
"""Steps, rings, margins and overlaps of streamed segments, against figures worked out by hand."""

from __future__ import annotations

import pytest

from runnel import zoo
from runnel.graph import Graph
from runnel.operators.base import RowForm, Window
from runnel.schedule.rows import Area, SegmentRows, Span, first_row_needed, input_area, rows_needed
from runnel.schedule.schedule import Segment, Streaming
from runnel.schedule.stores import plane_columns
from runnel.schedule.streams import build_rows


def blocks(kernel: int, count: int = 2, stride: int = 1, size: int = 32) -> Graph:
    """A 3x3 stem of stride 2 to 16 channels, a block down to 8, then inverted residuals 8 -> 24 -> 8."""
    first = zoo.Block(3, 16, 1, 8)
    rest = tuple(zoo.Block(kernel, 24, stride, 8) for _ in range(count))
    return zoo.network(zoo.Architecture("toy", size, size, 10, 3, 2, 16, (first, *rest), None))


def segment(graph: Graph, first: int, end: int, streaming: Streaming) -> Segment:
    operators = graph.operators[first:end]
    made = {t for o in operators for t in o.outputs}
    read = dict.fromkeys(t.index for o in operators for t in graph.activations(o) if t.index not in made)
    inputs = tuple(t for t in read if not (streaming.pulled and t in graph.inputs))
    outputs = tuple(
        t
        for o in operators
        for t in o.outputs
        if t in graph.outputs or any(all(c is not o for o in operators) for c in graph.consumers(t))
    )
    return Segment("test", operators, inputs, outputs, streaming)


def rings(rows: SegmentRows) -> dict[str, tuple[int, int]]:
    """Layout -> (rows, bytes of a row), of the stores that have bytes of their own."""
    return {f"{s.layout} {s.channels}": (s.rows, s.row_bytes) for s in rows.stores}


def first_block(graph: Graph) -> int:
    """The 1x1 convolution that widens 8 channels to 24."""
    return next(i for i, o in enumerate(graph.operators) if graph.tensor(o.outputs[0]).shape[3] == 24)


def test_a_7x7_bottleneck_keeps_seven_rows_of_planes_and_four_of_its_input() -> None:
    graph = blocks(7)
    start = first_block(graph)
    two = segment(graph, start, start + 8, Streaming(group=4))
    rows = build_rows(graph, two)
    assert [step.form for step in rows.steps] == ["pixels", "planes", "pixels"] * 2
    # both depthwise convolutions: 16 columns and one gap of 3; between the blocks 7 // 2 + 1 rows for the residual
    assert rings(rows) == {"channel planes 24": (7, 19), "rows of pixels 8": (4, 128), "int16 columns 24": (1, 48)}
    planes = [s for s in rows.stores if s.layout == "channel planes"]
    assert [s.bytes for s in planes] == [24 * 7 * 19 + 3 + 8] * 2


def test_the_residual_add_writes_where_its_operand_lies() -> None:
    graph = blocks(3, 1)
    start = first_block(graph)
    rows = build_rows(graph, segment(graph, start, start + 4, Streaming()))
    projection, add = rows.steps[1], rows.steps[2]
    assert projection.output.inside == add.output.name == f"tensor_{add.operators[0].outputs[0]}"
    assert all(store.name != projection.output.name for store in rows.stores)


def test_a_pulled_image_is_a_ring_of_one_window() -> None:
    graph = blocks(3)
    rows = build_rows(graph, segment(graph, 0, 2, Streaming(pulled=True)))
    assert [step.form for step in rows.steps] == ["pull", "window", "planes"]
    assert rings(rows)["rows of pixels 3"] == (3, 32 * 3)


def test_the_output_grows_into_the_input() -> None:
    graph = blocks(3, 1)
    start = first_block(graph)
    source = graph.operators[start].inputs[0]
    # a residual block of equal shapes: output row r is written while row r of the input is still to be added
    same = build_rows(graph, segment(graph, start, start + 4, Streaming(grows_into=source)))
    assert same.distance == 16 * 8
    # down to a quarter: the first row lies below everything, the last ones in rows read long ago
    down = blocks(3, 1, stride=2)
    start = first_block(down)
    rows = build_rows(down, segment(down, start, start + 3, Streaming(grows_into=down.operators[start].inputs[0])))
    # output row r (8 pixels) is written when 2 r + 2 input rows (16 pixels) are read
    assert rows.distance == 0


def test_in_place_strips_save_a_halo() -> None:
    graph = blocks(5, 1)
    start = first_block(graph)
    source = graph.operators[start].inputs[0]
    rows = build_rows(graph, segment(graph, start, start + 4, Streaming(strips=2, grows_into=source)))
    halo = rows.steps[0].halo
    assert halo is not None and (halo.rows, halo.row_bytes) == (16, 2 * 8)
    assert rows.distance == 16 * 8
    assert [area.columns for area in rows.steps[0].areas] == [Span(0, 10), Span(6, 16)]
    # 10 columns and a gap of 2 in each strip
    assert rings(rows)["channel planes 24"] == (5, 12)
    narrow = segment(graph, start, start + 4, Streaming(strips=16, grows_into=source))
    with pytest.raises(ValueError, match="halo is wider than a strip"):
        build_rows(graph, narrow)


def test_patches_divide_rows_and_columns() -> None:
    graph = blocks(3, 1, stride=2)
    start = first_block(graph)
    rows = build_rows(graph, segment(graph, start, start + 3, Streaming(strips=2, bands=2)))
    expand = rows.steps[0]
    assert expand.areas == (
        Area(Span(0, 8), Span(0, 8)),
        Area(Span(0, 8), Span(7, 16)),
        Area(Span(7, 16), Span(0, 8)),
        Area(Span(7, 16), Span(7, 16)),
    )


def test_the_global_pool_adds_rows() -> None:
    graph = blocks(3)
    pool = next(i for i, o in enumerate(graph.operators) if o.kind in ("MEAN", "AVERAGE_POOL_2D"))
    rows = build_rows(graph, segment(graph, pool - 4, pool + 1, Streaming()))
    assert rows.steps[-1].form == "sums"
    assert rows.steps[-1].sums is not None and rows.steps[-1].sums.bytes == 4 * 8


@pytest.mark.parametrize(
    ("window", "output", "width", "expected"),
    [
        (Window(3, 3, 1, 1, 1, 1, 1, 1), Span(0, 8), 8, (1, 8, 1)),
        (Window(3, 3, 2, 2, 1, 1, 0, 0), Span(0, 4), 8, (0, 8, 1)),  # TensorFlow's SAME at stride 2
        (Window(3, 3, 2, 2, 1, 1, 1, 1), Span(0, 4), 8, (1, 8, 0)),  # PyTorch's padding: the last column is read
        (Window(5, 5, 1, 1, 2, 2, 4, 4), Span(2, 4), 8, (2, 8, 0)),
        (Window(3, 3, 1, 1, 1, 1, 1, 1), Span(3, 5), 8, (0, 4, 0)),
        (Window(2, 2, 3, 3, 1, 1, 0, 0), Span(0, 3), 9, (0, 8, 0)),  # VALID leaves a column unread
    ],
)
def test_margins_of_planes(window: Window, output: Span, width: int, expected: tuple[int, int, int]) -> None:
    assert plane_columns(window, output, width) == expected


def test_rows_of_a_window() -> None:
    form = RowForm("window", Window(5, 5, 2, 2, 1, 1, 1, 1))
    assert [rows_needed(form, row, 9) for row in range(4)] == [4, 6, 8, 9]
    assert [first_row_needed(form, row) for row in range(4)] == [0, 1, 3, 5]
    assert input_area(form, Area(Span(1, 2), Span(0, 4)), 9, 9) == Area(Span(1, 6), Span(0, 9))
    nearest = RowForm("window", Window(1, 1, 1, 1, 1, 1, 0, 0), source_rows=(0, 0, 1, 1), source_columns=(0, 0, 1, 1))
    assert [rows_needed(nearest, row, 2) for row in range(4)] == [1, 1, 2, 2]


def test_what_needs_whole_tensors_ends_a_segment() -> None:
    graph = blocks(3)
    with pytest.raises(ValueError, match="cannot run by rows"):
        build_rows(graph, segment(graph, len(graph.operators) - 1, len(graph.operators), Streaming()))
