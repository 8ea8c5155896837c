# SPDX-License-Identifier: Apache-2.0
"""The operators' numpy references, and the self-test built on them, agree with TensorFlow Lite Micro and the C."""

from __future__ import annotations

import shutil
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
    for crc, passes in ((selftest_crc(graph), True), (selftest_crc(graph) ^ 1, False)):
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
