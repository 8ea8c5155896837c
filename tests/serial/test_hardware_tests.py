# SPDX-License-Identifier: Apache-2.0
"""tests/hardware itself: on an emulated board, and what it does with the log of a probe."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def hardware_tests(*options: str) -> str:
    command = (sys.executable, "-m", "pytest", "tests/hardware", "-n", "0", "-rs", "-p", "no:cacheprovider", *options)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_on_an_emulated_board(tflm: None, tmp_path: Path) -> None:
    for tool in ("arm-none-eabi-gcc", "qemu-system-arm"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    record = tmp_path / "record.json"
    options = ("--board", "qemu-m7", "--port", "auto-pty", "--inferences", "2", "--record", str(record))
    printed = hardware_tests(*options)
    assert "qemu-m7 counts no cycles" in printed
    found = json.loads(record.read_text(encoding="utf-8"))
    assert found["clock_hz"] == 25_000_000
    models = sorted((ROOT / "models").glob("*/*.tflite"))
    assert list(found["models"]) == [m.parent.name for m in models] and len(models) > 1
    for name, model in found["models"].items():
        assert (model["mismatches"], model["guard_intact"], model["selftest_passed"]) == (0, True, True), name
        assert f"{name} " in printed


def test_reasons_for_skipping() -> None:
    assert "no board: pytest tests/hardware --board stm32f746 --port /dev/ttyACM0" in hardware_tests()
    printed = hardware_tests("--board", "stm32f746")
    assert "no port: add --port /dev/ttyACM0" in printed
    assert "no log of a current probe: add --current-log FILE" in printed


def test_a_log_of_an_earlier_run(tmp_path: Path) -> None:
    """21.6 million cycles at 216 MHz are 100 ms; 3.3 V and 150 mA in them 49.5 mJ."""
    record, log = tmp_path / "record.json", tmp_path / "log.csv"
    model = {"cycles": [21_600_000, 21_600_000], "macs": 10_000_000, "stack_bytes": 200, "mismatches": 0}
    data = {"board": "stm32f746", "port": "/dev/ttyACM0", "clock_hz": 216_000_000, "models": {"person": model}}
    record.write_text(json.dumps(data), encoding="utf-8")
    rows = [(k, 150 if 200 <= k < 300 or 600 <= k < 700 else 90) for k in range(1000)]
    lines = [f"{ms},{ma},{int(ma == 150)}" for ms, ma in rows]
    log.write_text("\n".join(["Timestamp(ms),Current(mA),D0", *lines]) + "\n", encoding="utf-8")
    options = ("--board", "stm32f746", "--record", str(record), "--current-log", str(log), "--volts", "3.3")
    printed = hardware_tests(*options)
    measured = json.loads(record.read_text(encoding="utf-8"))["models"]["person"]["millijoules"]
    assert measured == pytest.approx([49.5, 49.5])
    assert "100.00" in printed and "49.500" in printed
