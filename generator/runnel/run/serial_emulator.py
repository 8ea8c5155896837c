# SPDX-License-Identifier: Apache-2.0
"""An emulated board at the other end of a pseudo terminal: the serial line without hardware."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runnel.boards import Board
from runnel.errors import RunError
from runnel.run.qemu import find_emulator

AUTO_PTY = "auto-pty"
"""Stands for the port of an emulated board that is started for the run."""

EMULATOR_HELLO_TIMEOUT_S = 60.0
"""How long emulated firmware may take to say hello: seconds, on a busy computer many."""

_REDIRECTED = re.compile(r"char device redirected to (\S+)")
_START_TIMEOUT_S = 20.0


@contextmanager
def emulated_port(board: Board, elf: Path) -> Iterator[str]:
    """Starts QEMU with `elf`; yields the name of the terminal that is its UART. Raises RunError if it cannot start."""
    runner = board.runner
    if runner is None or runner.kind != "qemu" or runner.machine is None:
        raise RunError(f"port {AUTO_PTY} starts an emulator, and {board.name} is not emulated; give the board's port")
    command = (
        *(find_emulator(board), "-machine", runner.machine, "-display", "none", "-monitor", "none"),
        *("-serial", "pty", "-kernel", str(elf)),
    )
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    timer = threading.Timer(_START_TIMEOUT_S, process.kill)
    timer.start()
    try:
        port = _read_port(process)
        timer.cancel()
        yield port
    finally:
        timer.cancel()
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _read_port(process: subprocess.Popen[str]) -> str:
    printed = ""
    assert process.stdout is not None
    for line in process.stdout:
        printed += line
        match = _REDIRECTED.search(line)
        if match:
            return match[1]
    raise RunError(f"QEMU ended before it said where its serial line is: {printed.strip()}")
