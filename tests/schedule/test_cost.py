# SPDX-License-Identifier: Apache-2.0
"""Predicted instructions: what they must get right to choose between schedules of equal bytes."""

from __future__ import annotations

import numpy as np
import pytest

from runnel import zoo
from runnel.operators.base import Target
from runnel.schedule.cost import STREAMED, kernel_cycles, layer_cycles, streamed_cycles
from runnel.schedule.search import Request, find_schedule
from runnel.schedule.search_areas import Strips
from runnel.schedule.search_front import pareto
from runnel.schedule.search_needs import count_needs
from runnel.schedule.search_network import read_network

DSP = Target(dsp=True)


def test_an_odd_pixel_costs_nearly_a_pair() -> None:
    five, six, four = (float(kernel_cycles(STREAMED["pointwise"], 16, 48, 48, np.array(n))) for n in (5, 6, 4))
    assert four < five < six
    assert six - five < (six - four) / 4


@pytest.mark.parametrize("name", zoo.names())
def test_small_groups_cost_more(name: str) -> None:
    network = read_network(zoo.network(name), DSP)
    needs = count_needs(network, Strips((1,)), pulled=True)
    whole, eight, two = (
        float(streamed_cycles(network, needs.areas, needs.strips, group)[:40, 40].sum()) for group in (0, 8, 2)
    )
    assert whole < eight < two


MEASURED = {"mcunet-vww0": (13.2, 15.1), "mcunet-in1": (25.3, 31.3), "mbv2-w0.35": (54.9, 61.2)}
"""Million instructions on qemu-m7, least SRAM with the input pulled and layer by layer, of 20 November 2026."""


@pytest.mark.parametrize("name", MEASURED)
def test_near_what_was_measured(name: str) -> None:
    graph = zoo.network(name)
    network = read_network(graph, DSP)
    layers = sum(layer_cycles(network, place) for place in range(network.count))
    front = pareto(graph, Request(pulled=True, target=DSP))
    streamed, whole = MEASURED[name]
    assert layers / 1e6 == pytest.approx(whole, rel=0.1)
    assert front[0].cycles / 1e6 == pytest.approx(streamed, rel=0.1)


def test_groups_are_as_wide_as_the_peak_allows() -> None:
    schedule = find_schedule(zoo.network("mcunet-vww2"), Request(pulled=True, target=DSP))
    groups = [s.streaming.group for s in schedule.segments if s.streaming is not None]
    assert groups.count(0) > len(groups) / 2
