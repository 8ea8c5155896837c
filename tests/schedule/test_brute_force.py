# SPDX-License-Identifier: Apache-2.0
"""The scheduler's least SRAM equals brute force over all cuts and modes on small random networks."""

from __future__ import annotations

import os

import pytest

from runnel.graph import Graph
from runnel.operators import operator_type
from runnel.operators.base import Target
from runnel.plan.buffers import make_buffers
from runnel.plan.lower_bound import lower_bound
from runnel.schedule.search import STRIPS, Request, find_schedule
from schedule.brute_force import best_bytes
from schedule.random_networks import ANY, CHAIN, random_network

SAMPLE, FULL, BATCH = 30, 200, 10
NETWORKS = FULL if os.environ.get("RUNNEL_FULL") == "1" else SAMPLE


def nominal_macs(graph: Graph) -> int:
    return sum(operator_type(o.kind).macs(graph, o) for o in graph.operators)


def request_of(number: int, target: Target) -> Request:
    """Every third network may recompute; every other one pulls its input, some of these in several passes."""
    overhead = (0.0, 0.0, 0.25)[number % 3]
    return Request(pulled=number % 2 == 1, max_overhead=overhead, input_passes=1 + number % 4, target=target)


@pytest.mark.parametrize("batch", range(NETWORKS // BATCH))
def test_equals_brute_force(batch: int, seed: int) -> None:
    pulled_ones = 0
    for number in range(batch * BATCH, (batch + 1) * BATCH):
        blocks = CHAIN if number % 2 else ANY
        graph = random_network(seed + number, blocks, 4 + number % 4, side=10)
        target = Target(dsp=number % 5 < 3)
        request = request_of(number, target)
        schedule = find_schedule(graph, request)
        pulled = schedule.input_passes > 0
        pulled_ones += pulled
        strips = [n for n in STRIPS if request.max_overhead > 0] or [1]
        most = int(nominal_macs(graph) * (1 + request.max_overhead))
        passes = request.input_passes if pulled else max(strips)
        best = best_bytes(graph, target, pulled, strips, most, passes)
        assert schedule.predicted_bytes == best, f"network {seed + number}"
        assert lower_bound(make_buffers(schedule, target)) == best, f"network {seed + number}"
    assert pulled_ones >= 2
