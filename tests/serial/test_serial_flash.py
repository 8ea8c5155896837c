# SPDX-License-Identifier: Apache-2.0
"""Writing firmware: the right tool with the right words, and what is said when there is none. The tools are fakes."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from runnel.boards import Runner, Uart, load_board
from runnel.errors import RunError
from runnel.run.serial_flash import ZEPHYR_BUILD, flash, flash_command

BOARD = load_board("stm32f746")
ELF = Path("/builds/with space/person.elf")


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Only the named tools are on PATH; each runs `script`."""
    monkeypatch.delenv(ZEPHYR_BUILD, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))

    def install(*names: str, script: str = "exit 0") -> None:
        for name in names:
            tool = tmp_path / name
            tool.write_text(f"#!/bin/sh\n{script}\n")
            tool.chmod(0o755)

    return install


def test_openocd_comes_first(tools) -> None:  # type: ignore[no-untyped-def]
    tools("openocd", "pio")
    files = ("-f", "board/stm32f7discovery.cfg")
    assert flash_command(BOARD, ELF) == ("openocd", *files, "-c", f"program {{{ELF}}} verify reset exit")


def test_pio_brings_openocd(tools) -> None:  # type: ignore[no-untyped-def]
    tools("pio")
    command = flash_command(BOARD, ELF)
    assert command[:7] == ("pio", "pkg", "exec", "--package", "platformio/tool-openocd", "--", "openocd")
    assert command[-1] == f"program {{{ELF}}} verify reset exit"


def test_west_needs_a_build_folder(tools, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    tools("west")
    with pytest.raises(RunError, match=ZEPHYR_BUILD):
        flash_command(BOARD, ELF)
    monkeypatch.setenv(ZEPHYR_BUILD, "/zephyr/build")
    command = flash_command(BOARD, ELF)
    assert command[:2] == ("west", "flash")
    assert command[command.index("--build-dir") + 1] == "/zephyr/build"
    assert command[command.index("--hex-file") + 1] == str(ELF.with_suffix(".hex"))


def test_no_tool(tools) -> None:  # type: ignore[no-untyped-def]
    message = r"no tool to write firmware to stm32f746: install OpenOCD.*; or install PlatformIO.*; or write /builds"
    with pytest.raises(RunError, match=message):
        flash(BOARD, ELF)
    bare = replace(BOARD, runner=Runner(kind="serial", uart=Uart("stm32", 115200)))
    with pytest.raises(RunError, match="names no tool"):
        flash(bare, ELF)


def test_what_the_tool_says_is_shown(tools) -> None:  # type: ignore[no-untyped-def]
    tools("openocd", script="echo 'Error: open failed' >&2; exit 1")
    with pytest.raises(RunError, match=r"openocd failed: writing to stm32f746; is it plugged in.*\nError: open failed"):
        flash(BOARD, ELF)
    tools("openocd")
    assert flash(BOARD, ELF) == "openocd"


@pytest.mark.parametrize("name", ["stm32f412", "stm32f746", "stm32f765", "stm32h743"])
def test_configuration_files_exist(name: str) -> None:
    folders = [Path(f) for f in (os.environ.get("OPENOCD_SCRIPTS"), "/usr/share/openocd/scripts") if f]
    scripts = next((f for f in folders if f.is_dir()), None)
    if scripts is None:
        pytest.skip("no OpenOCD scripts here ($OPENOCD_SCRIPTS or /usr/share/openocd/scripts)")
    runner = load_board(name).runner
    assert runner is not None and runner.openocd
    for file in runner.openocd:
        assert (scripts / file).is_file(), file
