# SPDX-License-Identifier: Apache-2.0
"""Where a step, a byte and an operator lie in the report's picture. Lengths are SVG user units."""

from __future__ import annotations

import math
from dataclasses import dataclass

from runnel.report.view import PlanView

WIDTH, LEFT, RIGHT = 1120, 58, 12
MAP_TOP, MAP_HEIGHT = 30, 330


@dataclass(frozen=True)
class Axes:
    """x is time: one column for the caller's filling, one for each operator, one for the reading. y is the arena.

    starts[n]: columns before step n - 1; the last entry is the end.
    """

    starts: tuple[int, ...]
    bytes: int

    @property
    def steps(self) -> int:
        return len(self.starts) - 3

    @property
    def column(self) -> float:
        return (WIDTH - LEFT - RIGHT) / self.starts[-1]

    def x(self, step: int, part: float = 0) -> float:
        """Left edge of a step, or of one of its parts."""
        return round(LEFT + (self.starts[step + 1] + part) * self.column, 2)

    def middle(self, step: int) -> float:
        return (self.x(step) + self.x(step + 1)) / 2

    def y(self, byte: float) -> float:
        return round(MAP_TOP + MAP_HEIGHT * (1 - byte / max(1, self.bytes)), 2)


def make_axes(view: PlanView, scale: int | None = None) -> Axes:
    """scale: bytes at the top, the arena's where None."""
    starts = [0, 1]
    for row in view.segments:
        starts.append(starts[-1] + max(1, len(row.parts)))
    return Axes((*starts, starts[-1] + 1), view.arena if scale is None else scale)


def byte_ticks(size: int) -> list[int]:
    """Round numbers of bytes, four to eight of them."""
    unit = 1024 if size >= 4096 else 1
    return [tick * unit for tick in round_numbers(size / unit)]


def round_numbers(most: float) -> list[int]:
    """0 and whole multiples of 1, 2 or 5 times a power of ten up to `most`."""
    rough = max(1.0, most / 5)
    power = 10 ** math.floor(math.log10(rough))
    step = int(next(m * power for m in (1, 2, 5, 10) if m * power >= rough))
    return list(range(0, int(most) + 1, max(1, step)))


def step_ticks(axes: Axes) -> list[int]:
    """All steps that have room for their number, with the caller's two turns."""
    ticks, free = [-1], axes.middle(-1) + 24
    for step in range(axes.steps):
        if axes.middle(step) >= free and axes.middle(step) <= axes.middle(axes.steps) - 24:
            ticks.append(step)
            free = axes.middle(step) + 22
    return [*ticks, axes.steps]
