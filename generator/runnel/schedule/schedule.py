# SPDX-License-Identifier: Apache-2.0
"""Schedule: where the network is cut into segments and how each segment runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from runnel.graph import Graph, Operator

Objective = Literal["sram", "latency", "flash"]


@dataclass(frozen=True, eq=False)
class Segment:
    """Operators that are executed together; only `inputs` and `outputs` (tensor numbers) are whole tensors."""

    name: str
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Schedule:
    """Segments in execution order over a graph."""

    graph: Graph
    segments: tuple[Segment, ...]
    objective: Objective = "sram"
