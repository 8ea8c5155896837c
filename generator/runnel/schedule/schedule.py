# SPDX-License-Identifier: Apache-2.0
"""Schedule: where the network is cut into segments and how each segment runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from runnel.graph import Graph, Operator

Objective = Literal["sram", "latency", "flash"]


@dataclass(frozen=True)
class Streaming:
    """How a segment runs by rows.

    strips: vertical bands that the columns of the output are divided into, each run from top to bottom.
    bands: the same for rows; strips x bands are MCUNetV2's patches.
    group: pixels of the int16 columns between a depthwise convolution and the 1x1 after it; 0: a whole row.
    pulled: the graph's input is not stored, rows of it are asked for when they are needed.
    grows_into: the input (tensor number) whose consumed rows the output takes over (rolling overlap). With several
    strips the columns of halo that the next strip needs are saved before they are overwritten.
    """

    strips: int = 1
    bands: int = 1
    group: int = 0
    pulled: bool = False
    grows_into: int | None = None


@dataclass(frozen=True, eq=False)
class Segment:
    """Operators that are executed together; only `inputs` and `outputs` (tensor numbers) are whole tensors.

    streaming: None for a single operator that runs on whole tensors. A pulled input is not among `inputs`.
    """

    name: str
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    streaming: Streaming | None = None


@dataclass(frozen=True, eq=False)
class Schedule:
    """Segments in execution order over a graph.

    predicted_bytes: what the scheduler says the arena will be, None where nothing was searched.
    """

    graph: Graph
    segments: tuple[Segment, ...]
    objective: Objective = "sram"
    predicted_bytes: int | None = None

    @property
    def input_passes(self) -> int:
        """How often the caller is asked for all rows of the input: 0 where it is stored before the run."""
        pulled = [s.streaming for s in self.segments if s.streaming is not None and s.streaming.pulled]
        return max((s.strips * s.bands for s in pulled), default=0)
