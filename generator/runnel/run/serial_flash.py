# SPDX-License-Identifier: Apache-2.0
"""Write firmware to a board, with whichever tool is there."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from runnel.boards import Board, FlashTool
from runnel.errors import RunError

ZEPHYR_BUILD = "RUNNEL_ZEPHYR_BUILD"
"""Environment variable: a build folder of `west build` for the same board, whose runner `west flash` then uses."""

_TIMEOUT_S = 180
_SHOWN_LINES = 10


@dataclass(frozen=True)
class _Tool:
    """`usable`: is it there? `command`: what writes and verifies `elf`, then resets. `missing`: what to do if not."""

    usable: Callable[[], bool]
    command: Callable[[Board, Path], tuple[str, ...]]
    missing: str


def _openocd_arguments(board: Board, elf: Path) -> tuple[str, ...]:
    assert board.runner is not None
    files = tuple(part for file in board.runner.openocd for part in ("-f", file))
    # Braces: a path with spaces is one word of Tcl.
    return (*files, "-c", f"program {{{elf}}} verify reset exit")


def _west_command(_: Board, elf: Path) -> tuple[str, ...]:
    # west flash wants a folder of west build; of it only the runner's settings are used. With an ELF it would load
    # RAM instead of writing flash.
    options = ("--skip-rebuild", "--build-dir", os.environ[ZEPHYR_BUILD], "--runner", "openocd")
    return ("west", "flash", *options, "--hex-file", str(elf.with_suffix(".hex")))


def _write_hex(elf: Path) -> None:
    _run(("arm-none-eabi-objcopy", "-O", "ihex", str(elf), str(elf.with_suffix(".hex"))), "converting to Intel hex")


_TOOLS: Mapping[FlashTool, _Tool] = MappingProxyType(
    {
        "openocd": _Tool(
            lambda: shutil.which("openocd") is not None,
            lambda board, elf: ("openocd", *_openocd_arguments(board, elf)),
            "install OpenOCD (on Debian and Ubuntu: sudo apt-get install openocd)",
        ),
        "pio": _Tool(
            lambda: shutil.which("pio") is not None,
            lambda board, elf: (
                *("pio", "pkg", "exec", "--package", "platformio/tool-openocd", "--", "openocd"),
                *_openocd_arguments(board, elf),
            ),
            "install PlatformIO (pip install platformio), which brings OpenOCD",
        ),
        "west": _Tool(
            lambda: shutil.which("west") is not None and ZEPHYR_BUILD in os.environ,
            _west_command,
            f"set {ZEPHYR_BUILD} to a build folder of `west build` for this board, for west flash",
        ),
    }
)


def flash_command(board: Board, elf: Path) -> tuple[str, ...]:
    """The command that writes `elf` to `board`, with the first tool of the board file that is installed.

    Raises RunError, naming what to install, when there is none.
    """
    tools = board.runner.flash if board.runner is not None else ()
    for name in tools:
        if _TOOLS[name].usable():
            return _TOOLS[name].command(board, elf)
    if not tools:
        raise RunError(f"the board file of {board.name} names no tool that writes firmware; write {elf} to it yourself")
    ways = "; or ".join(_TOOLS[name].missing for name in tools)
    raise RunError(f"there is no tool to write firmware to {board.name}: {ways}; or write {elf} to it yourself")


def flash(board: Board, elf: Path) -> str:
    """Write `elf` to `board`; the name of the tool that did. Raises RunError with what the tool said when it failed."""
    command = flash_command(board, elf)
    if command[0] == "west":
        _write_hex(elf)
    _run(command, f"writing to {board.name}; is it plugged in, and does no other program use its debugger?")
    return command[0]


def _run(command: tuple[str, ...], what: str) -> None:
    tool = command[0]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise RunError(f"{tool} did not finish within {_TIMEOUT_S} s: {what}") from error
    except OSError as error:
        raise RunError(f"{tool} could not be started: {error.strerror}") from error
    if done.returncode != 0:
        lines = (done.stdout + done.stderr).strip().splitlines()[-_SHOWN_LINES:]
        raise RunError(f"{tool} failed: {what}\n" + "\n".join(lines))
