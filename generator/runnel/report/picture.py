# SPDX-License-Identifier: Apache-2.0
"""Geometry of the report's picture: memory over time, the segments, live bytes and MACs below it. See axes.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runnel.report.axes import LEFT, MAP_HEIGHT, MAP_TOP, RIGHT, WIDTH, Axes, byte_ticks, make_axes, step_ticks
from runnel.report.parts import LAYER
from runnel.report.tables import step_text
from runnel.report.text import kilobytes, millions
from runnel.report.view import KIND_TEXT, BufferRow, PlanView, SegmentRow

PANEL_HEIGHT, PANEL_GAP = 64, 34
STRIP_HEIGHT, STRIP_GAP = 20, 26
CHARACTER = 6.4
"""Width of a character of the picture's font, about."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Block:
    """A buffer: its outline, its label if there is room for one, and the text shown on hovering.

    used: outline of the time in which its segment's operators write and read it, where that is not all of its life.
    """

    points: tuple[Point, ...]
    used: tuple[Point, ...]
    kind: str
    title: str
    label: str
    x: float
    y: float
    upright: bool

    @property
    def path(self) -> str:
        return path(self.points)

    @property
    def used_path(self) -> str:
        return path(self.used) if self.used else ""


@dataclass(frozen=True)
class Box:
    """A rectangle with a label and a text shown on hovering; marked ones are drawn in the accent colour."""

    x: float
    y: float
    width: float
    height: float
    title: str
    label: str
    marked: bool


@dataclass(frozen=True)
class Bar:
    """A value in a panel; the upper `extra` of its height is what is computed more than once."""

    x: float
    y: float
    width: float
    height: float
    extra: float
    title: str
    peak: bool


@dataclass(frozen=True)
class Panel:
    """Bars over the same time as the memory map. y is the base line."""

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
    """Everything that the template and the PNG draw."""

    width: int
    height: float
    left: int
    right: float
    top: int
    bottom: float
    blocks: tuple[Block, ...]
    boxes: tuple[Box, ...]
    panels: tuple[Panel, ...]
    bytes_ticks: tuple[Tick, ...]
    step_ticks: tuple[Tick, ...]
    bound_y: float
    bound_text: str
    peak_x: float
    peak_width: float
    peak_text: str
    peak_anchor: str


def make_picture(view: PlanView, scale: int | None = None) -> Picture:
    """The picture of a plan. scale: bytes at the top of the map, so that two pictures can be compared."""
    axes = make_axes(view, scale)
    boxes_top = MAP_TOP + MAP_HEIGHT + STRIP_GAP
    live_top = boxes_top + STRIP_HEIGHT + PANEL_GAP
    macs_top = live_top + PANEL_HEIGHT + PANEL_GAP
    panels = (_live_panel(axes, view, live_top), _macs_panel(axes, view, macs_top))
    taken_over = {name for row in view.buffers for name in (*row.in_place, row.grows_into)}
    return Picture(
        width=WIDTH,
        height=panels[-1].y + 30,
        left=LEFT,
        right=WIDTH - RIGHT,
        top=MAP_TOP,
        bottom=MAP_TOP + MAP_HEIGHT,
        blocks=tuple(_block(axes, view, row, row.name in taken_over) for row in view.buffers),
        boxes=tuple(_box(axes, row, boxes_top) for row in view.segments),
        panels=panels,
        bytes_ticks=tuple(Tick(axes.y(byte), kilobytes(byte)) for byte in byte_ticks(axes.bytes)),
        step_ticks=tuple(Tick(round(axes.middle(s), 2), step_text(s, axes.steps)) for s in step_ticks(axes)),
        bound_y=axes.y(view.bound),
        bound_text=f"lower bound {view.bound:,} B",
        peak_x=axes.x(view.peak),
        peak_width=round(axes.x(view.peak + 1) - axes.x(view.peak), 2),
        peak_text=f"peak: step {step_text(view.peak, axes.steps)}",
        peak_anchor="start" if axes.middle(view.peak) < WIDTH / 2 else "end",
    )


def path(points: Sequence[Point]) -> str:
    """An SVG path through the points and back."""
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points) + "Z"


def _block(axes: Axes, view: PlanView, row: BufferRow, taken_over: bool) -> Block:
    """taken_over: another buffer grows into this one in its last step, so the label keeps clear of that step."""
    left, right, top, bottom = axes.x(row.first), axes.x(row.last + 1), axes.y(row.end), axes.y(row.offset)
    used = _used(axes, view, row)
    grown = min(axes.x(row.first + 1), right) - left if row.in_place or row.grows_into else 0.0
    covered = (axes.x(row.last + 1) - axes.x(row.last)) / 2 if taken_over else 0.0
    clear = (used[0][0], used[2][0]) if used else (left + grown / 2, right - covered)
    label = kilobytes(row.bytes)
    width, height, length = clear[1] - clear[0], bottom - top, CHARACTER * len(label) + 8
    upright = not (width >= length and height >= 13)
    fits = not upright or (height >= length and width >= 13)
    return Block(
        points=_outline(axes, view, row),
        used=used,
        kind=row.kind,
        title=_title(row, axes.steps),
        label=label if fits else "",
        x=round(sum(clear) / 2, 1),
        y=round((top + bottom) / 2, 1),
        upright=upright,
    )


