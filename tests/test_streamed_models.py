# SPDX-License-Identifier: Apache-2.0
"""Whole networks by rows: 0 bytes differ from TensorFlow Lite Micro, and the arena is what was predicted.

With RUNNEL_FULL=1 all networks of the zoo in all modes on the host (with sanitizers) and on emulated Cortex-M4, M7 and
M55; by default one of each.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from conftest import MODELS
from random_models.batch import host
from runnel import zoo
from runnel.boards import Board, load_board
from runnel.build import BuildOptions, build_firmware
from runnel.build.from_plan import harness_model
from runnel.compiler import Options, load_bytes, plan_model, write_sources
from runnel.errors import RunnelError
from runnel.graph import Graph
from runnel.inference import infer
from runnel.operators.base import Target
from runnel.plan.plan import Plan
from runnel.plan.planner import make_plan
from runnel.plan.verify import verify
from runnel.run import run_firmware
from runnel.run.inputs import random_inputs
from runnel.run.oracle import tflm_oracle
from runnel.schedule.layer_by_layer import layer_by_layer
from runnel.schedule.schedule import Schedule, Segment, Streaming
from runnel.tflite.writer import write_tflite

pytestmark = pytest.mark.usefixtures("tflm")

FULL = os.environ.get("RUNNEL_FULL") == "1"
MODES = {
    "pulled": Options(input="pulled"),
    "stored": Options(),
    "strips": Options(input="pulled", max_overhead=0.2, input_passes=8),
}
BOARDS = ("host", "qemu-m4", "qemu-m7", "qemu-m55")
SAMPLE = (
    ("mcunet-vww0", "pulled", "qemu-m4"),
    ("mcunet-in0", "stored", "qemu-m55"),
    ("mcunet-vww1", "strips", "qemu-m7"),
    ("mcunet-in1", "pulled", "host"),
)
CASES = [(n, m, b) for n in zoo.names() for m in MODES for b in BOARDS] if FULL else SAMPLE


def board_named(name: str) -> Board:
    for tool in () if name == "host" else ("qemu-system-arm", "arm-none-eabi-gcc"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed: emulated boards are not tested")
    return load_board(name)


def few_inputs(graph: Graph) -> list[list[np.ndarray]]:
    return random_inputs([graph.tensor(i) for i in graph.inputs], 2, seed=3)


@pytest.mark.parametrize(("name", "mode", "board_name"), CASES)
def test_networks_of_the_zoo(name: str, mode: str, board_name: str, tmp_path: Path) -> None:
    model = tmp_path / "network.tflite"
    model.write_bytes(write_tflite(zoo.build(name)))
    done = infer(model, board_named(board_name), MODES[mode], "network", few_inputs)
    assert done.mismatches == 0
    assert len({b"".join(a.tobytes() for a in outputs) for outputs in done.outputs}) > 1
    plan = done.plan
    assert done.firmware.arena_bytes == plan.arena_bytes == plan.schedule.predicted_bytes
    assert plan.arena_bytes == plan.arena_lower_bound_bytes
    assert plan.macs == plan.nominal_macs or plan.macs_overhead <= MODES[mode].max_overhead


@pytest.mark.parametrize("dsp", [False, True])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("model", MODELS if FULL else ("tflm_person_detect", "mlperf_kws_ref_model"))
def test_given_models_on_the_host(model: str, mode: str, dsp: bool, testdata: Path, tmp_path: Path) -> None:
    """With sanitizers and guard bytes. What is no image cannot be pulled, and a message says so."""
    data = (testdata / "models" / f"{model}.tflite").read_bytes()
    graph = load_bytes(data, model)
    if MODES[mode].input == "pulled" and len(graph.tensor(graph.inputs[0]).shape) != 4:
        with pytest.raises(RunnelError, match="needs a model with one image as its input"):
            plan_model(graph, host(dsp), MODES[mode], "given")
        return
    plan = plan_model(graph, host(dsp), MODES[mode], "given")
    inputs = few_inputs(graph)
    expected = [b"".join(a.tobytes() for a in arrays) for arrays in tflm_oracle(data, graph).run(inputs)]
    assert answers(plan, host(dsp), tmp_path, inputs) == expected


def answers(plan: Plan, board: Board, folder: Path, inputs: list[list[np.ndarray]]) -> list[bytes]:
    """What the plan's C gives on the host, built with sanitizers."""
    sources = folder / "sources"
    sources.mkdir(parents=True)
    write_sources(plan, sources)
    build = BuildOptions(optimize="-O1", sanitize=True)
    firmware = build_firmware(sources, harness_model(plan), board, folder / "firmware", build)
    return list(run_firmware(firmware, [b"".join(a.tobytes() for a in arrays) for arrays in inputs]).outputs)


def test_patches_of_mobilenet_v2_are_exact(tmp_path: Path) -> None:
    """MCUNetV2's scheme: the first convolution and four bottlenecks (the map is down 8x) in 4 x 4 patches."""
    side = 224 if FULL else 96
    graph = load_bytes(write_tflite(zoo.build("mbv2-1.0", height=side, width=side, classes=10)), "mbv2")
    schedule = with_patches(graph, 4)
    plan = make_plan(schedule, "patched", "host", Target(dsp=True))
    verify(plan)
    assert 0.05 < plan.macs_overhead < 0.5
    board = host(dsp=True)
    layers = plan_model(graph, board, Options(layers=True), "layers")
    assert plan.arena_bytes < layers.arena_bytes
    inputs = few_inputs(graph)
    patched = answers(plan, board, tmp_path / "patched", inputs)
    assert patched == answers(layers, board, tmp_path / "layers", inputs)
    assert len(set(patched)) > 1


def with_patches(graph: Graph, patches: int) -> Schedule:
    """Everything up to where the map has an eighth of the image's side in patches, the rest layer by layer."""
    side = graph.tensor(graph.inputs[0]).shape[1]
    shapes = [graph.tensor(operator.outputs[0]).shape for operator in graph.operators]
    heights = [shape[1] if len(shape) == 4 else 0 for shape in shapes]
    end = heights.index(side // 8) + 2  # the depthwise convolution of stride 2 and its projection
    head = Segment(
        "patches",
        graph.operators[:end],
        (),
        graph.operators[end - 1].outputs,
        Streaming(strips=patches, bands=patches, pulled=True),
    )
    rest = tuple(s for s in layer_by_layer(graph).segments if s.operators[0] not in head.operators)
    return Schedule(graph, (head, *rest))
