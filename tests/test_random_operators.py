# SPDX-License-Identifier: Apache-2.0
"""Random single operators: the generated C gives, bit for bit, what TensorFlow Lite Micro gives.

By default a seeded sample, with RUNNEL_FULL=1 the 2,000 of the bar; all under the address and undefined-behaviour
sanitizers, operators with a DSP kernel both with and without it.
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from random_models.batch import Case, Outcome, host, make_case, run_cases
from random_models.operators import KINDS, OPERATORS, operator_model
from random_models.source import DrawnSource, SeededSource
from runnel.boards import load_board
from runnel.build import BuildOptions
from runnel.emit.emitter import emit
from runnel.operators import known_operators
from runnel.plan.plan import Plan

pytestmark = pytest.mark.usefixtures("tflm")

OPTIMIZE = {"qemu-m3": "-Os", "qemu-m4": "-O2", "qemu-m7": "-O3", "qemu-m33": "-O2", "qemu-m55": "-Os"}
"""Products are built at any of these, and compilers have their own mistakes at each."""
BATCH = 75
SAMPLE, FULL = 150, 2025
EMULATED = tuple(OPTIMIZE)
ALWAYS_ORIGINAL = ("QUANTIZE", "DEQUANTIZE")  # without their edges there would be nothing left of them


def sanitized(batch: int) -> BuildOptions:
    """gcc and, where it is installed, clang in turn: their undefined-behaviour sanitizers check different things."""
    compiler = "clang" if batch % 2 and shutil.which("clang") else None
    return BuildOptions(optimize="-O1", sanitize=True, compiler=compiler)


def cases(seed: int, numbers: Iterable[int]) -> list[Case]:
    """Case n is made of seed and n alone; kinds take turns, so that every batch has nearly all."""
    made = []
    for number in numbers:
        kind = KINDS[number % len(KINDS)]
        graph = operator_model(SeededSource(seed, number), kind)
        made.append(make_case(f"{kind} seed={seed} number={number}", graph, kind in ALWAYS_ORIGINAL, number % 5 == 4))
    return made


def assert_equal(outcomes: list[Outcome]) -> None:
    text = "\n".join(f"{o.case.label}: {o.problem}" for o in outcomes if o.problem)
    if text:
        pytest.fail(text, pytrace=False)


def healthy_share(outcomes: list[Outcome]) -> float:
    """Share of int8 outputs, for noise as input, that are not at either end of int8; the mean over models."""
    shares = [
        float(np.mean((array > -128) & (array < 127)))
        for outcome in outcomes
        for arrays in (outcome.expected[0], outcome.expected[3])
        for array in arrays
        if array.dtype == np.int8
    ]
    return float(np.mean(shares))


def test_every_supported_kind_is_tried() -> None:
    folded = {"SHAPE", "STRIDED_SLICE", "PACK"}  # in tests of the passes: they never reach the C
    fused = {"RELU_N1_TO_1"}
    assert set(OPERATORS) - fused == set(known_operators()) - folded - fused
    assert set(KINDS) == set(OPERATORS)


@pytest.mark.parametrize("batch", range((FULL if os.environ.get("RUNNEL_FULL") == "1" else SAMPLE) // BATCH))
def test_equals_tflm_on_the_host(batch: int, seed: int, tmp_path: Path) -> None:
    numbers = range(batch * BATCH, (batch + 1) * BATCH)
    portable = run_cases(cases(seed, numbers), host(dsp=False), tmp_path / "portable", sanitized(batch), seed)
    assert len(portable) == BATCH
    assert_equal(portable)
    assert healthy_share(portable) > 0.6, "outputs that saturate hide mistakes"
    dsp = run_cases(cases(seed, numbers), host(dsp=True), tmp_path / "dsp", sanitized(batch), seed, dsp_only=True)
    assert len(dsp) > BATCH // 8
    assert_equal(dsp)


@pytest.mark.parametrize("board", EMULATED)
def test_equals_tflm_on_emulated_boards(board: str, full: bool, seed: int, tmp_path: Path) -> None:
    """The same models in cross-compiled code, where the DSP kernels are instructions and not C twins."""
    for tool in ("qemu-system-arm", "arm-none-eabi-gcc"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed: emulated boards are not tested")
    first = EMULATED.index(board)
    numbers = range(2 * BATCH) if full else range(first, len(KINDS), len(EMULATED))
    build = BuildOptions(optimize=OPTIMIZE[board])
    outcomes = run_cases(cases(seed + 1, numbers), load_board(board), tmp_path, build, seed)
    assert_equal(outcomes)


def test_a_wrong_answer_is_seen(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One wrong bit in one output makes a batch fail, and only its own model."""

    def emit_wrong(plan: Plan, include: Path) -> dict[str, str]:
        files = dict(emit(plan, include))
        if plan.name == "m2":
            first = plan.placed(plan.schedule.graph.outputs[0]).offset
            wrong = f"\tm2_arena[{first}] ^= 1u;\n\treturn RUNNEL_OK;\n}}"
            files["m2.c"] = files["m2.c"].replace("\treturn RUNNEL_OK;\n}", wrong, 1)
        return files

    monkeypatch.setattr("random_models.batch.emit", emit_wrong)
    outcomes = run_cases(cases(seed, range(6)), host(dsp=False), tmp_path, BuildOptions(optimize="-O1"), seed)
    assert [bool(o.problem) for o in outcomes] == [False, False, True, False, False, False]


def test_equals_tflm_for_whatever_hypothesis_draws(full: bool, seed: int, tmp_path: Path) -> None:
    """Few examples, one compilation each; worth it because hypothesis shrinks what fails to the smallest model."""
    numbers = itertools.count()

    @hypothesis.seed(seed)
    @settings(max_examples=100 if full else 12, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def check(data: st.DataObject) -> None:
        source = DrawnSource(data.draw)
        kind = source.choice(tuple(OPERATORS))
        case = make_case(kind, operator_model(source, kind), kind in ALWAYS_ORIGINAL)
        folder = tmp_path / str(next(numbers))
        assert_equal(run_cases([case], host(dsp=source.chance(0.5)), folder, BuildOptions(optimize="-O0")))

    check()
