# SPDX-License-Identifier: Apache-2.0
"""Networks with their random plans and right outputs, made of a seed and a number alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from random_models.source import SeededSource, Source
from random_schedules.networks import network
from random_schedules.schedules import random_schedule
from runnel.graph import Graph
from runnel.operators import Target
from runnel.passes import optimise
from runnel.plan.plan import Plan
from runnel.plan.planner import make_plan
from runnel.reference import evaluate
from runnel.run.inputs import random_inputs
from runnel.schedule.layer_by_layer import layer_by_layer
from runnel.schedule.schedule import Schedule
from runnel.tflite.reader import read_tflite
from runnel.tflite.writer import write_tflite

Array = npt.NDArray[Any]

INFERENCES = 4
"""Two of them noise, two extremes: see random_inputs."""


@dataclass(frozen=True, eq=False)
class Network:
    """Plans of one graph, and what the graph gives for each of some inputs: [inference][edge]."""

    plans: tuple[Plan, ...]
    inputs: list[list[Array]]
    expected: list[list[Array]]

    @property
    def graph(self) -> Graph:
        return self.plans[0].schedule.graph

    @property
    def varies(self) -> bool:
        """Whether outputs differ between two noisy inputs: a stuck network tests little."""
        pairs = zip(self.expected[0], self.expected[-1], strict=True)
        return any(not np.array_equal(a, b) for a, b in pairs)


def random_graph(source: Source, label: str) -> Graph:
    """Through a file and all passes, as a user's model comes."""
    return optimise(read_tflite(write_tflite(network(source)), label), "int8")


def random_network(seed: int, number: int, dsp: bool, schedules: int = 1, layers: bool = False) -> Network:
    """A network with some random schedules and, where `layers`, layer by layer."""
    source, target = SeededSource(seed, 2_000_000 + number), Target(dsp=dsp)
    graph = random_graph(source, f"network {number} of seed {seed}")
    made = [random_schedule(graph, source, target) for _ in range(schedules)]
    made += [layer_by_layer(graph)] if layers else []
    if number % 5 == 4:  # kernels then get their shapes at run time
        made = [replace(schedule, objective="flash") for schedule in made]
    plans = tuple(make_plan(s, f"n{number}_{place}", "host", target) for place, s in enumerate(made))
    inputs = random_inputs([graph.tensor(i) for i in graph.inputs], INFERENCES, seed + number)
    return Network(plans, inputs, [evaluate(graph, arrays) for arrays in inputs])


def text_of(schedule: Schedule) -> str:
    """A schedule in a message: how to make it again, and its segments."""
    lines = [schedule.graph.source]
    for segment in schedule.segments:
        shapes = (f"{o.index} {o.kind} {schedule.graph.tensor(o.outputs[0]).shape}" for o in segment.operators)
        lines.append(f"  {', '.join(shapes)}: {segment.streaming or 'whole tensors'}")
    return "\n".join(lines)
