# SPDX-License-Identifier: Apache-2.0
"""Start a program, follow its console, and never hang."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from runnel.errors import RunError

# What a program may print before it is stopped: a broken one must not fill our memory.
_MAXIMUM_LINES = 1_000_000
_LINE_BYTES = 10_000


@dataclass(frozen=True)
class Finished:
    """A program that ended: its exit code (negative: the signal that killed it) and what it printed."""

    exit_code: int
    lines: tuple[str, ...]


def run_program(
    command: Sequence[str],
    directory: Path,
    *,
    timeout_s: float,
    environment: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] | None = None,
) -> Finished:
    """Run `command` in `directory`; `on_line` gets every line of stdout and stderr as it appears.

    Raises RunError when it cannot be started, prints without end, or is still running after `timeout_s` seconds.
    """
    try:
        process = subprocess.Popen(
            command,
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except OSError as error:
        raise RunError(f"{command[0]} could not be started: {error.strerror}") from error
    expired = threading.Event()

    def expire() -> None:
        expired.set()
        process.kill()

    timer = threading.Timer(timeout_s, expire)
    timer.daemon = True
    timer.start()
    try:
        lines = _follow(process, on_line)
        exit_code = process.wait()
    finally:
        timer.cancel()
        process.kill()
        process.wait()
    if expired.is_set():
        last = f"; its last line was {lines[-1]!r}" if lines else " without printing anything"
        raise RunError(f"the firmware was still running after {timeout_s:g} s and was stopped{last}")
    return Finished(exit_code, tuple(lines))


def _follow(process: subprocess.Popen[bytes], on_line: Callable[[str], None] | None) -> list[str]:
    lines: list[str] = []
    assert process.stdout is not None
    with process.stdout as console:
        while raw := console.readline(_LINE_BYTES):
            line = raw.decode("utf-8", errors="replace").rstrip("\r\n")
            lines.append(line)
            if len(lines) > _MAXIMUM_LINES:
                raise RunError("the firmware prints without end and was stopped")
            if on_line is not None:
                on_line(line)
    return lines
