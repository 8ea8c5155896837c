# SPDX-License-Identifier: Apache-2.0
"""Schedules of the zoo: predicted bytes are those of the buffers, bars of SRAM; objectives, budgets, the front."""

from __future__ import annotations

import time

import pytest

from bars import BARS
from runnel import zoo
from runnel.operators import operator_type
from runnel.operators.base import Target
from runnel.plan.buffers import make_buffers, segment_rows
from runnel.plan.lower_bound import lower_bound
from runnel.plan.planner import streamed_macs
from runnel.schedule.schedule import Schedule
from runnel.schedule.search import Request, find_schedule, least_bytes
from runnel.schedule.search_front import pareto
from schedule.random_networks import ANY, random_network

KB = 1024
DSP = Target(dsp=True)


def overhead(schedule: Schedule) -> float:
    """What the geometry says is computed again."""
    graph = schedule.graph
    nominal = sum(operator_type(o.kind).macs(graph, o) for o in graph.operators)
    streamed = [rows for rows in segment_rows(schedule) if rows is not None]
    own = sum(operator_type(o.kind).macs(graph, o) for rows in streamed for o in rows.segment.operators)
    return (sum(streamed_macs(graph, rows) for rows in streamed) - own) / nominal


def covers_all(schedule: Schedule) -> bool:
    return tuple(o for segment in schedule.segments for o in segment.operators) == schedule.graph.operators


@pytest.mark.parametrize("name", zoo.names())
@pytest.mark.parametrize("pulled", [True, False])
def test_zoo_within_bars_and_as_predicted(name: str, pulled: bool) -> None:
    graph = zoo.network(name)
    schedule = find_schedule(graph, Request(pulled=pulled, target=DSP))
    assert covers_all(schedule)
    assert schedule.input_passes == int(pulled)
    assert schedule.predicted_bytes == lower_bound(make_buffers(schedule, DSP))
    assert overhead(schedule) == 0
    if name in BARS:
        assert schedule.predicted_bytes <= BARS[name][0 if pulled else 1] * KB


@pytest.mark.parametrize(
    ("name", "bar", "extra", "passes"),
    [
        ("mcunet-vww2", 32, 0.10, 1),
        ("mcunet-vww1", 14, 0.10, 2),
        ("mbv2-w0.35", 27, 0.0, 1),
        ("mbv2-w0.35", 20, 0.20, 8),
    ],
)
def test_recomputation_saves_more(name: str, bar: int, extra: float, passes: int) -> None:
    request = Request(pulled=True, max_overhead=extra, input_passes=passes, target=DSP)
    schedule = find_schedule(zoo.network(name), request)
    assert schedule.predicted_bytes == lower_bound(make_buffers(schedule, DSP))
    assert schedule.predicted_bytes <= bar * KB
    assert 0 <= overhead(schedule) <= extra
    assert schedule.input_passes <= passes


def test_latency_takes_the_budget_that_it_is_given() -> None:
    graph = zoo.network("mcunet-vww1")
    least = find_schedule(graph, Request(pulled=True, target=DSP)).predicted_bytes
    assert least is not None
    roomy = find_schedule(graph, Request("latency", 2 * least, pulled=True, target=DSP))
    assert roomy.predicted_bytes is not None
    assert least < roomy.predicted_bytes <= 2 * least
    tight = find_schedule(graph, Request("latency", least // 2, pulled=True, target=DSP))
    assert tight.predicted_bytes == least  # nothing fits: the caller is told how much it takes at least


def test_flash_and_layers_only_run_layer_by_layer() -> None:
    graph = zoo.network("mcunet-in0")
    for request in (Request("flash", target=DSP), Request(layers_only=True, pulled=True, target=DSP)):
        schedule = find_schedule(graph, request)
        assert len(schedule.segments) == len(graph.operators)
        assert all(segment.streaming is None for segment in schedule.segments)
        assert schedule.predicted_bytes == lower_bound(make_buffers(schedule, DSP))


def test_flash_streams_where_whole_tensors_do_not_fit() -> None:
    graph = zoo.network("mcunet-in0")
    budget = 20 * KB
    schedule = find_schedule(graph, Request("flash", sram=budget, target=DSP))
    assert schedule.objective == "flash"
    assert schedule.predicted_bytes is not None
    assert schedule.predicted_bytes <= budget


def test_predicted_bytes_of_random_graphs(seed: int) -> None:
    for number in range(seed, seed + 40):
        graph = random_network(number, ANY, 14)
        for pulled in (False, True):
            schedule = find_schedule(graph, Request(pulled=pulled, max_overhead=0.2 * (number % 2), target=DSP))
            assert covers_all(schedule)
            assert schedule.predicted_bytes == lower_bound(make_buffers(schedule, DSP)), number


@pytest.mark.parametrize("name", ["mcunet-vww2", "mbv2-w0.35"])
def test_front(name: str) -> None:
    graph = zoo.network(name)
    request = Request(pulled=True, max_overhead=0.5, target=DSP)
    front = pareto(graph, request)
    assert front[0].predicted_bytes == least_bytes(graph, request)
    assert any(one.overhead == 0 for one in front)
    for one, other in ((a, b) for a in front for b in front if a is not b):
        worse = (one.predicted_bytes, one.overhead, one.cycles), (other.predicted_bytes, other.overhead, other.cycles)
        assert not all(x <= y for x, y in zip(*worse, strict=True))
    for one in front[:: max(1, len(front) // 6)]:
        assert one.predicted_bytes == lower_bound(make_buffers(one.schedule, DSP))
        assert one.overhead == pytest.approx(overhead(one.schedule))


def test_times() -> None:
    """Bars: one objective at most 1 s, the whole front at most 10 s of one core."""
    graph = zoo.network("mcunet-in4")
    for request, bar in ((Request(pulled=True, target=DSP), 1.0), (Request(max_overhead=0.1, target=DSP), 1.0)):
        before = time.process_time()
        find_schedule(graph, request)
        assert time.process_time() - before <= bar
    before = time.process_time()
    pareto(graph, Request(pulled=True, max_overhead=1.0, target=DSP))
    assert time.process_time() - before <= 10.0
