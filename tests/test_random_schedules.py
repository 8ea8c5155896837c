# SPDX-License-Identifier: Apache-2.0
"""Random networks under random schedules: however a network is cut and streamed, every byte comes out the same.

First by an executor in numpy that keeps rows where the plan says (it needs no C and sees every mistake of the
geometry), then by the generated C, against the same network layer by layer and against the operators' references.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from random_models.batch import host
from random_models.source import DrawnSource
from random_schedules.batch import wrong_plans
from random_schedules.geometry import layer_values, wrong_tensors
from random_schedules.material import Network, random_graph, random_network, text_of
from random_schedules.mistakes import KINDS, mistakes
from random_schedules.schedules import random_schedule
from runnel.boards import load_board
from runnel.build import BuildOptions
from runnel.emit.emitter import emit
from runnel.errors import RunError
from runnel.operators import Target
from runnel.plan.plan import Plan
from runnel.plan.planner import make_plan
from runnel.plan.verify import verify
from runnel.run.inputs import random_inputs
from runnel.schedule.schedule import Streaming

FULL = os.environ.get("RUNNEL_FULL") == "1"
GEOMETRY_BATCH, GEOMETRY_BATCHES = 50, 10 if FULL else 2
BATCH, BATCHES = 20, 25 if FULL else 2
OPTIMIZE = {"qemu-m4": "-Os", "qemu-m7": "-O3", "qemu-m55": "-O2"}
EMULATED = tuple(OPTIMIZE)
NO_STREAMING = Streaming()


def assert_equal(wrong: list[str], networks: list[Network]) -> None:
    """Fails with the schedules of the plans that are wrong."""
    schedules = {plan.name: plan.schedule for network in networks for plan in network.plans}
    if wrong:
        texts = [f"{line} differ. {text_of(schedules[line.split(':')[0]])}" for line in wrong]
        pytest.fail("\n".join(texts), pytrace=False)


def test_networks_and_schedules_hold_all_that_they_should(seed: int) -> None:
    found: Counter[str] = Counter()
    networks = [random_network(seed, number, False) for number in range(150)]
    for network in networks:
        (plan,) = network.plans
        found["several outputs"] += len(plan.schedule.graph.outputs) > 1
        for planned in plan.segments:
            rows, way = planned.rows, planned.segment.streaming or NO_STREAMING
            if rows is None:
                found["whole tensors"] += 1
                continue
            found["strips"] += way.strips > 1
            found["bands"] += way.bands > 1
            found["patches"] += way.strips > 1 and way.bands > 1
            found["pulled"] += way.pulled
            found["grows"] += way.grows_into is not None
            found["grows under strips"] += way.grows_into is not None and way.strips > 1
            found["outputs of a segment"] += len(planned.segment.outputs) > 1
            for step in rows.steps:
                found[step.form] += 1
                found["columns"] += step.columns is not None
                found["in place"] += bool(step.inputs and step.inputs[0].inside)
                found["dilation"] += step.window.dilation_h > 1
                found["stride 3"] += step.window.stride_h == 3
                found["halo"] += step.halo is not None
                found["ring"] += step.output.rows > 1 and not step.output.whole
    rare = {
        "patches": 4,
        "grows under strips": 6,
        "halo": 3,
        "in place": 5,
        "pull": 10,
        "sums": 10,
        "stride 3": 5,
        "dilation": 5,
    }
    names = (
        *("whole tensors", "strips", "bands", "pulled", "grows", "outputs of a segment", "several outputs", "ring"),
        *("spread", "pixels", "window", "planes", "columns"),
    )
    wanted = dict.fromkeys(names, 10) | rare
    assert all(found[name] >= least for name, least in wanted.items()), found
    assert float(np.mean([network.varies for network in networks])) > 0.8


@pytest.mark.parametrize("batch", range(GEOMETRY_BATCHES))
def test_rows_lie_where_they_are_looked_for(batch: int, seed: int) -> None:
    """In numpy, three schedules for each network: right bytes, verified, and an arena of the lower bound."""
    noise = np.random.default_rng(seed)
    for number in range(batch * GEOMETRY_BATCH, (batch + 1) * GEOMETRY_BATCH):
        network = random_network(seed + 1, number, dsp=number % 2 == 1, schedules=3)
        values = layer_values(network.graph, network.inputs[-1])
        for plan in network.plans:
            verify(plan)
            assert plan.arena_bytes == plan.arena_lower_bound_bytes, text_of(plan.schedule)
            assert not wrong_tensors(plan, values, noise), text_of(plan.schedule)


def test_a_wrong_geometry_is_seen(seed: int) -> None:
    """Plans with a mistake come out wrong, but for a few whose wrong bytes happen to be right."""
    noise = np.random.default_rng(seed)
    tried: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for number in range(200):
        network = random_network(seed, number, False)
        values = layer_values(network.graph, network.inputs[-1])
        for kind, plan in mistakes(network.plans[0]):
            tried[kind] += 1
            try:
                seen[kind] += bool(wrong_tensors(plan, values, noise))
            except AssertionError:  # the executor itself saw it
                seen[kind] += 1
    assert all(tried[kind] >= 3 for kind in KINDS), tried
    assert all(seen[kind] > 0.6 * tried[kind] for kind in KINDS), (seen, tried)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_generated_code_equals_layer_by_layer(batch: int, seed: int, tmp_path: Path) -> None:
    """Under the address and undefined-behaviour sanitizers, the arenas between guard bytes.

    What is expected is the reference's, layer by layer; every fourth network also runs layer by layer in C.
    """
    dsp, clang = batch % 2 == 1, batch % 4 in (1, 2) and shutil.which("clang") is not None
    numbers = range(batch * BATCH, (batch + 1) * BATCH)
    networks = [random_network(seed, number, dsp, layers=number % 4 == 0) for number in numbers]
    build = BuildOptions(optimize="-O1" if clang else "-O0", sanitize=True, compiler="clang" if clang else None)
    assert_equal(wrong_plans(networks, host(dsp), tmp_path, build), networks)


@pytest.mark.parametrize("board", EMULATED)
def test_equals_layer_by_layer_on_emulated_boards(board: str, full: bool, seed: int, tmp_path: Path) -> None:
    """The same in cross-compiled code, where the DSP kernels are instructions and not C twins."""
    for tool in ("qemu-system-arm", "arm-none-eabi-gcc"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed: emulated boards are not tested")
    loaded, first = load_board(board), 1000 + 40 * EMULATED.index(board)
    networks = [random_network(seed, number, loaded.dsp) for number in range(first, first + (40 if full else 4))]
    build = BuildOptions(optimize=OPTIMIZE[board])
    assert_equal(wrong_plans(networks, loaded, tmp_path, build), networks)


def test_a_wrong_byte_is_seen(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the output of one plan; behind the arena of another: both make a batch fail."""
    networks = [random_network(seed, number, False) for number in range(2)]
    names = networks[1].plans[0].name, networks[0].plans[0].name

    def emit_wrong(name: str, at: int) -> None:
        def emitted(plan: Plan, include: Path) -> dict[str, str]:
            files = dict(emit(plan, include))
            if plan.name == name:
                place = plan.placed(plan.schedule.graph.outputs[0], len(plan.segments)).offset if at == 0 else at
                ending = "\treturn RUNNEL_OK;\n}\n\n"
                source = files[f"{name}.c"]
                position = source.rindex(ending, 0, source.index(f"{name}_selftest(void)"))
                wrong = f"\t*(volatile uint8_t *)({name}_arena + {place}) ^= 1u;\n"
                files[f"{name}.c"] = source[:position] + wrong + source[position:]
            return files

        monkeypatch.setattr("random_schedules.batch.emit", emitted)

    build = BuildOptions(optimize="-O1")
    emit_wrong(names[0], 0)
    assert [line.split(":")[0] for line in wrong_plans(networks, host(False), tmp_path / "output", build)] == [names[0]]
    emit_wrong(names[1], networks[0].plans[0].arena_bytes)
    with pytest.raises(RunError):
        wrong_plans(networks, host(False), tmp_path / "guard", build)


def test_whatever_hypothesis_draws(full: bool, seed: int) -> None:
    """In numpy; worth it because hypothesis shrinks what fails to the smallest network and schedule."""

    @hypothesis.seed(seed)
    @settings(max_examples=500 if full else 25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def check(data: st.DataObject) -> None:
        source, target = DrawnSource(data.draw), Target()
        graph = random_graph(source, "drawn network")
        plan = make_plan(random_schedule(graph, source, target), "drawn", "host", target)
        verify(plan)
        (inputs,) = random_inputs([graph.tensor(i) for i in graph.inputs], 1, seed)
        values = layer_values(graph, inputs)
        assert not wrong_tensors(plan, values, np.random.default_rng(seed)), text_of(plan.schedule)

    check()
