# SPDX-License-Identifier: Apache-2.0
"""Shortest paths over cuts: the least peak, and the least cost under a cap on bytes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from runnel.schedule.search_modes import Edges
from runnel.schedule.search_network import Integers
from runnel.schedule.search_overlap import NEVER


@dataclass(frozen=True)
class Path:
    """steps: (first place, end, mode) of each segment; and their sums, bytes as the largest."""

    steps: tuple[tuple[int, int, int], ...]
    bytes: int
    cycles: float
    macs: int


def least_peak(edges: Edges, most_macs: int) -> int:
    """The least bytes that a schedule within `most_macs` needs; NEVER where there is none."""
    if most_macs <= edges.nominal:
        return _bottleneck(np.where(_is_free(edges), edges.bytes, NEVER).min(axis=2))
    sizes = np.unique(edges.bytes[edges.bytes < NEVER])
    low, high = int(np.searchsorted(sizes, _bottleneck(edges.bytes.min(axis=2)))), len(sizes)
    while low < high:
        middle = (low + high) // 2
        path = cheapest(edges, int(sizes[middle]), most_macs, cycles_count=False)
        if path is not None:
            high = middle
        else:
            low = middle + 1
    return int(sizes[low]) if low < len(sizes) else NEVER


def _is_free(edges: Edges) -> npt.NDArray[np.bool_]:
    """Where nothing is computed twice."""
    own = np.cumsum([0, *(place.macs for place in edges.needs.network.places)])
    return np.asarray(edges.macs <= (own[None, :] - own[:-1, None])[:, :, None])


def _bottleneck(sizes: Integers) -> int:
    """sizes: [first place, end]. The path whose largest segment is least."""
    count = len(sizes)
    reached = np.full(count + 1, NEVER)
    reached[0] = 0
    for end in range(1, count + 1):
        reached[end] = np.min(np.maximum(reached[:end], sizes[:end, end]))
    return int(reached[count])


def cheapest(edges: Edges, cap: int, most_macs: int, cycles_count: bool = True) -> Path | None:
    """The path of least instructions (else least multiply-accumulates) of segments that need at most `cap` bytes.

    None where there is none within `most_macs`.
    """
    fits = edges.bytes <= cap
    if most_macs <= edges.nominal:
        return _shortest(edges, np.where(fits & _is_free(edges), edges.cycles, np.inf))
    cycles, macs = np.where(fits, edges.cycles, np.inf), np.where(fits, edges.macs, np.inf)
    if cycles_count:
        path = _shortest(edges, cycles)
        if path is None or path.macs <= most_macs:
            return path
    best = _shortest(edges, macs)
    if best is None or best.macs > most_macs or not cycles_count:
        return best if best is not None and best.macs <= most_macs else None
    return _balanced(edges, cycles, macs, most_macs, best)


def _balanced(
    edges: Edges, cycles: npt.NDArray[np.float64], macs: npt.NDArray[np.float64], most_macs: int, best: Path
) -> Path:
    """Between least instructions and least multiply-accumulates: a price for these that keeps within `most_macs`."""
    low, high = 0.0, 1e6
    for _ in range(24):
        price = (low * high) ** 0.5 if low else high / 1024
        path = _shortest(edges, cycles + price * macs)
        if path is not None and path.macs <= most_macs:
            high = price
            best = min(best, path, key=lambda p: p.cycles)
        else:
            low = max(price, 1e-6)
        if high / max(low, 1e-6) < 1.01:
            break
    return best


def _shortest(edges: Edges, costs: npt.NDArray[np.float64]) -> Path | None:
    mode = costs.argmin(axis=2)
    least = np.take_along_axis(costs, mode[:, :, None], axis=2)[:, :, 0]
    count = edges.count
    reached = np.full(count + 1, np.inf)
    reached[0] = 0.0
    came = np.zeros(count + 1, np.int64)
    for end in range(1, count + 1):
        sums = reached[:end] + least[:end, end]
        came[end] = sums.argmin()
        reached[end] = sums[came[end]]
    if not np.isfinite(reached[count]):
        return None
    steps: list[tuple[int, int, int]] = []
    end = count
    while end:
        first = int(came[end])
        steps.append((first, end, int(mode[first, end])))
        end = first
    return make_path(edges, tuple(reversed(steps)))


def make_path(edges: Edges, steps: tuple[tuple[int, int, int], ...]) -> Path:
    return Path(
        steps,
        bytes=max((int(edges.bytes[step]) for step in steps), default=0),
        cycles=sum(float(edges.cycles[step]) for step in steps),
        macs=sum(int(edges.macs[step]) for step in steps),
    )
