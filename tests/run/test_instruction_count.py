# SPDX-License-Identifier: Apache-2.0
"""Instruction counts are right on a loop whose length is known, and the same on every run."""

from __future__ import annotations

from typing import Any

import pytest

from runnel.run import run_firmware
from runnel.run.result import instructions_from_ticks

LOOP = 108
INSTRUCTIONS_PER_ITERATION = 2  # subs, bne
ITERATIONS = 1_000_000
# Everything in fake_run() but the loop.
OVERHEAD = 1_000
TICK = 50


@pytest.mark.parametrize("board", ["qemu-m3", "qemu-m4", "qemu-m7", "qemu-m33", "qemu-m55"])
def test_calibration(board: str, build_fake: Any, record: Any) -> None:
    records = [record(LOOP, 1), record(LOOP, ITERATIONS), record(LOOP, 2 * ITERATIONS)]
    runs = [run_firmware(build_fake(board), records, timeout_s=60).instructions for _ in range(2)]
    assert runs[0] is not None
    none, one, two = runs[0]
    expected = INSTRUCTIONS_PER_ITERATION * ITERATIONS
    assert abs(one - expected) <= expected / 1000 + OVERHEAD
    # Differences cancel what surrounds the loop: only the resolution of the timer is left.
    assert abs((one - none) - (expected - INSTRUCTIONS_PER_ITERATION)) <= TICK
    assert abs((two - one) - expected) <= TICK
    assert none < OVERHEAD
    assert runs[0] == runs[1]


def test_ticks_become_instructions() -> None:
    assert instructions_from_ticks(1, 25_000_000) == 40
    assert instructions_from_ticks(1, 20_000_000) == 50
    assert instructions_from_ticks(4, 32_000_000) == 125
    assert instructions_from_ticks(1 << 62, 25_000_000) == 40 << 62
