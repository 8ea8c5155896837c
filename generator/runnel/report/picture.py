# SPDX-License-Identifier: Apache-2.0
"""Geometry of the report's picture: memory over time, with live bytes and MACs per step below it.

x is time (a column per step, one more before for the caller's filling and one after for its reading), y is the
arena. Lengths without a unit are SVG user units.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from runnel.plan.lower_bound import live_bytes, peak_step
from runnel.plan.plan import Plan
from runnel.report.tables import step_text
from runnel.report.text import kilobytes, millions
from runnel.report.view import KIND_TEXT, BufferRow, SegmentRow, buffer_rows, segment_rows

WIDTH, LEFT, RIGHT = 1120, 58, 12
MAP_TOP, MAP_HEIGHT = 30, 330
PANEL_HEIGHT, PANEL_GAP = 64, 34


@dataclass(frozen=True)
class Block:
    """A buffer in the picture: a path, its label if there is room for one, and the text shown on hovering."""

    path: str
    kind: str
    title: str
    label: str
    x: float
    y: float
    upright: bool


@dataclass(frozen=True)
class Bar:
    """One step in a panel below the memory map."""

    x: float
    y: float
    width: float
    height: float
    title: str
    peak: bool


@dataclass(frozen=True)
class Panel:
    """Bars over the same steps as the memory map. y is the base line."""

    caption: str
    top: float
    y: float
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Tick:
    """A place on an axis and what is written there."""

    at: float
    text: str


@dataclass(frozen=True)
class Picture:
    """Everything that the template draws."""

    width: int
    height: float
    left: int
    right: float
    top: int
    bottom: float
    column: float
    blocks: tuple[Block, ...]
    panels: tuple[Panel, ...]
    bytes_ticks: tuple[Tick, ...]
    step_ticks: tuple[Tick, ...]
    bound_y: float
    bound_text: str
    peak_x: float
    peak_text: str
    peak_anchor: str


@dataclass(frozen=True)
class _Axes:
    """Where a step and a byte lie in the picture."""

    steps: int
    arena: int

    @property
    def column(self) -> float:
        return (WIDTH - LEFT - RIGHT) / (self.steps + 2)

    def x(self, step: float) -> float:
        return round(LEFT + (step + 1) * self.column, 2)

    def y(self, byte: float) -> float:
        return round(MAP_TOP + MAP_HEIGHT * (1 - byte / max(1, self.arena)), 2)


def make_picture(plan: Plan) -> Picture:
    """The picture of a plan. An empty arena gives an empty map."""
    axes = _Axes(len(plan.segments), plan.arena_bytes)
    segments = segment_rows(plan)
    buffers = [placed.buffer for placed in plan.layout.buffers]
    peak = peak_step(buffers)
    bottom = MAP_TOP + MAP_HEIGHT
    live = [(step, live_bytes(buffers, step)) for step in range(-1, axes.steps + 1)]
    panels = (
        _panel(axes, "live bytes", bottom, [(s, b, _live_title(segments, s, b)) for s, b in live], peak),
        _panel(
            axes, "MACs", bottom + PANEL_GAP + PANEL_HEIGHT, [(r.step, r.macs, _macs_title(r)) for r in segments], None
        ),
    )
    middle = axes.x(peak + 0.5)
    rows = buffer_rows(plan)
    taken_over = {name for row in rows for name in row.in_place}
    return Picture(
        width=WIDTH,
        height=panels[-1].y + 30,
        left=LEFT,
        right=WIDTH - RIGHT,
        top=MAP_TOP,
        bottom=bottom,
        column=round(axes.column, 2),
        blocks=tuple(_block(axes, row, row.name in taken_over) for row in rows),
        panels=panels,
        bytes_ticks=tuple(Tick(axes.y(byte), kilobytes(byte)) for byte in _byte_ticks(plan.arena_bytes)),
        step_ticks=tuple(Tick(axes.x(step + 0.5), step_text(step, axes.steps)) for step in _step_ticks(axes.steps)),
        bound_y=axes.y(plan.arena_lower_bound_bytes),
        bound_text=f"lower bound {plan.arena_lower_bound_bytes:,} B",
        peak_x=axes.x(peak),
        peak_text=f"peak: step {step_text(peak, axes.steps)}",
        peak_anchor="start" if middle < WIDTH / 2 else "end",
    )


def _block(axes: _Axes, row: BufferRow, taken_over: bool) -> Block:
    """A rectangle; a buffer that was made in place of another grows out of it along a diagonal.

    taken_over: another buffer grows out of this one in its last step, so the label keeps clear of that step.
    """
    left, right, top, bottom = axes.x(row.first), axes.x(row.last + 1), axes.y(row.end), axes.y(row.offset)
    cut = round(min(axes.column, right - left), 2) if row.in_place else 0
    label = kilobytes(row.bytes)
    clear = (left + cut / 2, right - (axes.column / 2 if taken_over else 0))
    width, height, length = clear[1] - clear[0], bottom - top, 6.4 * len(label) + 8
    upright = not (width >= length and height >= 13)
    fits = not upright or (height >= length and width >= 13)
    in_place = f"\nin place of {', '.join(row.in_place)}" if row.in_place else ""
    return Block(
        path=f"M{left:g} {top:g}H{right:g}V{bottom:g}H{left + cut:g}Z",
        kind=row.kind,
        title=f"{row.name}: {KIND_TEXT[row.kind]}\n{row.contents}\n{row.bytes:,} bytes at {row.offset:,} to "
        f"{row.end:,}\nlive from {step_text(row.first, axes.steps)} to {step_text(row.last, axes.steps)}{in_place}",
        label=label if fits else "",
        x=round(sum(clear) / 2, 1),
        y=round((top + bottom) / 2, 1),
        upright=upright,
    )


def _panel(axes: _Axes, caption: str, above: float, values: Sequence[tuple[int, int, str]], peak: int | None) -> Panel:
    most = max((value for _, value, _ in values), default=0)
    top = above + PANEL_GAP
    base = top + PANEL_HEIGHT
    shown = millions(most) if peak is None else kilobytes(most)
    bars = []
    for step, value, title in values:
        height = round(PANEL_HEIGHT * value / max(1, most), 2)
        gap = min(2.0, axes.column / 5)
        bars.append(
            Bar(
                axes.x(step) + gap / 2,
                round(base - height, 2),
                round(axes.column - gap, 2),
                height,
                title,
                step == peak,
            )
        )
    return Panel(f"{caption} per step, at most {shown}", top, base, tuple(bars))


def _live_title(segments: Sequence[SegmentRow], step: int, live: int) -> str:
    what = segments[step].operators if 0 <= step < len(segments) else "the caller's turn"
    return f"step {step_text(step, len(segments))}: {what}\n{live:,} bytes live"


def _macs_title(row: SegmentRow) -> str:
    return f"step {row.step}: {row.operators}\n{row.macs:,} MACs"


def _byte_ticks(arena: int) -> list[int]:
    """Round numbers of bytes, four to eight of them."""
    unit = 1024 if arena >= 4096 else 1
    rough = max(1.0, arena / unit / 5)
    power = 10 ** math.floor(math.log10(rough))
    step = int(next(m * power for m in (1, 2, 5, 10) if m * power >= rough)) * unit
    return list(range(0, arena + 1, max(1, step)))


def _step_ticks(steps: int) -> list[int]:
    """All steps if there is room, else every 2nd, 5th, 10th and so on, with the caller's two turns."""
    every = next((n for n in (1, 2, 5, 10, 20, 50, 100) if steps / n <= 40), 200)
    return [-1, *(step for step in range(0, steps, every) if step < steps - every / 2 or every == 1), steps]
