# SPDX-License-Identifier: Apache-2.0
"""Why the scheduler leaves out bands of rows: they keep the same rings as the strips alone, and recompute more."""

from __future__ import annotations

import random

from runnel.operators.base import Target
from runnel.plan.planner import streamed_macs
from runnel.schedule.rows import SegmentRows
from runnel.schedule.schedule import Streaming
from runnel.schedule.search_network import read_network
from runnel.schedule.search_segments import Choice, make_segment
from runnel.schedule.streams import build_rows
from schedule.random_networks import ANY, CHAIN, random_network


def store_bytes(rows: SegmentRows) -> int:
    return sum(store.bytes for store in rows.stores)


def test_bands_keep_the_same_rings_and_recompute_more(seed: int) -> None:
    compared = recomputing = 0
    for number in range(seed, seed + 60):
        graph = random_network(number, CHAIN if number % 2 else ANY, 10)
        network = read_network(graph, Target())
        decide = random.Random(number)
        for _ in range(30):
            first = decide.randrange(network.count)
            end = decide.randint(first + 1, network.count)
            strips, bands = decide.choice((1, 2, 3)), decide.choice((2, 3, 4))
            made: list[SegmentRows] = []
            for count in (1, bands):
                choice = Choice(first, end, Streaming(strips=strips, bands=count, group=2))
                try:
                    made.append(build_rows(graph, make_segment(network, choice)))
                except ValueError:
                    break
            if len(made) == 2:
                compared += 1
                fewer = store_bytes(made[0]) - store_bytes(made[1])
                assert fewer <= 0, f"network {number}: {choice} saves {fewer} bytes"
                before, after = (streamed_macs(graph, rows) for rows in made)
                assert after >= before
                recomputing += after > before
    assert compared > 200
    assert recomputing > 100
