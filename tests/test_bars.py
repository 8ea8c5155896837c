# SPDX-License-Identifier: Apache-2.0
"""The sizes and counts that the documentation promises, measured on the linked firmware."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from runnel.boards import load_board
from runnel.compiler import Options
from runnel.figures import run_figures
from runnel.graph import Graph
from runnel.inference import infer

PERSON = Path(__file__).resolve().parents[1] / "models" / "person" / "person.tflite"


def zeros(graph: Graph) -> list[list[np.ndarray]]:
    return [[np.zeros(graph.tensor(i).shape, graph.tensor(i).type) for i in graph.inputs]]


@pytest.mark.parametrize(
    ("name", "arena", "code", "per_mac"),
    [("mcunet-vww1", 92_000, 30 * 1024, 6.0), ("mcunet-in3", 262_000, None, 6.0), ("person", 92_000, 30 * 1024, 6.0)],
)
@pytest.mark.parametrize("board", ["qemu-m4", "qemu-m7"])
def test_real_models_stay_within_the_bars(
    testdata: Path, name: str, arena: int, code: int | None, per_mac: float, board: str
) -> None:
    for tool in ("qemu-system-arm", "arm-none-eabi-gcc"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed: emulated boards are not tested")
    model = PERSON if name == "person" else testdata / "models" / f"{name}.tflite"
    done = infer(model, load_board(board), Options(), "bars", zeros, oracle="none")
    figures = run_figures(done)
    assert done.firmware.arena_bytes == done.plan.arena_bytes == figures["arena_bytes"]
    assert figures["arena_lower_bound_bytes"] == figures["arena_bytes"] < arena
    assert figures["instructions"] <= per_mac * figures["macs"]
    assert code is None or figures["code_bytes"] <= code
    assert figures["sram_bytes"] == figures["arena_bytes"] + figures["stack_bytes"]
