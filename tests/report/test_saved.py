# SPDX-License-Identifier: Apache-2.0
"""A plan.json is shown like the plan that it came from; two plans are compared."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from runnel.plan.plan import Plan
from runnel.plan.serialise import PlanFileError, plan_to_json
from runnel.report.compare import compare, compare_html, compare_record, compare_table, segments_table
from runnel.report.parts import PartRow
from runnel.report.picture import make_picture
from runnel.report.saved import saved_view
from runnel.report.view import PlanView, plan_view

from .streamed import growing_plan, streamed_plan
from .test_report import parse, shown


def known(view: PlanView) -> PlanView:
    """Without what plan.json does not have: nominal MACs and output shapes of each operator, graph-wide readers."""

    def part(row: PartRow) -> PartRow:
        return replace(row, extra=0, output="", reads=tuple(sorted(set(row.reads))))

    segments = tuple(replace(row, extra=0, parts=tuple(map(part, row.parts))) for row in view.segments)
    kinds = {"held": "activation"}
    buffers = tuple(replace(b, contents="", kind=kinds.get(b.kind, b.kind)) for b in view.buffers)  # type: ignore[arg-type]
    return replace(view, segments=segments, buffers=buffers)


@pytest.mark.parametrize("plan", [streamed_plan(), growing_plan()], ids=["strips", "growing"])
def test_the_file_shows_what_the_plan_shows(plan: Plan) -> None:
    saved, fresh = known(saved_view(plan_to_json(plan))), known(plan_view(plan))
    assert saved.segments == fresh.segments
    assert saved.buffers == fresh.buffers
    assert saved == fresh
    assert make_picture(saved).panels[0] == make_picture(fresh).panels[0]


def test_every_damage_is_one_error() -> None:
    record = json.loads(plan_to_json(streamed_plan()))
    for key in ("segments", "buffers", "tensors", "arena_bytes", "moves", "inputs"):
        for value in (None, [None], "x"):
            with pytest.raises(PlanFileError):
                saved_view(json.dumps({**record, key: value}))
    for text in ("", "[]", "{", "null", '{"format": "runnel-plan-1"}', "[" * 100_000):
        with pytest.raises(PlanFileError):
            saved_view(text)


def test_differences_are_second_minus_first() -> None:
    first, second = plan_view(streamed_plan()), plan_view(growing_plan())
    record = compare_record(first, second)
    assert record["difference"]["arena_bytes"] == second.arena - first.arena
    assert record["difference"]["macs"] == second.macs - first.macs < 0
    rows = {row.name: row for row in compare(first, second)}
    assert rows["MACs"].change.startswith("-")
    assert rows["input"].first == rows["input"].second == "pulled in one pass"
    assert all(row.change in ("", "=") for row in compare(first, first))


def test_tables_and_page_name_both() -> None:
    views = plan_view(streamed_plan()), plan_view(growing_plan())
    names = ("a<b", "[bold]second[/]")
    assert "[bold]second[/]" in shown(compare_table(names, *views))
    text = shown(segments_table(names, *views))
    assert "2 strips" in text and "output grows into input" in text
    page = compare_html(names, *views)
    parse(page)
    assert "a&lt;b" in page and page.count("<svg") == 2
    scales = [{tick.text for tick in make_picture(view, max(v.arena for v in views)).bytes_ticks} for view in views]
    assert scales[0] == scales[1]
