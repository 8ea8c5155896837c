# SPDX-License-Identifier: Apache-2.0
"""The scheduler's arithmetic on all segments at once equals the geometry of each segment, byte for byte."""

from __future__ import annotations

import os
import random

import pytest

from runnel import zoo
from runnel.graph import Graph
from runnel.operators.base import Target
from runnel.schedule.schedule import Streaming
from runnel.schedule.search_areas import Strips
from runnel.schedule.search_needs import GROUPS, Needs, can_pull, count_needs
from runnel.schedule.search_network import read_network
from runnel.schedule.search_overlap import NEVER
from runnel.schedule.search_segments import Choice, exact_bytes
from schedule.random_networks import ANY, CHAIN, random_network

STRIPS = Strips((1, 2, 3, 5))
FULL = os.environ.get("RUNNEL_FULL") == "1"
NETWORKS, BATCH, SEGMENTS = (400 if FULL else 60), 20, 60


def differences(needs: Needs, decide: random.Random, segments: int) -> tuple[list[str], int]:
    """What differs in so many random segments, each in all modes; and how many modes were compared."""
    network = needs.network
    last = network.activations[network.graph.inputs[0]].last
    found, compared = [], 0
    for _ in range(segments):
        first = decide.randrange(network.count)
        end = decide.randint(first + 1, network.count)
        if needs.pulled and (0 < first <= last or (first == 0 and end <= last)):
            continue  # readers of a pulled input are in one segment
        k, group = decide.randrange(len(STRIPS.counts)), decide.randrange(len(GROUPS))
        for grown in (False, True):
            into = int(needs.grows_into[first, end, k]) if grown else None
            if into == -1:
                continue
            streaming = Streaming(STRIPS.counts[k], 1, GROUPS[group], needs.pulled and first == 0, into)
            choice = Choice(first, end, streaming)
            said = int((needs.grown if grown else needs.plain)[first, end, k])
            said += int(needs.work[group, first, end, k]) if said < NEVER else 0
            try:
                exact = exact_bytes(network, choice)
            except ValueError:
                exact = NEVER
            compared += 1
            if said != exact and (needs.certain[first, end] or said > exact):
                found.append(f"{choice}: {said}, exactly {exact}")
    return found, compared


@pytest.mark.parametrize("batch", range(NETWORKS // BATCH))
def test_equals_exact_geometry_on_random_networks(batch: int, seed: int) -> None:
    total = 0
    for number in range(seed + batch * BATCH, seed + (batch + 1) * BATCH):
        graph = random_network(number, CHAIN if number % 2 else ANY, 12)
        network = read_network(graph, Target(dsp=number % 3 > 0))
        for pulled in (False, True) if can_pull(network) else (False,):
            found, compared = differences(count_needs(network, STRIPS, pulled), random.Random(number), SEGMENTS)
            assert not found, f"network {number}, pulled {pulled}: {found[:3]}"
            total += compared
    assert total > 1000


@pytest.mark.parametrize("name", zoo.names())
def test_equals_exact_geometry_on_the_zoo(name: str, seed: int) -> None:
    graph: Graph = zoo.network(name)
    network = read_network(graph, Target(dsp=True))
    for pulled in (False, True):
        decide = random.Random(seed)
        found, compared = differences(count_needs(network, STRIPS, pulled), decide, 300 if FULL else 12)
        assert not found, found[:3]
        assert compared > 4
