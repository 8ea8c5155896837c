# SPDX-License-Identifier: Apache-2.0
"""The Pareto front as table, as diagrams in the page, and as PNG."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image

from runnel.report.front import Front, FrontPoint, front_table, make_front_picture, sram_ticks, write_front_png
from runnel.report.html import render_html

from ..plan.examples import block_plan
from .test_report import parse, shown

FRONT = Front(
    "net",
    "qemu-m7",
    (
        FrontPoint(11_000, 1_300_000, 0.3, 2_000_000, 9, 3),
        FrontPoint(12_000, 1_100_000, 0.1, 2_500_000, 8, 2),
        FrontPoint(16_000, 1_000_000, 0.0, 1_900_000, 7, 1),
        FrontPoint(90_000, 1_000_000, 0.0, 1_800_000, 20, 0),
    ),
)


def test_every_schedule_has_a_line() -> None:
    text = shown(front_table(FRONT))
    assert re.search(r"10\.7 kB +11,000 +1,300,000 +30\.0% +2,000,000 +9 +3", text)
    assert re.search(r"87\.9 kB +90,000 +1,000,000 +0\.0% +1,800,000 +20 +stored", text)


def test_every_schedule_is_a_dot_and_more_sram_is_further_right() -> None:
    for panel in make_front_picture(FRONT).panels:
        assert len(panel.dots) == len(FRONT.points)
        assert all(one.x < other.x for one, other in pairwise(panel.dots))
        assert all(panel.left < dot.x < panel.right and panel.top < dot.y <= panel.bottom for dot in panel.dots)
        assert all(panel.left <= mark.at <= panel.right for mark in panel.x_marks)
    macs, cycles = make_front_picture(FRONT).panels
    assert macs.dots[-1].y == macs.bottom, "nothing is computed again there"
    assert cycles.line.count("H") == 2, "the second schedule is no step of the line: it is worse than the first"


def test_one_schedule_is_enough() -> None:
    only = Front("net", "host", FRONT.points[:1])
    parse(render_html(block_plan(), None, only))
    assert all(len(panel.dots) == 1 for panel in make_front_picture(only).panels)


def test_the_page_shows_the_front_where_it_is_given() -> None:
    page = render_html(block_plan(), None, FRONT)
    parse(page)
    assert page.count("<circle") == 2 * len(FRONT.points)
    assert "11,000 bytes" in page
    assert "<circle" not in render_html(block_plan(), None)


def test_the_front_as_png(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: pip install 'runnel[plot]'")
    write_front_png(FRONT, tmp_path / "front.png")
    write_front_png(Front("$x$", "host", FRONT.points[:1]), tmp_path / "one.png")
    for name in ("front.png", "one.png"):
        with Image.open(tmp_path / name) as picture:
            assert picture.format == "PNG" and picture.width > picture.height


@pytest.mark.parametrize(
    ("least", "most"), [(10, 12), (14.1, 18.8), (10, 39), (10, 41), (0.5, 3), (1, 200), (20, 3000)]
)
def test_ticks_lie_on_the_axis(least: float, most: float) -> None:
    ticks = sram_ticks(least, most)
    assert ticks == sorted(ticks)
    assert all(least <= tick <= most for tick in ticks)
    assert 3 <= len(ticks) <= 12
