# SPDX-License-Identifier: Apache-2.0
"""Networks as people build them, streamed in the ways that the scheduler finds: not a byte differs from TFLM.

Random networks have these structures too, but rarely whole. Each runs with its input stored and pulled, without work
done twice and with it, on the host under sanitizers.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from random_models.batch import host
from random_models.structures import STRUCTURES, structure
from random_schedules.batch import wrong_plans
from random_schedules.material import Network
from runnel.boards import Board
from runnel.build import BuildOptions
from runnel.compiler import Options, load_bytes, plan_model
from runnel.errors import RunnelError
from runnel.graph import Graph
from runnel.plan.plan import Plan
from runnel.plan.serialise import plan_to_json
from runnel.run.inputs import random_inputs
from runnel.run.oracle import tflm_oracle
from runnel.tflite.writer import write_tflite

pytestmark = pytest.mark.usefixtures("tflm")

SEEDS = {
    **dict.fromkeys(STRUCTURES, 0),
    **dict.fromkeys(("dilated", "multiplied", "back_up", "two_images"), 1),
    "detector": 13,
    "shortcuts": 9,
    "keywords": 3,
    "one_column": 3,
}
"""With these, outputs vary with the input."""
NOT_PULLED = {"two_images", "constants"}
FREE = Options(max_overhead=0.0)
WORK = Options(input="pulled", max_overhead=1.0, input_passes=6)


def plans_of(graph: Graph, board: Board, number: int) -> list[Plan]:
    """Stored or pulled without overhead, in turns, and the other of the two with it."""
    wanted = [FREE, WORK] if number % 2 else [replace(FREE, input="pulled"), replace(FREE, max_overhead=1.0)]
    found = []
    for place, options in enumerate(wanted):
        with suppress(RunnelError):
            found.append(plan_model(graph, board, options, f"m{number}_{place}"))
    return found


@pytest.mark.parametrize("dsp", [False, True])
def test_not_a_byte_differs(dsp: bool, tmp_path: Path) -> None:
    board, networks = host(dsp), []
    for number, name in enumerate(STRUCTURES):
        if number % 2 == dsp:
            continue
        data = write_tflite(structure(name, SEEDS[name]))
        graph = load_bytes(data, name)
        inputs = random_inputs([graph.tensor(i) for i in graph.inputs], 4, number)
        plans = plans_of(graph, board, number // 2)
        assert len(plans) == (1 if name in NOT_PULLED else 2), name
        networks.append(Network(tuple(plans), inputs, tflm_oracle(data, graph).run(inputs)))
        assert networks[-1].varies, name
    assert wrong_plans(networks, board, tmp_path, BuildOptions(optimize="-O0", sanitize=True)) == []


@pytest.mark.parametrize("name", STRUCTURES)
def test_plans_keep_what_they_promise(name: str, tmp_path: Path) -> None:
    """Bytes as predicted and never more than layer by layer, work within the limit, the same plan from its file."""
    data = write_tflite(structure(name, SEEDS[name]))
    graph, board, file = load_bytes(data, name), host(True), tmp_path / "plan.json"
    layers = plan_model(graph, board, Options(layers=True), "m")
    last = layers.arena_bytes
    for overhead in (0.0, 0.2, 1.0):
        options = Options(max_overhead=overhead)
        plan = plan_model(graph, board, options, "m")
        assert plan.arena_bytes == plan.arena_lower_bound_bytes == plan.schedule.predicted_bytes
        assert plan.arena_bytes <= last and plan.macs_overhead <= overhead
        last = plan.arena_bytes
        file.write_text(plan_to_json(plan), encoding="utf-8")
        assert plan_to_json(plan_model(graph, board, replace(options, saved_plan=file), "m")) == file.read_text()
