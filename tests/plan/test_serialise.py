# SPDX-License-Identifier: Apache-2.0
"""plan.json: stable text, a faithful way back, and clear refusals."""

from __future__ import annotations

import json
import random
import re
from dataclasses import replace

import pytest

from runnel.plan.serialise import API_VERSION, PlanFileError, layout_from_json, plan_to_json, replay

from ..conftest import ROOT
from .examples import BLOCK_SIZES, BLOCK_STEPS, block_plan, make_graph, make_plan


def test_the_layout_survives_the_round_trip() -> None:
    plan = block_plan()
    assert layout_from_json(plan_to_json(plan)) == plan.layout


def test_text_is_stable_sorted_and_readable() -> None:
    text = plan_to_json(block_plan())
    assert text == plan_to_json(block_plan())
    record = json.loads(text)
    assert list(record) == sorted(record)
    assert record["arena_bytes"] == record["arena_lower_bound_bytes"] == 320
    assert record["macs"] == 4500
    assert record["segments"][2]["calls"][0]["function"] == "runnel_depthwise_conv_2d"
    assert record["segments"][2]["live_bytes"] == 240 + 40 + 36
    assert '"in_place": [0, 1],' in text
    assert max(len(line) for line in text.splitlines()) < 160


def test_names_with_brackets_and_line_breaks_survive() -> None:
    plan = block_plan()
    graph = plan.schedule.graph
    odd = 'a[\n {"b"} ,\n 1 ]'
    tensors = {n: replace(t, name=odd) for n, t in graph.tensors.items()}
    schedule = replace(plan.schedule, graph=graph.replace(tensors=tensors))
    assert json.loads(plan_to_json(replace(plan, schedule=schedule)))["inputs"][0]["name"] == odd


def test_replay_takes_the_saved_offsets() -> None:
    plan = block_plan()
    roomier = replace(
        plan,
        layout=replace(
            plan.layout,
            buffers=tuple(replace(p, offset=p.offset + 8) for p in plan.layout.buffers),
            arena_bytes=plan.arena_bytes + 8,
            optimal=False,
        ),
    )
    assert replay(plan_to_json(roomier), plan).layout == roomier.layout


def test_replay_refuses_the_plan_of_another_model_and_says_what_differs() -> None:
    other = make_plan(make_graph({**BLOCK_SIZES, 0: 84}, BLOCK_STEPS, (0,), (9, 5)), BLOCK_STEPS)
    with pytest.raises(PlanFileError, match=r"inputs\[0\]\.shape\[3\] is 84 in the file and 80 here"):
        replay(plan_to_json(other), block_plan())
    with pytest.raises(PlanFileError, match="board"):
        replay(plan_to_json(replace(block_plan(), board="host")), block_plan())


def test_replay_refuses_a_memory_map_that_was_changed() -> None:
    record = json.loads(plan_to_json(block_plan()))
    for buffer in record["buffers"]:
        buffer["offset"] = 0
    with pytest.raises(PlanFileError, match="memory map is wrong"):
        replay(json.dumps(record), block_plan())


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", '{"format": "runnel-plan-0"}', "[" * 100_000])
def test_text_that_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(PlanFileError):
        layout_from_json(text)


def test_damaged_plans_are_refused_or_read_but_never_crash(seed: int) -> None:
    chance = random.Random(seed)
    text, plan = plan_to_json(block_plan()), block_plan()
    numbers = [m.span() for m in re.finditer(r'-?\d+|"[a-z_ 0-9]+"|\[|\]|true', text)]
    for _ in range(300):
        start, end = chance.choice(numbers)
        damaged = text[:start] + chance.choice(["null", "-1", "1e999", '"x"', "{}", "[]", "99999999999"]) + text[end:]
        try:
            replay(damaged, plan)
        except PlanFileError:
            continue


def test_api_version_is_that_of_the_header() -> None:
    header = (ROOT / "zephyr_module/include/runnel/runnel.h").read_text()
    assert f"#define RUNNEL_API_VERSION {API_VERSION}\n" in header