def _outline(axes: Axes, view: PlanView, row: BufferRow) -> tuple[Point, ...]:
    """A rectangle; over a buffer that it takes over it grows along a diagonal while the first step runs."""
    left, right, top, bottom = axes.x(row.first), axes.x(row.last + 1), axes.y(row.end), axes.y(row.offset)
    grown = min(axes.x(row.first + 1), right)
    under = next((other.offset for other in view.buffers if other.name == row.grows_into), None)
    if row.in_place:
        under = row.offset
    if under is None or under >= row.end:
        return ((left, top), (right, top), (right, bottom), (left, bottom))
    return ((left, axes.y(max(row.offset, under))), (grown, top), (right, top), (right, bottom), (left, bottom))


def _used(axes: Axes, view: PlanView, row: BufferRow) -> tuple[Point, ...]:
    """A ring lives as long as its segment runs; it belongs to one operator and those after it that read it."""
    if row.kind not in ("ring", "columns") or not 0 <= row.first < axes.steps or row.first != row.last:
        return ()
    parts = view.segments[row.first].parts
    own = [number for number, part in enumerate(parts) if row.name in part.stores]
    if not own or len(parts) < 2:
        return ()
    readers = [number for number, part in enumerate(parts) if row.name in part.reads]
    left, right = axes.x(row.first, own[0]), axes.x(row.first, max([*readers, own[0]]) + 1)
    top, bottom = axes.y(row.end), axes.y(row.offset)
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def _title(row: BufferRow, steps: int) -> str:
    notes = "".join(f"\n{note}" for note in row.notes)
    return (
        f"{row.name}: {KIND_TEXT[row.kind]}\n{row.contents}\n{row.bytes:,} bytes at {row.offset:,} to {row.end:,}\n"
        f"live from {step_text(row.first, steps)} to {step_text(row.last, steps)}{notes}"
    )


def _box(axes: Axes, row: SegmentRow, top: float) -> Box:
    gap = min(2.0, axes.column / 5)
    left, width = axes.x(row.step) + gap / 2, axes.x(row.step + 1) - axes.x(row.step) - gap
    label = next((text for text in (f"{row.step}: {row.mode}", row.mode) if CHARACTER * len(text) + 6 <= width), "")
    lines = [f"segment {row.step}: {row.runs}", *(f"{p.label} {p.kind} {p.output}  {p.kept_text}" for p in row.parts)]
    title = "\n".join(line.strip() for line in lines)
    return Box(round(left, 2), top, round(width, 2), STRIP_HEIGHT, title, label, row.mode != LAYER)


def _live_panel(axes: Axes, view: PlanView, top: float) -> Panel:
    most = max(view.live, default=0)
    bars = []
    for step, live in enumerate(view.live, start=-1):
        what = view.segments[step].operators if 0 <= step < axes.steps else "the caller's turn"
        title = f"step {step_text(step, axes.steps)}: {what}\n{live:,} bytes live"
        bars.append(
            _bar(axes, (axes.x(step), axes.x(step + 1)), top, (live / max(1, most), 0), title, step == view.peak)
        )
    return Panel(f"live bytes per segment, at most {kilobytes(most)}", top, top + PANEL_HEIGHT, tuple(bars))


def _macs_panel(axes: Axes, view: PlanView, top: float) -> Panel:
    parts = [(row.step, place, part) for row in view.segments for place, part in enumerate(row.parts)]
    most = max((part.macs for _, _, part in parts), default=0)
    bars = []
    for step, place, part in parts:
        again = f", {part.extra:,} of them more than once" if part.extra else ""
        title = f"step {step}: {part.label} {part.kind}\n{part.macs:,} MACs{again}"
        share = (part.macs / max(1, most), part.extra / max(1, most))
        bars.append(_bar(axes, (axes.x(step, place), axes.x(step, place + 1)), top, share, title, False))
    return Panel(f"MACs per operator, at most {millions(most)}", top, top + PANEL_HEIGHT, tuple(bars))


def _bar(axes: Axes, edges: tuple[float, float], top: float, share: tuple[float, float], title: str, peak: bool) -> Bar:
    """share: of the panel's height; all of it and what is extra."""
    height, extra = (round(PANEL_HEIGHT * part, 2) for part in share)
    gap = min(2.0, axes.column / 5)
    return Bar(
        x=round(edges[0] + gap / 2, 2),
        y=round(top + PANEL_HEIGHT - height, 2),
        width=round(edges[1] - edges[0] - gap, 2),
        height=height,
        extra=extra,
        title=title,
        peak=peak,
    )
