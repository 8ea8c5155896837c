# SPDX-License-Identifier: Apache-2.0
"""The schedule and the memory map as tables for the terminal. Sizes are bytes."""

from __future__ import annotations

from dataclasses import replace

from rich import box
from rich.table import Table
from rich.text import Text

from runnel.report.parts import LAYER
from runnel.report.view import BufferRow, Kind, PlanView

_SHORT_KIND: dict[Kind, str] = {
    "input": "model input",
    "output": "model output",
    "activation": "activation",
    "held": "held for later",
    "ring": "ring",
    "columns": "columns",
    "scratch": "scratch",
}


def schedule_table(view: PlanView) -> Table:
    """One row per segment: what it computes, how it runs, and how many bytes are live while it does."""
    table = table_of(
        "schedule", left=("step", "operators", "input", "output", "runs"), right=("MACs", "inside", "live")
    )
    for row in view.segments:
        runs = row.kernels.replace("runnel_", "") if row.mode == LAYER else row.runs
        cells = [str(row.step), row.operators, row.inputs, row.outputs, runs]
        cells += [f"{row.macs:,}", f"{row.inside:,}" if row.inside else "", f"{row.live:,}"]
        cells[-1] += " ◀" if row.peak else "  "
        table.add_row(*(Text(cell) for cell in cells), style="bold" if row.peak else "")
    return table


def memory_table(view: PlanView) -> Table:
    """One row per buffer: where it lies in the arena and from which step to which it is live."""
    table = table_of("memory map", left=("buffer", "contents", "kind"), right=("bytes", "offset", "end", "from", "to"))
    steps = len(view.segments)
    for row in view.buffers:
        cells = [row.name, row.contents, _kind_text(row), f"{row.bytes:,}", f"{row.offset:,}", f"{row.end:,}"]
        cells += [step_text(row.first, steps), step_text(row.last, steps)]
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _kind_text(row: BufferRow) -> str:
    """The kind and what is special about the buffer, short enough for a terminal: one name of those it shares with."""
    turns = row.turns[:1] + ((f"{len(row.turns) - 1} more",) if len(row.turns) > 1 else ())
    return ", ".join((_SHORT_KIND[row.kind], *replace(row, turns=turns).notes))


def step_text(step: int, steps: int) -> str:
    """A step's number; the caller's turns before and after the run by name."""
    if step < 0:
        return "fill"
    return "read" if step >= steps else str(step)


def table_of(title: str, left: tuple[str, ...], right: tuple[str, ...]) -> Table:
    """An empty table; the columns of `right` are numbers."""
    table = Table(title=Text(title), box=box.SIMPLE_HEAD, title_justify="left", title_style="bold", pad_edge=False)
    for name in left:
        table.add_column(Text(name), overflow="fold")
    for name in right:
        table.add_column(Text(name), justify="right", no_wrap=True)
    return table
