# SPDX-License-Identifier: Apache-2.0
"""Random small graphs: branches, residuals, several inputs and outputs, aliases; equal to TensorFlow Lite Micro.

What single operators cannot show: buffers that share bytes of the arena, work in place, passes that rewrite graphs.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from random_models.batch import Case, Outcome, host, make_case, run_cases
from random_models.graphs import graph_model
from random_models.source import SeededSource
from runnel.boards import load_board
from runnel.build import BuildOptions

pytestmark = pytest.mark.usefixtures("tflm")

OPTIMIZE = {"qemu-m3": "-O2", "qemu-m4": "-Os", "qemu-m7": "-O3", "qemu-m33": "-Os", "qemu-m55": "-O2"}
BATCH = 20
SAMPLE, FULL = 20, 200
EMULATED = tuple(OPTIMIZE)


def cases(seed: int, numbers: range) -> list[Case]:
    """Every other one keeps the types that the file has at its ends."""
    return [
        make_case(
            f"graph seed={seed} number={n}", graph_model(SeededSource(seed, 1_000_000 + n)), n % 2 == 1, n % 5 == 4
        )
        for n in numbers
    ]


def assert_equal(outcomes: list[Outcome]) -> None:
    text = "\n".join(f"{o.case.label}: {o.problem}" for o in outcomes if o.problem)
    if text:
        pytest.fail(text, pytrace=False)


def varied(outcomes: list[Outcome]) -> float:
    """Share of graphs whose outputs differ between two noisy inputs: a stuck graph tests little."""
    return float(
        np.mean(
            [any(not np.array_equal(a, b) for a, b in zip(o.expected[0], o.expected[3], strict=True)) for o in outcomes]
        )
    )


def test_graphs_hold_all_that_they_should(seed: int) -> None:
    graphs = [graph_model(SeededSource(seed, n)) for n in range(200)]
    kinds = Counter(operator.kind for graph in graphs for operator in graph.operators)
    wanted = ("ADD", "MUL", "CONCATENATION", "PAD", "MEAN", "RESHAPE", "RESIZE_NEAREST_NEIGHBOR", "QUANTIZE", "SOFTMAX")
    assert all(kinds[kind] > 10 for kind in wanted), kinds
    assert sum(len(graph.inputs) > 1 for graph in graphs) > 10
    assert sum(len(graph.outputs) > 1 for graph in graphs) > 10


@pytest.mark.parametrize("batch", range((FULL if os.environ.get("RUNNEL_FULL") == "1" else SAMPLE) // BATCH))
def test_equals_tflm_on_the_host(batch: int, seed: int, tmp_path: Path) -> None:
    numbers = range(batch * BATCH, (batch + 1) * BATCH)
    clang = "clang" if batch % 2 and shutil.which("clang") else None
    build = BuildOptions(optimize="-O1", sanitize=True, compiler=clang)
    for dsp in (False, True):
        outcomes = run_cases(cases(seed, numbers), host(dsp), tmp_path / str(dsp), build, seed)
        assert len(outcomes) == BATCH
        assert_equal(outcomes)
        assert varied(outcomes) >= 0.8


@pytest.mark.parametrize("board", EMULATED)
def test_equals_tflm_on_emulated_boards(board: str, full: bool, seed: int, tmp_path: Path) -> None:
    for tool in ("qemu-system-arm", "arm-none-eabi-gcc"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed: emulated boards are not tested")
    first = 3 * EMULATED.index(board)
    numbers = range(BATCH) if full else range(first, first + 3)
    build = BuildOptions(optimize=OPTIMIZE[board])
    outcomes = run_cases(cases(seed + 1, numbers), load_board(board), tmp_path, build, seed)
    assert_equal(outcomes)
