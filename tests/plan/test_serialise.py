# SPDX-License-Identifier: Apache-2.0
"""plan.json: stable text, a faithful way back, and clear refusals."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from runnel.errors import RunnelError
from runnel.operators import Target
from runnel.plan.plan import Plan
from runnel.plan.replay import layout_from_json, plan_from_json, replay, schedule_from_json
from runnel.plan.serialise import API_VERSION, PlanFileError, plan_to_json

from ..conftest import ROOT
from .examples import BLOCK_SIZES, BLOCK_STEPS, block_plan, make_graph, make_plan
from .streamed import patches_plan, streamed_plan, strips_plan


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


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", '{"format": "runnel-plan-1"}', "[" * 100_000])
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


STREAMED = [streamed_plan(), strips_plan(), patches_plan()]


@pytest.mark.parametrize("plan", STREAMED)
def test_a_streamed_plan_is_made_again_from_its_file_and_the_model(plan: Plan) -> None:
    text = plan_to_json(plan)
    again = plan_from_json(text, plan.schedule.graph, "toy", "host", Target(dsp=True))
    assert plan_to_json(again) == text
    assert again.layout == plan.layout
    assert [s.streaming for s in again.schedule.segments] == [s.streaming for s in plan.schedule.segments]


def test_a_streamed_plan_says_how_its_segments_run() -> None:
    record = json.loads(plan_to_json(streamed_plan()))
    assert (record["input_passes"], record["predicted_bytes"]) == (1, None)
    assert record["nominal_macs"] == record["macs"] > 0
    first, second, third, last = record["segments"]
    assert first["streaming"] == {"strips": 1, "bands": 1, "group": 4, "pulled": True, "grows_into": None}
    assert [step["form"] for step in first["steps"]] == ["pull", "window", "planes"]
    assert first["steps"][2] == {
        "form": "planes",
        "operators": [1, 2],
        "inputs": ["planes_3_6"],
        "output": "tensor_9",
        "columns": "columns_6",
        "sums": None,
        "halo": None,
        "group": 4,
    }
    assert {store["name"] for store in first["stores"]} == {"rows_0", "planes_3_6", "columns_6", "tensor_9"}
    assert (second["distance"], second["streaming"]["grows_into"]) == (128, 9)
    assert sum(operator["macs"] for operator in third["operators"]) == third["macs"]
    assert (last["streaming"], last["steps"], last["stores"]) == (None, [], [])
    grown = next(buffer for buffer in record["buffers"] if buffer["name"] == "tensor_19")
    assert grown["grows_into"] == {"over": "tensor_9", "distance": 128, "exact": False}
    assert record["moves"] == []
    assert {tensor["tensor"] for tensor in record["tensors"]} >= {0, 9, 19, 33}


def test_halos_count_in_the_operators_of_a_saved_plan() -> None:
    record = json.loads(plan_to_json(patches_plan()))
    assert record["macs"] > record["nominal_macs"]
    assert sum(o["macs"] for segment in record["segments"] for o in segment["operators"]) == record["macs"]


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda r: r["segments"].pop(), "no segment in it has operator"),
        (lambda r: r["segments"].append(r["segments"][0]), "operators that this one has not, or twice"),
        (lambda r: r["segments"].reverse(), "does not fit in with those before it"),
        (lambda r: r["segments"][1]["inputs"].clear(), "does not fit in with those before it"),
        (lambda r: r["segments"][0]["streaming"].update(pulled=False), "does not fit in with those before it"),
        (lambda r: r["segments"][1].update(streaming=None), "has several operators and does not stream"),
        (lambda r: r["segments"][1]["streaming"].update(grows_into=30), "grows into a foreign tensor"),
        (lambda r: r["segments"][1]["streaming"].update(strips=99), "cannot run as it says: 1 x 99 patches"),
        (lambda r: r["segments"][1]["streaming"].update(strips=0), "less than one strip"),
        (lambda r: r["segments"][1]["streaming"].update(group=3), "segments\\[1\\]"),
        (lambda r: r["segments"][3].update(streaming=r["segments"][1]["streaming"]), "grows into a foreign tensor"),
        (lambda r: r.update(objective="speed"), "unknown objective"),
        (lambda r: r.update(board="stm32f746"), "board is"),
        (lambda r: r["inputs"][0]["shape"].reverse(), "inputs"),
        (lambda r: r["buffers"][1]["grows_into"].update(distance=124), "distance is 124 in the file and 128 here"),
        (lambda r: r["buffers"][1].update(offset=4), "memory map is wrong"),
        (lambda r: r.update(arena_lower_bound_bytes=4), "arena_lower_bound_bytes"),
        (lambda r: r["moves"].append({"step": 1, "source": "rows_0", "destination": "rows_0"}), "memory map is wrong"),
        (lambda r: r.pop("moves"), "no valid 'moves'"),
    ],
)
def test_a_streamed_plan_that_was_changed_is_refused_with_one_sentence(
    edit: Callable[[dict[str, Any]], object], message: str
) -> None:
    plan = STREAMED[0]
    record = json.loads(plan_to_json(plan))
    edit(record)
    with pytest.raises(PlanFileError, match=message) as raised:
        plan_from_json(json.dumps(record), plan.schedule.graph, "toy", "host", Target(dsp=True))
    assert "\n" not in str(raised.value)


def test_the_plan_of_another_network_is_refused() -> None:
    text = plan_to_json(streamed_plan(5))
    with pytest.raises(PlanFileError, match="is of another model"):
        plan_from_json(text, streamed_plan(3).schedule.graph, "toy", "host", Target(dsp=True))


@pytest.mark.parametrize("plan", STREAMED)
def test_damaged_streamed_plans_are_refused_or_read_but_never_crash(plan: Plan, seed: int) -> None:
    chance = random.Random(seed)
    text = plan_to_json(plan)
    begin = text.index('"segments"')
    places = [m.span() for m in re.finditer(r'-?\d+|"[a-z_ 0-9]+"|\[|\]|true|false|null', text)]
    places = [span for span in places if span[0] > begin or chance.random() < 0.1]
    for _ in range(150):
        start, end = chance.choice(places)
        value = chance.choice(["null", "-1", "0", "2", "7", "1e999", '"x"', "{}", "[]", "true", "99999999999"])
        damaged = text[:start] + value + text[end:]
        try:
            schedule_from_json(damaged, plan.schedule.graph, "host")
            plan_from_json(damaged, plan.schedule.graph, "toy", "host", Target(dsp=True))
        except RunnelError:
            continue


def test_api_version_is_that_of_the_header() -> None:
    header = (ROOT / "zephyr_module/include/runnel/runnel.h").read_text()
    assert f"#define RUNNEL_API_VERSION {API_VERSION}\n" in header
