# SPDX-License-Identifier: Apache-2.0
"""The sizes and counts that the documentation promises: planned for all networks, measured on linked firmware."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from bars import BARS
from runnel import zoo
from runnel.boards import load_board
from runnel.compiler import Options, plan_front, plan_model
from runnel.figures import run_figures
from runnel.graph import Graph
from runnel.inference import infer
from runnel.tflite.writer import write_tflite

PERSON = Path(__file__).resolve().parents[1] / "models" / "person" / "person.tflite"
FREE_STACK = 512

PULLED, STORED = Options(input="pulled"), Options()
BUDGETS = [
    ("mcunet-vww2", Options(input="pulled", max_overhead=0.10), 32),
    ("mcunet-vww1", Options(input="pulled", max_overhead=0.10, input_passes=2), 14),
    ("mbv2-w0.35", Options(input="pulled"), 27),
    ("mbv2-w0.35", Options(input="pulled", max_overhead=0.20, input_passes=8), 20),
]
LINKED = ("mcunet-vww0", "mcunet-in0")
"""Built and run every time; the others where the full counts are asked for."""


def needs_tools() -> None:
    for tool in ("qemu-system-arm", "arm-none-eabi-gcc"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed: emulated boards are not tested")


def zeros(graph: Graph) -> list[list[np.ndarray]]:
    return [[np.zeros(graph.tensor(i).shape, graph.tensor(i).type) for i in graph.inputs]]


@pytest.mark.parametrize(
    ("name", "arena", "code", "per_mac"),
    [("mcunet-vww1", 92_000, 30 * 1024, 6.0), ("mcunet-in3", 262_000, None, 6.0), ("person", 92_000, 30 * 1024, 6.0)],
)
@pytest.mark.parametrize("board", ["qemu-m4", "qemu-m7"])
def test_real_models_stay_within_the_bars_layer_by_layer(
    testdata: Path, name: str, arena: int, code: int | None, per_mac: float, board: str
) -> None:
    needs_tools()
    model = PERSON if name == "person" else testdata / "models" / f"{name}.tflite"
    done = infer(model, load_board(board), Options(layers=True), "bars", zeros, oracle="none")
    figures = run_figures(done)
    assert done.firmware.arena_bytes == done.plan.arena_bytes == figures["arena_bytes"]
    assert figures["arena_lower_bound_bytes"] == figures["arena_bytes"] < arena
    assert figures["instructions"] <= per_mac * figures["macs"]
    assert code is None or figures["code_bytes"] <= code
    assert figures["sram_bytes"] == figures["arena_bytes"] + figures["stack_bytes"]


@pytest.mark.parametrize("name", BARS)
def test_streamed_networks_fit_without_extra_work(name: str) -> None:
    graph, board = zoo.network(name), load_board("qemu-m7")
    for options, limit in zip((PULLED, STORED), BARS[name], strict=True):
        plan = plan_model(graph, board, options, "net")
        assert plan.arena_bytes == plan.schedule.predicted_bytes == plan.arena_lower_bound_bytes
        assert plan.arena_bytes <= limit * 1024
        assert plan.macs == plan.nominal_macs == zoo.macs(graph)
        assert plan.schedule.input_passes == (1 if options is PULLED else 0)


@pytest.mark.parametrize(("name", "options", "limit"), BUDGETS)
def test_more_work_saves_more(name: str, options: Options, limit: int) -> None:
    plan = plan_model(zoo.network(name), load_board("qemu-m7"), options, "net")
    assert plan.arena_bytes == plan.schedule.predicted_bytes
    assert plan.arena_bytes <= limit * 1024
    assert plan.macs_overhead <= options.max_overhead
    assert plan.schedule.input_passes <= options.input_passes


@pytest.mark.usefixtures("tflm")
@pytest.mark.parametrize("name", BARS)
def test_linked_networks_stay_within_the_bars(name: str, full: bool, tmp_path: Path) -> None:
    needs_tools()
    if name not in LINKED and not full:
        pytest.skip("measured with the full counts: ./scripts/test --full")
    model = tmp_path / "net.tflite"
    model.write_bytes(write_tflite(zoo.build(name)))
    board = load_board("qemu-m7")
    layers = run_figures(infer(model, board, Options(layers=True), "net", zeros, oracle="none"))
    for options, limit in zip((PULLED, STORED), BARS[name], strict=True):
        done = infer(model, board, options, "net", zeros)
        figures = run_figures(done)
        assert figures["mismatches"] == 0
        assert done.firmware.arena_bytes == figures["arena_bytes"] == figures["predicted_bytes"]
        counted = figures["sram_bytes"] - min(figures["stack_bytes"], FREE_STACK)
        assert counted <= limit * 1024
        assert figures["instructions"] <= 1.05 * layers["instructions"]


def test_the_scheduler_is_quick(full: bool) -> None:
    """Bars of the issue with room for a busy machine, unless the full counts are asked for."""
    graph, board, room = zoo.network("mcunet-in4"), load_board("qemu-m7"), 1 if full else 3
    for options, limit in ((PULLED, 1.0), (STORED, 1.0), (Options(objective="latency", sram=200_000), 1.0)):
        start = time.process_time()
        plan_model(graph, board, options, "net")
        assert time.process_time() - start <= 2 * limit * room, "with placing and verifying"
    start = time.process_time()
    plan_front(graph, board, Options(input="pulled", input_passes=8, max_overhead=1.0), "net")
    assert time.process_time() - start <= 10 * room
