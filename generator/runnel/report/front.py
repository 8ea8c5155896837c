# SPDX-License-Identifier: Apache-2.0
"""The Pareto front: schedules of which none beats another in SRAM and in work at once. As table, SVG and PNG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table
from rich.text import Text

from runnel.report.axes import round_numbers
from runnel.report.plot import literal, new_figure, save_png
from runnel.report.tables import table_of
from runnel.report.text import kilobytes, millions

WIDTH, HEIGHT = 1120, 300
_PANEL, _LEFT, _TOP, _BOTTOM = 470, 70, 26, 250
_RIGHT_PANEL = 630

_COLOUR = "#0e8f9e"
_BEST = "better than all with less SRAM"
_OTHERS = "better in the other diagram only"


@dataclass(frozen=True)
class FrontPoint:
    """One schedule. sram: bytes of arena; overhead: MACs computed more than once, as a part of the model's own.

    cycles: predicted for one inference. input_passes: how often the image is read, 0 where it is stored.
    """

    sram: int
    macs: int
    overhead: float
    cycles: int
    segments: int
    input_passes: int


@dataclass(frozen=True)
class Front:
    """The schedules of one model on one board, least SRAM first; at least one."""

    name: str
    board: str
    points: tuple[FrontPoint, ...]


@dataclass(frozen=True)
class Dot:
    """A point in a panel; y grows downwards."""

    x: float
    y: float
    title: str


@dataclass(frozen=True)
class Mark:
    """A place on an axis and what is written there."""

    at: float
    text: str


@dataclass(frozen=True)
class FrontPanel:
    """One diagram: SRAM to the right, work upwards. line: SVG path, a step at every best point yet."""

    caption: str
    left: float
    right: float
    top: float
    bottom: float
    line: str
    dots: tuple[Dot, ...]
    x_marks: tuple[Mark, ...]
    y_marks: tuple[Mark, ...]


@dataclass(frozen=True)
class FrontPicture:
    """Both diagrams: MACs and predicted cycles over SRAM."""

    width: int
    height: int
    panels: tuple[FrontPanel, ...]


def front_table(front: Front) -> Table:
    """A line for each schedule."""
    title = f"{front.name} for {front.board}: what can be chosen"
    table = table_of(title, (), ("SRAM", "bytes", "MACs", "computed again", "predicted cycles", "segments", "passes"))
    for point in front.points:
        cells = [kilobytes(point.sram), f"{point.sram:,}", f"{point.macs:,}", f"{point.overhead:.1%}"]
        cells += [f"{point.cycles:,}", str(point.segments), str(point.input_passes or "stored")]
        table.add_row(*(Text(cell) for cell in cells))
    return table


def front_hint(pulled: bool, passes: int) -> str:
    """How to get the schedule of a line, and whether other options would give more lines."""
    options = "--input pulled " * pulled + "--objective latency --sram BYTES"
    text = (
        f'To take a line: {options} --max-overhead PERCENT (its "computed again", rounded up)'
        + " --input-passes N" * (pulled and passes > 1)
    )
    if pulled and passes == 1:
        text += "\nThe input is read once here; with --input-passes 4 there may be more lines, with less SRAM."
    return text


def make_front_picture(front: Front) -> FrontPicture:
    """Geometry of the two diagrams."""
    macs = _panel(front, _LEFT, "MACs computed again, % over SRAM", [100 * p.overhead for p in front.points], "%")
    millions_of = [p.cycles / 1e6 for p in front.points]
    cycles = _panel(front, _RIGHT_PANEL, "predicted cycles, M over SRAM", millions_of, " M")
    return FrontPicture(WIDTH, HEIGHT, (macs, cycles))


def _panel(front: Front, left: float, caption: str, values: Sequence[float], unit: str) -> FrontPanel:
    sizes = [point.sram for point in front.points]
    least, most = 0.93 * min(sizes), 1.08 * max(sizes)

    def x(sram: float) -> float:
        return round(left + _PANEL * math.log(sram / least) / math.log(most / least), 1)

    highest = max(max(values) * 1.08, 1.0)
    places = [
        (x(p.sram), round(_BOTTOM - (_BOTTOM - _TOP) * value / highest, 1))
        for p, value in zip(front.points, values, strict=True)
    ]
    best = [place for number, place in enumerate(places) if all(place[1] > other[1] for other in places[:number])]
    line = "".join(f"H{x:g}V{y:g}" for x, y in best[1:])
    return FrontPanel(
        caption=caption,
        left=left,
        right=left + _PANEL,
        top=_TOP,
        bottom=_BOTTOM,
        line=f"M{best[0][0]:g} {best[0][1]:g}{line}",
        dots=tuple(Dot(x, y, point_text(p)) for (x, y), p in zip(places, front.points, strict=True)),
        x_marks=tuple(Mark(x(1024 * n), f"{n:g} kB") for n in sram_ticks(least / 1024, most / 1024)),
        y_marks=tuple(
            Mark(round(_BOTTOM - (_BOTTOM - _TOP) * n / highest, 1), f"{n}{unit}") for n in round_numbers(highest)
        ),
    )


def sram_ticks(least: float, most: float) -> list[float]:
    """Round numbers of kB for a logarithmic axis, several of them however short it is."""
    if most / least < 4:
        rough = (most - least) / 4
        power = 10.0 ** math.floor(math.log10(rough))
        step = power * max(m for m in (1, 2, 5) if m * power <= rough)
        return [round(n * step, 6) for n in range(math.ceil(least / step), math.floor(most / step) + 1)]
    steps = (1, 1.5, 2, 3, 5, 7) if most / least < 20 else (1, 3)
    numbers = [step * 10.0**power for power in range(-2, 6) for step in steps]
    return [number for number in numbers if least <= number <= most]


def point_text(point: FrontPoint) -> str:
    """Everything about a schedule, for hovering."""
    passes = "input stored" if point.input_passes == 0 else f"input read {point.input_passes} times"
    return (
        f"{point.sram:,} bytes\n{point.macs:,} MACs, {point.overhead:.1%} of them more than once\n"
        f"{millions(point.cycles)} cycles predicted\n{point.segments} segments, {passes}"
    )


def write_front_png(front: Front, path: Path) -> None:
    """Both diagrams as a PNG file. Raises RunnelError where matplotlib is missing or the file cannot be written."""
    figure = new_figure(11.0, 4.2)
    sram = [point.sram / 1024 for point in front.points]
    columns = (
        ("MACs computed more than once, %", [100 * point.overhead for point in front.points]),
        ("predicted cycles, millions", [point.cycles / 1e6 for point in front.points]),
    )
    for number, (caption, values) in enumerate(columns, start=1):
        axes = figure.add_subplot(1, 2, number)
        least = [min(values[: place + 1]) for place in range(len(values))]
        best = [place for place, value in enumerate(values) if value < min(values[:place], default=math.inf)]
        others = [place for place in range(len(values)) if place not in best]
        axes.step(sram, least, where="post", color=_COLOUR)
        axes.plot([sram[n] for n in best], [values[n] for n in best], "o", color=_COLOUR, markersize=4, label=_BEST)
        if others:
            x, y = [sram[n] for n in others], [values[n] for n in others]
            axes.plot(x, y, "o", markerfacecolor="white", color=_COLOUR, markersize=4, label=_OTHERS)
        axes.legend(fontsize="small")
        axes.set_xlabel("SRAM (arena), kB")
        axes.set_ylabel(caption)
        axes.set_xscale("log")
        ticks = sram_ticks(0.93 * min(sram), 1.08 * max(sram))
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
        top = max(1.0, 1.08 * max(values))
        axes.set_ylim(-0.03 * top, top)  # so that dots at 0 are whole
        axes.grid(alpha=0.3)
    figure.suptitle(literal(f"{front.name} for {front.board}"))
    figure.tight_layout()
    save_png(figure, path)
