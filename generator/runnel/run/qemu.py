# SPDX-License-Identifier: Apache-2.0
"""The command that runs bare-metal firmware in QEMU."""

from __future__ import annotations

import shutil
from pathlib import Path

from runnel.boards import Board
from runnel.errors import RunError

EMULATOR = "qemu-system-arm"

# shift=0: each instruction takes one virtual nanosecond, which the board's timer counts.
_COUNT_INSTRUCTIONS = ("-icount", "shift=0,sleep=off,align=off")


def find_emulator(board: Board) -> str:
    """Path of QEMU. Raises RunError naming the Debian package when it is not installed."""
    found = shutil.which(EMULATOR)
    if found is None:
        raise RunError(
            f"{EMULATOR} was not found, which runs {board.name}; on Debian or Ubuntu: "
            "sudo apt-get install qemu-system-arm"
        )
    return found


def qemu_command(board: Board, elf: Path, *, count_instructions: bool) -> tuple[str, ...]:
    """How to start firmware for `board`; its files are in the working directory, its console is stdout."""
    runner = board.runner
    assert runner is not None
    assert runner.machine is not None
    return (
        find_emulator(board),
        *("-machine", runner.machine),
        *("-display", "none", "-monitor", "none", "-serial", "none"),
        *("-chardev", "stdio,id=console"),
        *("-semihosting-config", "enable=on,target=native,chardev=console"),
        *(_COUNT_INSTRUCTIONS if count_instructions else ()),
        *("-kernel", str(elf)),
    )
