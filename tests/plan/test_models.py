# SPDX-License-Identifier: Apache-2.0
"""Real models, layer by layer: the arena is proved optimal, and plans made wrong on purpose are caught."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from conftest import MODELS
from runnel import zoo
from runnel.compiler import load_model
from runnel.operators import Target
from runnel.plan.arena import place
from runnel.plan.buffers import make_buffers
from runnel.plan.plan import PlacedBuffer, Plan
from runnel.plan.planner import make_plan
from runnel.plan.replay import plan_from_json, replay
from runnel.plan.serialise import plan_to_json
from runnel.plan.verify import PlanError, verify
from runnel.schedule.layer_by_layer import layer_by_layer
from runnel.schedule.search import Request, find_schedule

from .examples import move

TINYENGINE_BARS = {"mcunet-vww1": 92_000, "mcunet-in3": 262_000}
"""Bytes that the arena must stay below: a little less than TinyEngine's generator reserves."""


def real_plan(testdata: Path, model: str, *, dsp: bool) -> Plan:
    graph = load_model(testdata / "models" / f"{model}.tflite")
    return make_plan(layer_by_layer(graph), "model", "host", Target(dsp=dsp))


@pytest.mark.parametrize("dsp", [False, True], ids=["portable", "dsp"])
@pytest.mark.parametrize("model", MODELS)
def test_arena_is_the_lower_bound(testdata: Path, model: str, dsp: bool) -> None:
    plan = real_plan(testdata, model, dsp=dsp)
    verify(plan)
    assert plan.arena_bytes == plan.arena_lower_bound_bytes
    assert plan.layout.optimal
    assert plan.arena_bytes < TINYENGINE_BARS.get(model, plan.arena_bytes + 1)
    assert replay(plan_to_json(plan), plan).layout == plan.layout


@pytest.mark.parametrize("overhead", [0.0, 0.1])
@pytest.mark.parametrize("pulled", [False, True], ids=["stored", "pulled"])
@pytest.mark.parametrize("name", zoo.names())
def test_streamed_arenas_are_as_predicted_and_the_lower_bound(name: str, pulled: bool, overhead: float) -> None:
    target = Target(dsp=True)
    request = Request(pulled=pulled, input_passes=4, max_overhead=overhead, target=target)
    schedule = find_schedule(zoo.network(name), request)
    start = time.process_time()
    layout = place(make_buffers(schedule, target))
    assert time.process_time() - start < 2
    assert layout.arena_bytes == layout.lower_bound_bytes == schedule.predicted_bytes
    plan = make_plan(schedule, "model", "host", target)
    verify(plan)
    assert plan.layout == layout
    assert plan_from_json(plan_to_json(plan), schedule.graph, "model", "host", target).layout == layout


@pytest.mark.parametrize("model", ["mcunet-vww1", "wv_ymac"])
def test_any_two_live_buffers_put_at_one_place_are_caught(testdata: Path, model: str, seed: int) -> None:
    plan = real_plan(testdata, model, dsp=True)
    pairs = [(a, b) for a in plan.layout.buffers for b in plan.layout.buffers if must_be_apart(a, b)]
    assert len(pairs) > 50
    for a, b in random.Random(seed).sample(pairs, 50):
        with pytest.raises(PlanError):
            verify(move(plan, a.buffer.name, b.offset))


def must_be_apart(a: PlacedBuffer, b: PlacedBuffer) -> bool:
    meet = a.buffer.first <= b.buffer.last and b.buffer.first <= a.buffer.last
    shares = a.buffer.name in b.buffer.shares or b.buffer.name in a.buffer.shares
    return a is not b and meet and not shares
