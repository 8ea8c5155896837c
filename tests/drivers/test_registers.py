# SPDX-License-Identifier: Apache-2.0
"""Our register addresses and bits are the vendor's. Compiled only; nothing of the vendor's is copied."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DRIVERS = ROOT / "boards" / "drivers"

# Board: family folder, device, core.
DEVICES = {
    "stm32f412": ("stm32f4xx", "STM32F412Zx", "cortex-m4"),
    "stm32f746": ("stm32f7xx", "STM32F746xx", "cortex-m7"),
    "stm32f765": ("stm32f7xx", "STM32F765xx", "cortex-m7"),
    "stm32h743": ("stm32h7xx", "STM32H743xx", "cortex-m7"),
}


def _workspaces() -> list[Path]:
    base = os.environ.get("ZEPHYR_BASE")
    found = [Path(base).parent] if base else []
    found += sorted(Path.home().glob("zephyrproject*"))
    return [w for w in dict.fromkeys(found) if (w / "modules" / "hal" / "stm32").is_dir()]


def _compile(workspace: Path, board: str, headers_of: str) -> subprocess.CompletedProcess[str]:
    family, device, core = DEVICES[headers_of]
    vendor = workspace / "modules" / "hal" / "stm32" / "stm32cube" / family / "soc"
    cmsis = workspace / "modules" / "hal" / "cmsis" / "CMSIS" / "Core" / "Include"
    command = [
        *("arm-none-eabi-gcc", f"-mcpu={core}", "-mthumb", "-mfloat-abi=hard", "-std=c11", "-fsyntax-only"),
        *(f"-DRUNNEL_BOARD_{board.upper()}", f"-D{device}", f'-DDEVICE_HEADER="{device.lower()}.h"'),
        *("-isystem", str(vendor), "-isystem", str(cmsis), f"-I{DRIVERS}"),
        str(Path(__file__).with_name("registers.c")),
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def workspaces() -> list[Path]:
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    found = _workspaces()
    if not found:
        pytest.skip("no Zephyr workspace with modules/hal/stm32 in $ZEPHYR_BASE/.. or ~/zephyrproject*")
    return found


@pytest.mark.parametrize("board", DEVICES)
def test_registers_are_those_of_the_device_headers(board: str, workspaces: list[Path]) -> None:
    for workspace in workspaces:
        done = _compile(workspace, board, headers_of=board)
        assert done.returncode == 0, f"{workspace}:\n{done.stderr}"


def test_a_wrong_register_is_found(workspaces: list[Path]) -> None:
    """The headers of another chip do not agree: the comparison can fail."""
    done = _compile(workspaces[0], "stm32f746", headers_of="stm32h743")
    assert done.returncode != 0
    assert "STM32_RCC is not RCC_BASE" in done.stderr
