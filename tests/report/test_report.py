# SPDX-License-Identifier: Apache-2.0
"""The report is one offline page that nothing in a model can break; tables and the peak's explanation are right."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from rich.console import Console
from rich.table import Table

from runnel.plan.plan import Layout, Plan
from runnel.report.html import render_html
from runnel.report.peak import explain_peak
from runnel.report.picture import make_picture
from runnel.report.tables import memory_table, schedule_table
from runnel.report.text import kilobytes, millions, name_text
from runnel.report.view import buffer_rows, plan_view, segment_rows
from runnel.schedule.schedule import Schedule

from ..plan.examples import BLOCK_SIZES, BLOCK_STEPS, Step, block_plan, make_graph, make_plan

MEASURED = {
    "model": "toy",
    "board": "qemu-m7",
    "arena_bytes": 320,
    "sram_bytes": 31234,
    "stack_bytes": 812,
    "code_bytes": None,
    "instructions": 9000,
    "oracle": "TensorFlow Lite Micro",
    "mismatches": 0,
    "outputs": [[[1, 2]]],
}
NASTY = "<script>alert(1)</script>&\"'\x1b[31m\ud800\n]]>{{ 7*7 }}"


def nasty_plan() -> Plan:
    plan = block_plan()
    graph = plan.schedule.graph
    tensors = {n: replace(t, name=NASTY) for n, t in graph.tensors.items()}
    return replace(plan, schedule=replace(plan.schedule, graph=graph.replace(tensors=tensors)))


class Balance(HTMLParser):
    """Checks that every tag is closed in order, and collects tags and attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parse(page: str) -> Balance:
    parser = Balance()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser


@pytest.mark.parametrize("plan", [block_plan(), nasty_plan()], ids=["plain", "nasty"])
def test_the_page_is_whole_and_offline(plan: Plan) -> None:
    page = render_html(plan, MEASURED)
    tags = parse(page).seen
    assert {tag for tag, _ in tags}.isdisjoint({"script", "link", "img", "iframe", "object", "embed", "base", "a"})
    assert not any(name in {"src", "href", "onload", "onerror"} for _, attributes in tags for name in attributes)
    assert not re.search(r"https?:|@import|url\(", page)
    assert "prefers-color-scheme: dark" in page
    ElementTree.fromstring(page[page.index("<svg") : page.index("</svg>") + 6])
    page.encode("utf-8")


def test_names_of_the_model_are_shown_and_not_obeyed() -> None:
    page = render_html(nasty_plan(), None)
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    assert "49" not in page.split("alert(1)")[1][:60]


def test_the_page_is_the_same_every_time() -> None:
    assert render_html(block_plan(), MEASURED) == render_html(block_plan(), MEASURED)


def test_the_page_shows_what_was_planned_and_measured() -> None:
    page = render_html(block_plan(), MEASURED)
    for text in ("320 bytes; equal to the lower bound", "4,500; each computed once", "2.00 per MAC", "31,234 bytes"):
        assert text in page
    assert "output equals TensorFlow Lite Micro" in page
    assert "outputs" not in page and "None" not in page


def test_a_mismatch_is_not_hidden() -> None:
    page = render_html(block_plan(), {**MEASURED, "mismatches": 3})
    assert "output differs from TensorFlow Lite Micro: 3 bytes" in page
    assert "output equals" not in page


def test_without_figures_nothing_is_said_to_be_measured() -> None:
    page = render_html(block_plan(), None)
    assert "Measured" not in page
    assert "output equals" not in page


def test_an_arena_above_its_bound_says_by_how_much_and_whether_it_is_proved() -> None:
    plan = block_plan()
    loose = replace(plan, layout=replace(plan.layout, arena_bytes=336, optimal=False))
    assert "5.0% above the lower bound<" in render_html(loose, None)
    proved = replace(plan, layout=replace(plan.layout, arena_bytes=336))
    assert "above the lower bound, proved the least possible" in render_html(proved, None)


