# SPDX-License-Identifier: Apache-2.0
"""The report's picture as a PNG: the same geometry as the SVG, drawn with matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from runnel.report.picture import Block, Box, Panel, Picture, Point, make_picture
from runnel.report.plot import literal, new_figure, save_png
from runnel.report.text import input_text, kilobytes
from runnel.report.view import KIND_TEXT, PlanView

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {
    "input": "#17a673", "output": "#e2662f", "activation": "#3b82d6", "held": "#6d4fc4", "ring": "#0e8f9e",
    "columns": "#b3792b", "scratch": "#d99a06",
}  # fmt: skip
"""As in style.css.j2 for light pages."""

_ACCENT, _QUIET, _GRID, _STEP = "#c2316b", "#5d636e", "#e2e3e0", "#aab4c2"
_UNITS_PER_INCH = 100
_HEAD, _GAP = 52, 30


def write_png(views: Sequence[PlanView], path: Path) -> None:
    """Memory over time of one plan, or of several below each other with the same scale. Raises RunnelError."""
    scale = max(view.arena for view in views)
    pictures = [make_picture(view, scale) for view in views]
    width = pictures[0].width
    height = sum(picture.height + _HEAD + _GAP for picture in pictures)
    figure = new_figure(width / _UNITS_PER_INCH, height / _UNITS_PER_INCH)
    below = height
    for view, picture in zip(views, pictures, strict=True):
        below -= picture.height + _HEAD
        axes = figure.add_axes((0, below / height, 1, picture.height / height))
        axes.set_xlim(0, width)
        axes.set_ylim(picture.height, 0)
        axes.axis("off")
        _draw(axes, view, picture)
        below -= _GAP
    save_png(figure, path)


def _draw(axes: Axes, view: PlanView, picture: Picture) -> None:
    head = (
        f"{view.name} for {view.board}: {kilobytes(view.arena)} ({view.arena:,} bytes), {len(view.segments)} segments, "
        f"{input_text(view.input_passes)}, {view.overhead:.1%} of the MACs more than once"
    )
    axes.text(picture.left, -_HEAD + 24, literal(head), fontsize=10, weight="bold", va="center")
    _legend(axes, view, picture)
    _rectangle(axes, picture.peak_x, picture.top, picture.peak_width, picture.panels[-1].y - picture.top, _ACCENT, 0.12)
    for tick in picture.bytes_ticks:
        _line(axes, picture, tick.at, _GRID)
        axes.text(picture.left - 8, tick.at, tick.text, fontsize=7, color=_QUIET, ha="right", va="center")
    for block in picture.blocks:
        _block(axes, block)
    _line(axes, picture, picture.bound_y, _ACCENT, "--", 2)
    at_left = picture.peak_anchor == "start"
    for x, text, side in (
        (picture.right if at_left else picture.left, picture.bound_text, "right" if at_left else "left"),
        (picture.peak_x + (0 if at_left else picture.peak_width), picture.peak_text, "left" if at_left else "right"),
    ):
        axes.text(x, picture.top - 10, text, fontsize=7, color=_ACCENT, weight="bold", ha=side)
    for box in picture.boxes:
        _box(axes, box)
    for panel in picture.panels:
        _panel(axes, picture, panel)
    for tick in picture.step_ticks:
        axes.text(tick.at, picture.panels[-1].y + 14, tick.text, fontsize=7, color=_QUIET, ha="center", va="center")


def _legend(axes: Axes, view: PlanView, picture: Picture) -> None:
    x = float(picture.left)
    used = {row.kind for row in view.buffers}
    for kind, text in KIND_TEXT.items():
        if kind in used:
            _rectangle(axes, x, -12, 11, 11, COLOURS[kind])
            axes.text(x + 16, -6, text, fontsize=7, color=_QUIET, va="center")
            x += 44 + 6.0 * len(text)


def _block(axes: Axes, block: Block) -> None:
    _polygon(axes, block.points, COLOURS[block.kind], 0.3 if block.used else 1.0)
    if block.used:
        _polygon(axes, block.used, COLOURS[block.kind], 1.0)
    if block.label:
        rotation = 90 if block.upright else 0
        axes.text(block.x, block.y, block.label, fontsize=7, color="white", ha="center", va="center", rotation=rotation)


def _box(axes: Axes, box: Box) -> None:
    _rectangle(axes, box.x, box.y, box.width, box.height, COLOURS["ring"] if box.marked else _STEP)
    axes.text(
        box.x + box.width / 2, box.y + box.height / 2, box.label, fontsize=7, color="white", ha="center", va="center"
    )


def _panel(axes: Axes, picture: Picture, panel: Panel) -> None:
    axes.text(picture.left, panel.top - 8, panel.caption, fontsize=7, color=_QUIET)
    for bar in panel.bars:
        _rectangle(axes, bar.x, bar.y, bar.width, bar.height, _ACCENT if bar.peak else _STEP)
        _rectangle(axes, bar.x, bar.y, bar.width, bar.extra, _ACCENT)
    _line(axes, picture, panel.y, _GRID)


def _polygon(axes: Axes, points: Sequence[Point], colour: str, opacity: float) -> None:
    axes.fill(
        [x for x, _ in points], [y for _, y in points], facecolor=colour, alpha=opacity, lw=0.6, edgecolor="white"
    )


def _rectangle(axes: Axes, x: float, y: float, width: float, height: float, colour: str, opacity: float = 1.0) -> None:
    if height:
        axes.fill(
            [x, x + width, x + width, x],
            [y, y, y + height, y + height],
            color=colour,
            alpha=opacity,
            lw=0,
            clip_on=False,
        )


def _line(axes: Axes, picture: Picture, y: float, colour: str, style: str = "-", zorder: float = 0) -> None:
    """zorder: below the blocks unless it is larger than 1."""
    axes.plot([picture.left, picture.right], [y, y], color=colour, linestyle=style, linewidth=0.9, zorder=zorder)
