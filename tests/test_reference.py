# SPDX-License-Identifier: Apache-2.0
"""The operators' numpy references, and the self-test built on them, agree with TensorFlow Lite Micro and the C."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from conftest import MODELS
from runnel.boards import load_board
from runnel.build import build_firmware
from runnel.build.from_plan import harness_model
from runnel.compiler import Options, load_model, plan_model, write_sources
from runnel.errors import RunError
from runnel.graph import Graph
from runnel.reference import evaluate, selftest_crc, selftest_inputs
from runnel.run import run_firmware
from runnel.run.oracle import tflm_oracle

PERSON = Path(__file__).resolve().parents[1] / "models" / "person" / "person.tflite"


@pytest.mark.parametrize("edges", ["int8", "original"])
@pytest.mark.parametrize("name", ["person", *MODELS])
def test_reference_equals_the_oracle(
    tflm: None, request: pytest.FixtureRequest, name: str, edges: Literal["int8", "original"]
) -> None:
    folder: Path = PERSON.parent if name == "person" else request.getfixturevalue("testdata") / "models"
    model = folder / f"{name}.tflite"
    graph = load_model(model, Options(edges=edges))
    inputs = selftest_inputs(graph)
    (expected,) = tflm_oracle(model.read_bytes(), graph).run([inputs])
    for ours, theirs in zip(evaluate(graph, inputs), expected, strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("board_name", ["host", "qemu-m7"])
@pytest.mark.parametrize("edges", ["int8", "original"])
def test_firmware_passes_its_selftest(tmp_path: Path, board_name: str, edges: Literal["int8", "original"]) -> None:
    needed = ("cc",) if board_name == "host" else ("arm-none-eabi-gcc", "qemu-system-arm")
    for program in needed:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not on PATH")
    board = load_board(board_name)
    graph = load_model(PERSON, Options(edges=edges))
    plan = plan_model(graph, board, Options(edges=edges), "person")
    right = selftest_crc(graph, plan.schedule.segments)
    for crc, passes in ((right, True), (right ^ 1, False)):
        sources = tmp_path / f"sources_{passes}"
        sources.mkdir()
        write_sources(plan, sources, crc)
        firmware = build_firmware(sources, harness_model(plan, selftest=True), board, tmp_path / f"build_{passes}")
        nothing = bytes(firmware.model.input_bytes)
        if passes:
            assert run_firmware(firmware, [nothing]).selftest_passed
        else:
            with pytest.raises(RunError, match="selftest"):
                run_firmware(firmware, [nothing])


def with_one_wrong_weight(graph: Graph, operator: int) -> Graph:
    """The first weight of an operator with its sign bit inverted."""
    index = graph.operators[operator].inputs[1]
    assert index is not None
    tensor = graph.tensor(index)
    assert tensor.data is not None
    data = tensor.data.copy()
    data.flat[0] ^= -128
    return replace(graph, tensors={**graph.tensors, index: replace(tensor, data=data)})


@pytest.mark.parametrize("operator", [0, 17, 32])
def test_selftest_notices_one_wrong_weight(tmp_path: Path, operator: int) -> None:
    """Early, in the middle and late, although the softmax of noise gives the same two numbers."""
    if shutil.which("cc") is None:
        pytest.skip("cc is not on PATH")
    board = load_board("host")
    graph = load_model(PERSON)
    wrong = with_one_wrong_weight(graph, operator)
    assert all(map(np.array_equal, evaluate(graph, selftest_inputs(graph)), evaluate(wrong, selftest_inputs(wrong))))
    plan = plan_model(wrong, board, Options(), "person")
    write_sources(plan, tmp_path, selftest_crc(graph, plan.schedule.segments))
    firmware = build_firmware(tmp_path, harness_model(plan, selftest=True), board, tmp_path / "build")
    with pytest.raises(RunError, match="selftest"):
        run_firmware(firmware, [bytes(firmware.model.input_bytes)])
