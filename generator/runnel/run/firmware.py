# SPDX-License-Identifier: Apache-2.0
"""Run firmware on its board, whatever executes it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from runnel.boards import Board
from runnel.build.firmware import Firmware
from runnel.errors import RunError
from runnel.run.process import run_program
from runnel.run.qemu import qemu_command
from runnel.run.result import RunResult, read_result
from runnel.run.serial import HELLO_TIMEOUT_S, NobodyAnswers, SerialRun, open_port, run_serial
from runnel.run.serial_emulator import AUTO_PTY, EMULATOR_HELLO_TIMEOUT_S, emulated_port
from runnel.run.serial_flash import flash
from runnel.run.serial_host import OtherFirmware

DEFAULT_TIMEOUT_S = 600.0


def run_firmware(
    firmware: Firmware,
    inputs: Sequence[bytes],
    *,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    count_instructions: bool = True,
    progress: Callable[[int, int], None] | None = None,
    port: str | None = None,
    may_flash: bool = True,
) -> RunResult:
    """Run the model on every record of `inputs` (the bytes of all its inputs in order) and collect the outputs.

    Without `count_instructions` QEMU is several times faster and the result has none.
    `progress` is called with the records done and their number after each one.
    `port` is the serial port of a real board, or auto-pty to start an emulated one with firmware that was built to
    speak over its UART. A board that runs other firmware is written anew, unless `may_flash` is False.
    Raises RunError when the board cannot be run here, a record has the wrong length, the firmware faults, fails
    or writes outside its arena, or `timeout_s` seconds pass.
    """
    check_runnable(firmware.board, port)
    runner = firmware.board.runner
    counts = count_instructions and runner is not None and runner.timer is not None
    _check_records(firmware, inputs)
    follow = None if progress is None else _Progress(progress, len(inputs))
    if port is not None:
        run = _run_on_port(firmware, b"".join(inputs), port, may_flash, timeout_s, follow)
        return read_result(firmware, run.finished, run.outputs, len(inputs), counts=False, clock_hz=run.clock_hz)
    with tempfile.TemporaryDirectory(prefix="runnel-run-") as name:
        directory = Path(name)
        (directory / "inputs.bin").write_bytes(b"".join(inputs))
        finished = run_program(
            _command(firmware, counts),
            directory,
            timeout_s=timeout_s,
            environment=_environment(firmware),
            on_line=follow,
        )
        outputs = directory / "outputs.bin"
        data = outputs.read_bytes() if outputs.is_file() else b""
    return read_result(firmware, finished, data, len(inputs), counts=counts)


def check_runnable(board: Board, port: str | None = None) -> None:
    """Raises RunError, with what to do instead, when nothing here can execute firmware for `board`."""
    kind = board.runner.kind if board.runner is not None else None
    if port is not None and (board.runner is None or board.runner.uart is None):
        raise RunError(f"{board.name} has no serial line; run it without a port")
    if kind in ("qemu", "host") or (kind == "serial" and port is not None):
        return
    instead = board.try_instead
    hint = f"; try --board {instead}: the same core, emulated" if instead else ""
    if kind == "serial":
        raise RunError(
            f"{board.name} is real hardware: plug it in and give its serial port, as in --port /dev/ttyACM0{hint}"
        )
    if kind is None:
        raise RunError(f"{board.name} cannot be run from here: it is real hardware without an emulator{hint}")
    raise RunError(f"{board.name} is run by {kind}, which this version of Runnel does not drive yet{hint}")


def _run_on_port(
    firmware: Firmware, inputs: bytes, port: str, may_flash: bool, timeout_s: float, follow: _Progress | None
) -> SerialRun:
    runner = firmware.board.runner
    uart = runner.uart if runner is not None else None
    if uart is None or not firmware.serial:
        raise RunError(f"{firmware.path} was not built to speak over a serial line (BuildOptions.serial)")

    def run(name: str, hello_timeout_s: float = HELLO_TIMEOUT_S) -> SerialRun:
        limits = {"timeout_s": timeout_s, "hello_timeout_s": hello_timeout_s}
        with open_port(name, uart.baud) as line:
            return run_serial(firmware, line, inputs, port=name, on_line=follow, **limits)

    if port == AUTO_PTY:
        with emulated_port(firmware.board, firmware.path) as name:
            return run(name, EMULATOR_HELLO_TIMEOUT_S)
    try:
        return run(port)
    except (OtherFirmware, NobodyAnswers):
        if not may_flash:
            raise
        flash(firmware.board, firmware.path)
    return run(port)


def _check_records(firmware: Firmware, inputs: Sequence[bytes]) -> None:
    expected = firmware.model.input_bytes
    for index, record in enumerate(inputs):
        if len(record) != expected:
            name = firmware.model.name
            raise RunError(f"record {index} for {name} has {len(record)} bytes; its inputs take {expected}")


def _command(firmware: Firmware, counts: bool) -> tuple[str, ...]:
    if firmware.board.is_host:
        return (str(firmware.path),)
    return qemu_command(firmware.board, firmware.path, count_instructions=counts)


def _environment(firmware: Firmware) -> Mapping[str, str] | None:
    if not firmware.options.sanitize:
        return None
    # Where ptrace is forbidden (containers) the leak check itself fails; the harness allocates nothing that leaks.
    return {**os.environ, "ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "print_stacktrace=1"}


class _Progress:
    """Counts finished records in the console of the harness."""

    def __init__(self, report: Callable[[int, int], None], records: int) -> None:
        self._report = report
        self._records = records
        self._done = 0

    def __call__(self, line: str) -> None:
        if line.startswith("ticks: "):
            self._done += 1
            self._report(self._done, self._records)
