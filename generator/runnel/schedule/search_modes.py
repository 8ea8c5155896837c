# SPDX-License-Identifier: Apache-2.0
"""All segments in all modes, as the edges of a graph over cuts: bytes, instructions and multiply-accumulates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from runnel.schedule.cost import Cycles, layer_cycles, streamed_cycles
from runnel.schedule.schedule import Streaming
from runnel.schedule.search_needs import GROUPS, Needs
from runnel.schedule.search_network import Integers
from runnel.schedule.search_overlap import NEVER
from runnel.schedule.search_segments import Choice

LAYER = 0
"""The mode of one operator on whole tensors."""


@dataclass(frozen=True)
class Mode:
    """What the third axis of `Edges` numbers. grown: with rolling overlap; group, count: numbers in their lists."""

    grown: bool
    group: int
    count: int


@dataclass(frozen=True, eq=False)
class Edges:
    """[first place, end, mode]. bytes are NEVER where a segment cannot run so; `bytes` may be corrected."""

    needs: Needs
    modes: tuple[Mode | None, ...]
    bytes: Integers
    cycles: Cycles
    macs: Integers

    @property
    def count(self) -> int:
        return len(self.bytes)

    @property
    def nominal(self) -> int:
        """Multiply-accumulates of the network without any recomputation."""
        return sum(place.macs for place in self.needs.network.places)

    def choice(self, first: int, end: int, number: int) -> Choice:
        mode = self.modes[number]
        if mode is None:
            return Choice(first, end)
        into = int(self.needs.grows_into[first, end, mode.count]) if mode.grown else None
        return Choice(
            first,
            end,
            Streaming(
                strips=self.needs.strips.counts[mode.count],
                group=GROUPS[mode.group],
                pulled=self.needs.pulled and first == 0,
                grows_into=into,
            ),
        )


def make_edges(needs: Needs, input_passes: int, layers_only: bool = False) -> Edges:
    """Every segment in every mode. input_passes: strips that a segment with a pulled input may have."""
    count, counts = needs.network.count, range(len(needs.strips.counts))
    modes: list[Mode | None] = [None]
    sizes = [_layer_bytes(needs)]
    cycles = [_diagonal(count, [layer_cycles(needs.network, place) for place in range(count)])]
    work = [_diagonal(count, [place.macs for place in needs.network.places]).astype(np.int64)]
    for group in range(0 if layers_only else len(GROUPS)):
        cost = _streamed_cost(needs, GROUPS[group])
        for grown in (False, True):
            base = needs.grown if grown else needs.plain
            for k in counts:
                modes.append(Mode(grown, group, k))
                need = np.where(base[:, :, k] < NEVER, base[:, :, k] + needs.work[group, :, :, k], NEVER)
                if needs.pulled and needs.strips.counts[k] > input_passes:
                    need[0] = NEVER
                sizes.append(need)
                cycles.append(cost[:, :, k])
                work.append(needs.macs[:, :, k])
    return Edges(needs, tuple(modes), np.stack(sizes, axis=2), np.stack(cycles, axis=2), np.stack(work, axis=2))


def _streamed_cost(needs: Needs, group: int) -> Cycles:
    each = streamed_cycles(needs.network, needs.areas, needs.strips, group)
    return np.asarray(np.cumsum(each[::-1], axis=0)[::-1])


def _layer_bytes(needs: Needs) -> Integers:
    found = np.full((needs.network.count, needs.network.count + 1), NEVER)
    places = np.arange(needs.network.count)
    found[places, places + 1] = needs.layer
    return found


def _diagonal(count: int, values: Sequence[float]) -> npt.NDArray[np.float64]:
    """[first place, end] with the values where a segment is one operator."""
    found = np.zeros((count, count + 1))
    places = np.arange(count)
    found[places, places + 1] = values
    return found
