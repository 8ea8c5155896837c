# SPDX-License-Identifier: Apache-2.0
"""The STM32 board files against two other sources: the devicetrees of a Zephyr tree and ST's own C headers in it."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from runnel.boards import Board, Memory, load_board
from zephyr.workspaces import Workspace, each_workspace, find_workspaces

HEADERS = {
    "stm32f412": ("stm32f4xx", "STM32F412Zx"),
    "stm32f746": ("stm32f7xx", "STM32F746xx"),
    "stm32f765": ("stm32f7xx", "STM32F765xx"),
    "stm32h743": ("stm32h7xx", "STM32H743xx"),
}
"""ST's family and device: the header stm32f4xx.h with STM32F412Zx defined."""

BASES = {
    "stm32f412": {"flash": "FLASH_BASE", "sram1": "SRAM1_BASE"},
    "stm32f746": {
        "flash": "FLASHAXI_BASE",
        "itcm": "RAMITCM_BASE",
        "dtcm": "RAMDTCM_BASE",
        "sram1": "SRAM1_BASE",
        "sram2": "SRAM2_BASE",
    },
    "stm32h743": {
        "flash": "D1_AXIFLASH_BASE",
        "itcm": "D1_ITCMRAM_BASE",
        "dtcm": "D1_DTCMRAM_BASE",
        "axi": "D1_AXISRAM_BASE",
        "sram1": "D2_AHBSRAM_BASE",
        "sram4": "D3_SRAM_BASE",
    },
}
BASES["stm32f765"] = BASES["stm32f746"]

OFF_CHIP = 0x60000000
NOT_FOR_PROGRAMS = {"st,stm32-backup-sram"}


def need(tool: str) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")


@functools.cache
def devicetree(workspace: Workspace, name: str) -> dict[str, Any] | None:
    """What read_devicetree.py finds for a board, None where this tree does not have it."""
    source = next((workspace.base / "boards").rglob(f"{name}.dts"), None)
    if source is None:
        return None
    base = workspace.base
    folders = [base / f for f in ("include", "include/zephyr", "dts", "dts/arm", "dts/common", "dts/vendor")]
    includes = [f"-I{f}" for f in (*folders, workspace.root / "modules" / "hal" / "stm32" / "dts", source.parent)]
    command = ["gcc", "-E", "-P", "-w", "-undef", "-nostdinc", "-D__DTS__", "-x", "assembler-with-cpp", *includes]
    text = subprocess.run([*command, str(source)], capture_output=True, text=True, check=True).stdout
    reader = [sys.executable, str(Path(__file__).parent / "read_devicetree.py"), "/dev/stdin"]
    library = str(base / "scripts" / "dts" / "python-devicetree" / "src")
    variables = {**os.environ, "PYTHONPATH": library}
    done = subprocess.run(reader, input=text, capture_output=True, text=True, check=True, env=variables)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def boards_in(workspace: Workspace, board: Board) -> dict[str, dict[str, Any]]:
    trees = {name: devicetree(workspace, name) for name in board.zephyr}
    return {name: tree for name, tree in trees.items() if tree is not None}


def merged(regions: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Regions as (first address, address behind), those that touch made one."""
    result: list[tuple[int, int]] = []
    for begin, end in sorted(regions):
        if result and result[-1][1] >= begin:
            begin = result.pop()[0]
        result.append((begin, end))
    return result


def spans(memories: Iterable[Memory]) -> list[tuple[int, int]]:
    return merged((memory.address, memory.end) for memory in memories)


@each_workspace
@pytest.mark.parametrize("name", HEADERS)
def test_memories_are_those_of_the_devicetrees(workspace: Workspace, name: str) -> None:
    """Of every Zephyr board that a board file names. Older trees leave out the ITCM."""
    need("gcc")
    board = load_board(name)
    trees = boards_in(workspace, board)
    if not trees:
        pytest.skip(f"Zephyr {workspace.name} at {workspace.base} has none of the boards {', '.join(board.zephyr)}")
    for zephyr_name, tree in trees.items():
        there = [
            (set(m["kinds"]), m["address"], m["address"] + m["bytes"])
            for m in tree["memories"]
            if m["address"] < OFF_CHIP and NOT_FOR_PROGRAMS.isdisjoint(m["kinds"])
        ]
        flash = [(begin, end) for kinds, begin, end in there if "soc-nv-flash" in kinds]
        sram = [(begin, end) for kinds, begin, end in there if "soc-nv-flash" not in kinds]
        has_itcm = any("arm,itcm" in kinds for kinds, _, _ in there)
        ours = [m for m in board.memories if m.kind == "sram" and (has_itcm or m.name != "itcm")]
        assert flash == spans(m for m in board.memories if m.kind == "flash"), zephyr_name
        assert merged(sram) == spans(ours), zephyr_name
        for core in ("itcm", "dtcm"):
            regions = [(begin, end) for kinds, begin, end in there if f"arm,{core}" in kinds]
            assert all(regions == [(m.address, m.end)] for m in ours if m.name == core), zephyr_name


@pytest.mark.parametrize("name", HEADERS)
def test_no_board_of_zephyrs_is_faster(name: str) -> None:
    """The fastest of them runs at the chip's largest clock, which is what the board file says."""
    need("gcc")
    workspaces = find_workspaces()
    if not any(workspace.version >= (4, 0, 0) for workspace in workspaces):
        pytest.skip("no workspace of Zephyr 4: older trees run some chips slower than they can")
    board = load_board(name)
    clocks = {n: t["clock_hz"] for w in workspaces for n, t in boards_in(w, board).items()}
    assert max(clocks.values()) == board.clock_hz, clocks


@each_workspace
@pytest.mark.parametrize("name", HEADERS)
def test_addresses_are_those_of_st(workspace: Workspace, name: str, tmp_path: Path) -> None:
    """The compiler compares: every fact is a _Static_assert."""
    need("arm-none-eabi-gcc")
    family, device = HEADERS[name]
    modules = workspace.root / "modules" / "hal"
    soc = modules / "stm32" / "stm32cube" / family / "soc"
    if not soc.is_dir():
        pytest.skip(f"the workspace of Zephyr {workspace.name} has no {soc}")
    board = load_board(name)
    facts = [f"{macro} == {board.memory(region).address:#x}u" for region, macro in BASES[name].items()]
    facts += [f"FLASH_END == {board.flash.end - 1:#x}u", "__FPU_PRESENT == 1"]
    facts += [f"__CORTEX_M == {board.core.removeprefix('cortex-m')}"]
    cached = int(any(memory.cached for memory in board.memories))
    lines = [f'#include "{family}.h"', "#ifndef __DCACHE_PRESENT", "#define __DCACHE_PRESENT 0", "#endif"]
    lines += [f'_Static_assert({fact}, "{fact}");' for fact in (*facts, f"__DCACHE_PRESENT == {cached}")]
    (tmp_path / "facts.c").write_text("\n".join(lines) + "\n")
    cpu = [f"-mcpu={board.core}", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"]
    headers = [f"-I{soc}", f"-I{modules / 'cmsis' / 'CMSIS' / 'Core' / 'Include'}"]
    command = ["arm-none-eabi-gcc", *cpu, f"-D{device}", *headers, "-fsyntax-only", "facts.c"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
