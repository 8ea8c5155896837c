# SPDX-License-Identifier: Apache-2.0
"""Two plans side by side: figures, differences, segments, both pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

import runnel
from runnel.report.html import template_of
from runnel.report.picture import make_picture
from runnel.report.tables import step_text, table_of
from runnel.report.text import input_text
from runnel.report.view import KIND_TEXT, PlanView


@dataclass(frozen=True)
class Compared:
    """One figure of both plans as text; change is empty where there is none to speak of."""

    name: str
    first: str
    second: str
    change: str = ""


def compare(first: PlanView, second: PlanView) -> tuple[Compared, ...]:
    """What differs and what does not, the most wanted first."""
    return (
        Compared("model", f"{first.name} for {first.board}", f"{second.name} for {second.board}"),
        _numbers("SRAM (arena), bytes", first.arena, second.arena),
        _numbers("lower bound, bytes", first.bound, second.bound),
        _numbers("constants (flash), bytes", first.constants, second.constants),
        _numbers("MACs", first.macs, second.macs),
        Compared("computed again", f"{first.overhead:.1%}", f"{second.overhead:.1%}"),
        _numbers("segments", len(first.segments), len(second.segments)),
        Compared("input", *(input_text(v.input_passes).removeprefix("input ") for v in (first, second))),
        Compared("peak", _peak_text(first), _peak_text(second)),
    )


def _numbers(name: str, first: int, second: int) -> Compared:
    change = f"{second - first:+,}" if second != first else "="
    share = f" ({(second - first) / first:+.1%})" if first and second != first else ""
    return Compared(name, f"{first:,}", f"{second:,}", change + share)


def _peak_text(view: PlanView) -> str:
    step = step_text(view.peak, len(view.segments))
    operators = view.segments[view.peak].operators if 0 <= view.peak < len(view.segments) else "the caller's turn"
    return f"step {step}: {operators}"


def compare_record(first: PlanView, second: PlanView) -> dict[str, Any]:
    """The same for scripts: both plans' figures and second minus first."""
    figures = [_figures(view) for view in (first, second)]
    keys = [key for key, value in figures[0].items() if isinstance(value, int | float)]
    return {
        "first": figures[0],
        "second": figures[1],
        "difference": {key: figures[1][key] - figures[0][key] for key in keys},
    }


def _figures(view: PlanView) -> dict[str, Any]:
    return {
        "model": view.name,
        "board": view.board,
        "arena_bytes": view.arena,
        "arena_lower_bound_bytes": view.bound,
        "constants_bytes": view.constants,
        "macs": view.macs,
        "macs_overhead": view.overhead,
        "input_passes": view.input_passes,
        "segment_count": len(view.segments),
        "peak": _peak_text(view),
        "segments": [{"operators": row.operators, "runs": row.runs, "live_bytes": row.live} for row in view.segments],
    }


def compare_table(names: Sequence[str], first: PlanView, second: PlanView) -> Table:
    """names: what to call the two plans."""
    table = table_of("", left=("", *names), right=("change",))
    for row in compare(first, second):
        table.add_row(*(Text(cell) for cell in (row.name, row.first, row.second, row.change)))
    return table


def segments_table(names: Sequence[str], first: PlanView, second: PlanView) -> Table:
    """The segments of both in order, and where the bytes are."""
    table = table_of("segments", left=("step", names[0], "runs", names[1], "runs"), right=())
    for number in range(max(len(first.segments), len(second.segments))):
        cells = [str(number)]
        for view in (first, second):
            row = view.segments[number] if number < len(view.segments) else None
            peak = " ◀" if row is not None and row.peak else ""
            cells += [row.operators, f"{row.runs}: {row.live:,} bytes{peak}"] if row is not None else ["", ""]
        table.add_row(*(Text(cell) for cell in cells))
    return table


def compare_html(names: Sequence[str], first: PlanView, second: PlanView) -> str:
    """Figures and both pictures with one scale, as one page without scripts or links."""
    used = {row.kind for view in (first, second) for row in view.buffers}
    scale = max(first.arena, second.arena)
    return template_of("compare.html.j2", 0).render(
        names=names,
        version=runnel.__version__,
        rows=compare(first, second),
        pictures=[(name, make_picture(view, scale)) for name, view in zip(names, (first, second), strict=True)],
        kinds=[(kind, text) for kind, text in KIND_TEXT.items() if kind in used],
    )
