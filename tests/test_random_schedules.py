# SPDX-License-Identifier: Apache-2.0
"""Random networks under random schedules: however a network is cut and streamed, every byte comes out the same."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter

import numpy as np
import pytest

from random_models.source import SeededSource
from random_schedules.geometry import all_values, run_alone, run_plan
from random_schedules.networks import network
from random_schedules.row_executor import OverlapError
from random_schedules.schedules import random_schedule
from runnel.graph import Graph
from runnel.operators import Target
from runnel.passes import optimise
from runnel.plan.plan import Plan
from runnel.plan.planner import make_plan
from runnel.plan.verify import verify
from runnel.run.inputs import random_inputs
from runnel.schedule.rows import SegmentRows
from runnel.tflite.reader import read_tflite
from runnel.tflite.writer import write_tflite

BATCH = 50
SAMPLE, FULL = 150, 500
BATCHES = range((FULL if os.environ.get("RUNNEL_FULL") == "1" else SAMPLE) // BATCH)


def random_plan(seed: int, number: int) -> Plan:
    """Plan n is made of seed and n alone; every other one is for a core with DSP instructions."""
    source, target = SeededSource(seed, 2_000_000 + number), Target(dsp=number % 2 == 1)
    graph = optimise(read_tflite(write_tflite(network(source)), f"network {number} of seed {seed}"), "int8")
    return make_plan(random_schedule(graph, source, target), f"m{number}", "host", target)


def noise_for(graph: Graph, seed: int) -> list[np.ndarray]:
    return random_inputs([graph.tensor(i) for i in graph.inputs], 4, seed)[3]


def text_of(plan: Plan) -> str:
    """The schedule, for a message."""
    lines = []
    for segment in plan.schedule.segments:
        operators = ", ".join(f"{o.index} {o.kind} {plan.schedule.graph.tensor(o.outputs[0]).shape}" for o in segment.operators)
        lines.append(f"  {operators}: {segment.streaming}")
    return "\n".join([plan.schedule.graph.source, *lines])
