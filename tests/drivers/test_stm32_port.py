# SPDX-License-Identifier: Apache-2.0
"""The vww app with the STM32 port, in QEMU's only machine with such a UART: it answers what the others answer."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# QEMU has neither its clocks nor its cycle counter: the driver stays on the internal oscillator, times are 0.
BOARD = """\
name: stm32f405
description: QEMU netduinoplus2
core: cortex-m4
fpu: single
dsp: true
mve: false
clock_hz: 16000000
memories:
  - {name: flash, kind: flash, address: 0x08000000, bytes: 1M, cached: false, dma: true}
  - {name: sram, kind: sram, address: 0x20000000, bytes: 128K, cached: false, dma: true}
runner: {kind: serial, uart: {kind: stm32, baud: 115200}}
"""
ANSWERS = {"astronaut.ppm": "person: 0.85 (0 ms)", "chelsea.ppm": "person: 0.28 (0 ms)"}


def answers(lines: list[str]) -> dict[str, str]:
    return {name: line.split("output: ")[1] for line in lines for name in ANSWERS if line.startswith(f"{name}: ")}


def run(*command: str) -> list[str]:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def console_of(elf: Path) -> list[str]:
    """What the board prints until it stops for good, which QEMU does not notice."""
    command = ("qemu-system-arm", "-M", "netduinoplus2", "-display", "none", "-monitor", "none", "-serial", "stdio")
    process = subprocess.Popen((*command, "-kernel", str(elf)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    lines: list[str] = []
    try:
        assert process.stdout is not None
        for raw in process.stdout:
            assert raw.endswith(b"\r\n"), "terminals want both"
            lines.append(raw.decode().rstrip())
            if lines[-1].startswith(("exit: ", "fault: ")):
                break
    finally:
        process.kill()
        process.communicate()
    return lines


def test_vww_on_an_emulated_stm32(tmp_path: Path) -> None:
    for tool in ("arm-none-eabi-gcc", "qemu-system-arm"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    board = tmp_path / "stm32f405.yaml"
    board.write_text(BOARD, encoding="utf-8")
    script = (sys.executable, "-m", "runnel.app", "vww")
    run(*script, "--board", str(board), "-o", str(tmp_path / "stm32"))
    printed = console_of(tmp_path / "stm32" / "vww.elf")
    assert printed[0] == "clock: the PLL did not start; running at 16000000 Hz"
    assert "selftest: ok" in printed
    assert printed[-1] == "exit: 0"
    for name, answer in ANSWERS.items():
        assert any(line.startswith(f"{name}: {answer}") for line in printed), printed
    elsewhere = run(*script, "--run", "--fast", "-o", str(tmp_path / "qemu"))
    assert answers(printed) == answers(elsewhere) and len(answers(printed)) == 2
