# SPDX-License-Identifier: Apache-2.0
"""The models on a real board: exact outputs, cycles, and energy where a probe logged it.

pytest tests/hardware --board stm32f746 --port /dev/ttyACM0
pytest tests/hardware --board qemu-m7 --port auto-pty      (the same tests without hardware; no cycles)
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from runnel.boards import load_board
from runnel.run.energy import energy_per_model, read_current_log

from .board_run import ROOT, Record, Settings, run_on_board

MODELS = sorted((ROOT / "models").glob("*/*.tflite"))

# A core that multiplies two pairs in a cycle and never waits.
_FEWEST_CYCLES_PER_MAC = 0.5
# Between inputs: caches start in other states; no kernel branches on data enough for more.
_SPREAD = 0.05


def name_of(model: Path) -> str:
    """The folder's name: two keyword models have the same file name."""
    return model.parent.name


@pytest.fixture(scope="module")
def settings(request: pytest.FixtureRequest, record: Record, seed: int) -> Settings:
    if record.port is None:
        pytest.skip("no port: add --port /dev/ttyACM0, or --port auto-pty for an emulated board")
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    option = request.config.getoption
    return Settings(record.board, record.port, not option("--no-flash"), option("--inferences"), seed)


@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_outputs_equal_the_oracle(model: Path, record: Record, settings: Settings, tflm: None, tmp_path: Path) -> None:
    result, macs, mismatches = run_on_board(model, settings, tmp_path)
    record.add(name_of(model), result, macs, mismatches)
    assert mismatches == 0
    assert result.guard_intact and result.selftest_passed
    assert result.stack_bytes is not None and 0 < result.stack_bytes < 8192


def test_cycles(record: Record, settings: Settings) -> None:
    runner = load_board(settings.board).runner
    if runner is None or runner.timer is None or runner.timer.kind != "dwt":
        pytest.skip(f"{settings.board} counts no cycles")
    assert record.clock_hz == runner.timer.hz, "the board does not run at the clock of its board file"
    for name, model in record.models.items():
        cycles = model["cycles"]
        assert min(cycles) > _FEWEST_CYCLES_PER_MAC * model["macs"], name
        assert max(cycles) - min(cycles) < _SPREAD * min(cycles), f"{name}: {cycles}"


def test_energy(request: pytest.FixtureRequest, record: Record) -> None:
    """Also without a port: then for the log of the run that was recorded last."""
    path = request.config.getoption("--current-log")
    if path is None:
        pytest.skip("no log of a current probe: add --current-log FILE")
    if not record.models:
        if not record.path.is_file():
            pytest.skip(f"{record.path} is absent: run with --port first, while the probe logs")
        record.load()
    durations = record.seconds()
    if not durations:
        pytest.skip(f"{record.board} counts no cycles")
    record.add_energy(energy_per_model(read_current_log(path, request.config.getoption("--volts")), durations))
    assert all(joules > 0 for model in record.models.values() for joules in model["millijoules"])