def test_every_block_lies_inside_the_picture_and_in_its_place() -> None:
    picture = make_picture(plan_view(block_plan()))
    assert len(picture.blocks) == len(block_plan().layout.buffers)
    for block in picture.blocks:
        left, right = (choose(x for x, _ in block.points) for choose in (min, max))
        top, bottom = (choose(y for _, y in block.points) for choose in (min, max))
        assert picture.left <= left < right <= picture.right + 0.1
        assert picture.top <= top < bottom <= picture.bottom
    assert picture.bound_y == picture.top


def test_the_plan_of_an_empty_graph_can_be_shown() -> None:
    graph = make_graph({}, (), (), ())
    plan = Plan("empty", "host", Schedule(graph, ()), (), Layout((), 0, 0, True), 0, 0)
    parse(render_html(plan, None))
    assert explain_peak(plan) == "The model needs no arena."


def test_the_peak_names_operator_tensors_and_remedy() -> None:
    text = explain_peak(block_plan())
    assert text.startswith("The peak is at step 3, operator 3 (CONV_2D), where 320 bytes are live: ")
    assert "tensor 3 (1×1×1×240, 't3'): 240 bytes" in text
    assert "tensor 1 (1×1×1×40, 't1'), held for a later operator: 40 bytes" in text
    assert "board with more SRAM" in text


def test_the_peak_may_be_at_the_inputs_or_in_scratch() -> None:
    steps = (Step("ADD", (0, 1), (2,), in_place=(0,)),)
    assert "the model's inputs, before" in explain_peak(
        make_plan(make_graph({0: 8, 1: 8, 2: 8}, steps, (0, 1), (2,)), steps)
    )
    steps = (Step("MEAN", (0,), (1,), scratch=400),)
    text = explain_peak(make_plan(make_graph({0: 8, 1: 8}, steps, (0,), (1,)), steps))
    assert "kernel scratch: 400 bytes" in text


def test_rows_say_what_each_buffer_is_for() -> None:
    rows = {row.name: row for row in buffer_rows(block_plan())}
    assert rows["t0"].kind == "input" and rows["t9"].kind == "output" and rows["t5"].kind == "output"
    assert rows["t1"].kind == "held" and rows["t2"].kind == "activation" and rows["scratch2"].kind == "scratch"
    assert rows["t3"].in_place == ("t2",)
    assert rows["t6"].contents == "t6 1×1×1×10 = t7 1×1×1×10"
    assert [row.peak for row in segment_rows(block_plan())].count(True) == 1


def shown(table: Table) -> str:
    console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(table)
    return console.export_text()


def test_tables_for_the_terminal() -> None:
    schedule = shown(schedule_table(plan_view(block_plan())))
    assert re.search(r"2 +2 DEPTHWISE_CONV_2D .* depthwise_conv_2d +300 +36 +316 ", schedule)
    assert re.search(r"3 CONV_2D .* 320 ◀", schedule)
    assert "none: same bytes" in schedule
    memory = shown(memory_table(plan_view(block_plan())))
    assert re.search(r"t3 .*activation, in place of t2 +240 +0 +240 +2 +3", memory)
    assert re.search(r"t9 .* 8 +read", memory)
    nasty = shown(memory_table(plan_view(nasty_plan())))
    assert "\x1b" not in nasty


def test_tables_take_names_literally() -> None:
    graph = make_graph(BLOCK_SIZES, BLOCK_STEPS, (0,), (9, 5))
    tensors = {n: replace(t, name="[bold]x[/nothing]") for n, t in graph.tensors.items()}
    assert "[bold]x[/nothing]" in shown(memory_table(plan_view(make_plan(graph.replace(tensors=tensors), BLOCK_STEPS))))


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1 kB"), (89600, "87.5 kB"), (1 << 20, "1 MB")]
)
def test_kilobytes(count: int, text: str) -> None:
    assert kilobytes(count) == text


def test_millions() -> None:
    assert [millions(n) for n in (0, 999, 1000, 11_578_816, 2 * 10**9)] == ["0", "999", "1 k", "11.6 M", "2 G"]


def test_long_names_are_cut_from_the_left() -> None:
    tensor = block_plan().schedule.graph.tensor(0)
    assert name_text(replace(tensor, name="a" * 100 + "end")) == "…" + "a" * 44 + "end"
