# SPDX-License-Identifier: Apache-2.0
"""Pixels of int16 columns for each segment of a schedule that is found: as many as fit, small groups cost time."""

from __future__ import annotations

import numpy as np

from runnel.schedule.search_modes import Edges
from runnel.schedule.search_needs import GROUPS
from runnel.schedule.search_paths import Path
from runnel.schedule.search_segments import Choice, with_group

TRIED = (0, 64, 56, 48, 40, 32, 28, 24, 20, 16, 14, 12, 10, 8, 6, 4, 2)
"""From the widest; 0 is a whole row."""


def widest_groups(edges: Edges, path: Path, cap: int) -> tuple[tuple[Choice, int], ...]:
    """Each segment of the path with its bytes, at most `cap` of them."""
    return tuple(_widen(edges, step, cap) for step in path.steps)


def _widen(edges: Edges, step: tuple[int, int, int], cap: int) -> tuple[Choice, int]:
    first, end, number = step
    mode, choice, size = edges.modes[number], edges.choice(*step), int(edges.bytes[step])
    if mode is None or choice.streaming is None:
        return choice, size
    stores, scratch = edges.needs.stores, int(edges.needs.scratch[first, end])
    pixels = stores.columns[first:end, end, mode.count]
    pitches = np.array(stores.pitches[first:end])

    def work(group: int) -> int:
        columns = (pixels if group == 0 else np.minimum(pixels, group)) * pitches
        return max(scratch, int(np.max(columns, initial=0)))

    rest = size - work(GROUPS[mode.group])
    for group in TRIED:
        if rest + work(group) <= max(cap, size):
            return with_group(choice, group if np.any(pixels > group) else 0), rest + work(group)
    return choice, size
