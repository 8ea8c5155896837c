# SPDX-License-Identifier: Apache-2.0
"""fits() says what the scheduler would find, in a few milliseconds."""

from __future__ import annotations

import os
import time

import pytest

from runnel import zoo
from runnel.operators.base import Target
from runnel.schedule.fits import fits
from runnel.schedule.search import Request, least_bytes
from schedule.random_networks import ANY, CHAIN, random_network

DSP = Target(dsp=True)
NETWORKS = 200 if os.environ.get("RUNNEL_FULL") == "1" else 40


@pytest.mark.parametrize("name", zoo.names())
@pytest.mark.parametrize("pulled", [True, False])
def test_agrees_with_the_scheduler_on_the_zoo(name: str, pulled: bool) -> None:
    graph = zoo.network(name)
    least = least_bytes(graph, Request(pulled=pulled, target=DSP))
    for budget in (least, least + 1000, 2 * least):
        assert fits(graph, DSP, budget, pulled)
    for budget in (least - 1, least // 2):
        assert not fits(graph, DSP, budget, pulled)


def test_agrees_with_the_scheduler_on_random_networks(seed: int) -> None:
    for number in range(seed, seed + NETWORKS):
        graph = random_network(number, CHAIN if number % 2 else ANY, 12)
        target = Target(dsp=number % 3 > 0)
        for pulled in (False, True):
            extra = 0.3 * (number % 5 == 0)
            least = least_bytes(graph, Request(pulled=pulled, max_overhead=extra, target=target))
            assert fits(graph, target, least, pulled, max_overhead=extra), number
            assert not fits(graph, target, least - 1, pulled, max_overhead=extra), number


def test_recomputation_and_passes_count() -> None:
    graph = zoo.network("mbv2-w0.35")
    assert not fits(graph, DSP, 20 * 1024)
    assert not fits(graph, DSP, 20 * 1024, max_overhead=0.2)
    assert fits(graph, DSP, 20 * 1024, input_passes=8, max_overhead=0.2)


def test_time() -> None:
    """Bar: at most 5 ms on average for networks of about 60 operators, on one core."""
    networks = [zoo.network(name) for name in zoo.names()]
    assert sum(len(graph.operators) for graph in networks) / len(networks) > 60
    least = [least_bytes(graph, Request(pulled=True, target=DSP)) for graph in networks]
    calls = 0
    before = time.process_time()
    for graph, bytes_needed in zip(networks, least, strict=True):
        for budget in (bytes_needed // 2, bytes_needed - 1, bytes_needed, 2 * bytes_needed):
            fits(graph, DSP, budget)
            calls += 1
    assert (time.process_time() - before) / calls <= 0.005
