# SPDX-License-Identifier: Apache-2.0
"""The schedule and the memory map as tables for the terminal. Sizes are bytes."""

from __future__ import annotations

from rich import box
from rich.table import Table
from rich.text import Text

from runnel.plan.plan import Plan
from runnel.report.view import KIND_TEXT, buffer_rows, segment_rows


def schedule_table(plan: Plan) -> Table:
    """One row per segment: what it computes, with which kernel, and how many bytes are live while it runs."""
    table = _table(
        "schedule", left=("step", "operators", "input", "output", "kernel"), right=("MACs", "scratch", "live")
    )
    for row in segment_rows(plan):
        cells = [str(row.step), row.operators, row.inputs, row.outputs, row.kernels.replace("runnel_", "")]
        cells += [f"{row.macs:,}", f"{row.scratch:,}" if row.scratch else "", f"{row.live:,}"]
        cells[-1] += " ◀" if row.peak else "  "
        table.add_row(*(Text(cell) for cell in cells), style="bold" if row.peak else "")
    return table


def memory_table(plan: Plan) -> Table:
    """One row per buffer: where it lies in the arena and from which step to which it is live."""
    table = _table("memory map", left=("buffer", "contents", "kind"), right=("bytes", "offset", "end", "from", "to"))
    steps = len(plan.segments)
    for row in buffer_rows(plan):
        kind = KIND_TEXT[row.kind] + (f", in place of {' '.join(row.in_place)}" if row.in_place else "")
        cells = [row.name, row.contents, kind, f"{row.bytes:,}", f"{row.offset:,}", f"{row.end:,}"]
        cells += [step_text(row.first, steps), step_text(row.last, steps)]
        table.add_row(*(Text(cell) for cell in cells))
    return table


def step_text(step: int, steps: int) -> str:
    """A step's number; the caller's turns before and after the run by name."""
    if step < 0:
        return "fill"
    return "read" if step >= steps else str(step)


def _table(title: str, left: tuple[str, ...], right: tuple[str, ...]) -> Table:
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold", pad_edge=False)
    for name in left:
        table.add_column(name, overflow="fold")
    for name in right:
        table.add_column(name, justify="right", no_wrap=True)
    return table
