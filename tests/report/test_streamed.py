# SPDX-License-Identifier: Apache-2.0
"""The report shows the inside of segments that stream: rings, halos, pulled rows, rolling overlap."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image

from runnel.plan.plan import Move, Plan
from runnel.plan.serialise import plan_to_json
from runnel.report.html import render_html
from runnel.report.parts import PULLED, mode_text
from runnel.report.peak import explain_peak
from runnel.report.picture import make_picture
from runnel.report.png import write_png
from runnel.report.saved import saved_view
from runnel.report.tables import schedule_table
from runnel.report.view import plan_view
from runnel.schedule.schedule import Streaming

from ..plan.streamed import patches_plan, strips_plan
from .streamed import growing_plan, streamed_plan
from .test_report import parse, shown


def test_parts_add_up_to_the_segment() -> None:
    plan = streamed_plan()
    view = plan_view(plan)
    for row, planned in zip(view.segments, plan.segments, strict=True):
        assert sum(part.macs for part in row.parts) == row.macs == planned.macs
        assert [part.label for part in row.parts if part.kind != PULLED] == [
            str(operator.index) for operator in planned.segment.operators
        ]
    assert sum(row.extra for row in view.segments) == plan.macs - plan.nominal_macs > 0


def test_every_ring_belongs_to_exactly_one_operator_and_is_read() -> None:
    view = plan_view(streamed_plan())
    for row in view.segments[:2]:
        owned = [name for part in row.parts for name in part.stores]
        inside = {b.name: b.bytes for b in view.buffers if b.kind in ("ring", "columns") and b.first == row.step}
        assert sorted(owned) == sorted(inside)
        assert sum(part.kept for part in row.parts) == sum(inside.values())
        assert set(owned) <= {name for part in row.parts for name in part.reads}


def test_pulled_rows_come_first_and_are_said_everywhere() -> None:
    plan = streamed_plan()
    view = plan_view(plan)
    assert view.segments[0].parts[0].kind == PULLED
    assert "3 of 64 rows" in view.segments[0].parts[0].kept_text
    assert view.input_passes == plan.schedule.input_passes == 1
    page = render_html(plan, None)
    assert "input pulled in one pass" in page and "computed again (halos)" in page
    assert "pulled rows" in page
    parse(page)


def test_a_ring_is_drawn_full_only_where_it_is_used() -> None:
    view = plan_view(streamed_plan())
    picture = make_picture(view)
    rings = [b for row, b in zip(view.buffers, picture.blocks, strict=True) if row.kind == "ring"]
    assert rings
    for block in rings:
        outer = [x for x, _ in block.points]
        inner = [x for x, _ in block.used]
        assert min(outer) <= min(inner) < max(inner) <= max(outer)
        assert max(inner) - min(inner) < max(outer) - min(outer)
    tensors = [b for row, b in zip(view.buffers, picture.blocks, strict=True) if row.kind == "activation"]
    assert all(not block.used for block in tensors)


def test_segments_are_as_wide_as_their_operators_are_many() -> None:
    view = plan_view(streamed_plan())
    boxes = make_picture(view).boxes
    column = boxes[-1].x - boxes[-2].x
    widths = [round((after.x - box.x) / column) for box, after in pairwise(boxes)]
    assert widths[:4] == [7, 4, 7, 1], "the pulled rows have a column too"
    assert boxes[0].label == "0: rows" and boxes[1].label == "2 strips"


def test_an_output_that_grows_into_its_input_is_drawn_with_a_slant() -> None:
    view = plan_view(growing_plan())
    picture = make_picture(view)
    row, block = next((r, b) for r, b in zip(view.buffers, picture.blocks, strict=True) if r.grows_into)
    over = next(r for r in view.buffers if r.name == row.grows_into)
    assert row.offset < over.offset < row.end, "they overlap"
    xs = sorted({x for x, _ in block.points})
    assert len(xs) == 3, "left edge, end of the segment, right edge"
    assert f"grows into {row.grows_into}" in block.title
    assert "output grows into input" in view.segments[1].runs


def test_the_peak_in_a_streamed_segment_names_rings_and_options() -> None:
    plan = streamed_plan()
    text = explain_peak(plan, ["--max-overhead 10 (1,234 bytes)"])
    assert "operators 0 to 5 (rows, columns of 8 pixels, input pulled)" in text
    assert "planes of 5 rows" in text
    assert "What would help: --max-overhead 10 (1,234 bytes); " in text


@pytest.mark.parametrize("plan", [streamed_plan(), growing_plan()], ids=["strips", "growing"])
def test_the_same_picture_as_png(plan: Plan, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: pip install 'runnel[plot]'")
    nasty = replace(plan_view(plan), name="a $\\frac{ name")
    write_png([nasty], tmp_path / "one.png")
    write_png([nasty, nasty], tmp_path / "two.png")
    with Image.open(tmp_path / "one.png") as one, Image.open(tmp_path / "two.png") as two:
        assert one.format == two.format == "PNG"
        assert one.width == two.width and 1.9 < two.height / one.height < 2.1
        colours = {colour for _, colour in one.convert("RGB").getcolors(1 << 24) or ()}
        assert {(0x0E, 0x8F, 0x9E), (0x3B, 0x82, 0xD6)} <= colours, "rings and activations are there"


def test_the_table_says_how_each_segment_runs() -> None:
    text = shown(schedule_table(plan_view(streamed_plan())))
    assert "0 CONV_2D … 5 CONV_2D (6)" in text
    assert "rows, columns of 8 pixels, input pulled" in text and "2 strips" in text


@pytest.mark.parametrize(
    ("streaming", "text"),
    [
        (None, "on whole tensors"),
        (Streaming(), "rows"),
        (Streaming(strips=3, group=4, pulled=True), "3 strips, columns of 4 pixels, input pulled"),
        (Streaming(strips=4, bands=5), "5×4 patches"),
        (Streaming(grows_into=7), "rows, output grows into input"),
    ],
)
def test_modes_in_words(streaming: Streaming | None, text: str) -> None:
    assert mode_text(streaming) == text


@pytest.mark.parametrize("plan", [strips_plan(), patches_plan()], ids=["strips", "patches"])
def test_other_ways_to_run_are_shown_too(plan: Plan) -> None:
    view = plan_view(plan)
    assert sum(part.macs for row in view.segments for part in row.parts) == plan.macs
    parse(render_html(plan, None))
    assert any("patches" in row.runs or "strips" in row.runs for row in view.segments)


def test_a_buffer_that_moves_says_from_where() -> None:
    plan = streamed_plan()
    first, second = (placed.buffer.name for placed in plan.layout.buffers[:2])
    moved = replace(plan, layout=replace(plan.layout, moves=(Move(1, first, second),)))
    row = next(row for row in plan_view(moved).buffers if row.name == second)
    assert row.moved_from == first
    assert f"moved from {first}" in render_html(moved, None)
    saved = saved_view(plan_to_json(moved))
    assert next(row for row in saved.buffers if row.name == second).moved_from == first
