# SPDX-License-Identifier: Apache-2.0
"""Run firmware on a real board over a serial line."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from runnel.build.firmware import Firmware
from runnel.errors import RunError
from runnel.run.process import Finished
from runnel.run.serial_host import SerialHost
from runnel.run.serial_protocol import RESET, Frame, FrameReader, encode

_POLL_S = 0.05
_WRITE_TIMEOUT_S = 5.0
_RESET_EVERY_S = 0.5
HELLO_TIMEOUT_S = 5.0
"""How long a board may take to say hello: it needs milliseconds to start."""

_READ_BYTES = 4096


class Line(Protocol):
    """What is needed of a serial port; pyserial's Serial has it."""

    def read(self, size: int) -> bytes: ...
    def write(self, data: bytes, /) -> int | None: ...
    def close(self) -> None: ...


class NobodyAnswers(RunError):
    """Nothing that speaks the protocol is at the other end; writing firmware to the board may help."""


@dataclass(frozen=True)
class SerialRun:
    """A run over a serial line: how it ended, what it wrote, and the clock of the core in Hz."""

    finished: Finished
    outputs: bytes
    clock_hz: int


@contextmanager
def open_port(port: str, baud: int) -> Iterator[Line]:
    """The serial port `port` (a device, or one of pyserial's URLs). Raises RunError when it cannot be opened."""
    try:
        import serial
    except ImportError as error:
        raise RunError("pyserial is not installed, which talks to boards: pip install 'runnel[serial]'") from error
    try:
        line = serial.serial_for_url(port, baud, timeout=_POLL_S, write_timeout=_WRITE_TIMEOUT_S, exclusive=True)
    except (OSError, ValueError) as error:
        raise RunError(f"{port} cannot be opened: {_reason(error)}. {_advice(port, error)}") from error
    try:
        yield line
    finally:
        line.close()


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _advice(port: str, error: Exception) -> str:
    text = str(error)
    if "Permission" in text or "Errno 13" in text:
        return "Join the group that owns it (on Debian and Ubuntu: sudo adduser $USER dialout, then log in again)"
    if "busy" in text or "exclusively lock" in text or "Errno 11" in text:
        return "Another program uses it: close the serial monitor"
    try:
        from serial.tools.list_ports import comports

        found = sorted(p.device for p in comports())
    except (ImportError, OSError):
        found = []
    there = f"Serial ports of this computer: {', '.join(found)}" if found else "This computer has no serial port now"
    return f"{there}; is the board plugged in?"


def run_serial(
    firmware: Firmware,
    line: Line,
    inputs: bytes,
    *,
    port: str,
    timeout_s: float,
    hello_timeout_s: float = HELLO_TIMEOUT_S,
    on_line: Callable[[str], None] | None = None,
) -> SerialRun:
    """Restart the board at the other end of `line`, answer what it asks for, until it says that it is done.

    Raises OtherFirmware when the board runs something else, NobodyAnswers when nobody does within
    `hello_timeout_s` seconds, RunError when the port goes away, or the run takes longer than `timeout_s` seconds.
    """
    host = SerialHost(firmware.build_id, firmware.model.name, inputs, on_line)
    reader = FrameReader()
    start = time.monotonic()
    next_reset = start
    while host.exit_code is None:
        now = time.monotonic()
        if host.hello is None:
            if now - start > hello_timeout_s:
                raise NobodyAnswers(_nobody(firmware, port, reader))
            if now >= next_reset:
                _write(line, encode(Frame(0, RESET)), port)
                next_reset = now + _RESET_EVERY_S
        elif now - start > timeout_s:
            last = f"; its last line was {host.lines[-1]!r}" if host.lines else " without printing anything"
            raise RunError(f"the firmware was still running after {timeout_s:g} s{last}")
        for request in _once(reader.feed(_read(line, port))):
            answer = host.answer(request)
            if answer is not None:
                _write(line, encode(answer), port)
    assert host.hello is not None
    return SerialRun(Finished(host.exit_code, tuple(host.lines)), bytes(host.outputs), host.hello.clock_hz)


def _once(requests: list[Frame]) -> list[Frame]:
    """Where we were slow, repetitions have arrived as well; one answer is enough."""
    return [request for i, request in enumerate(requests) if requests[i + 1 : i + 2] != [request]]


def _read(line: Line, port: str) -> bytes:
    try:
        waiting = getattr(line, "in_waiting", 0)
        return line.read(max(1, min(waiting, _READ_BYTES)))
    except (OSError, TypeError) as error:  # pyserial raises TypeError when the port is closed under it
        raise RunError(_gone(port, error)) from error


def _write(line: Line, data: bytes, port: str) -> None:
    try:
        line.write(data)
    except OSError as error:
        raise RunError(_gone(port, error)) from error


def _gone(port: str, error: Exception) -> str:
    return f"{port} went away during the run ({_reason(error)}): look at the cable and the board's power"


def _nobody(firmware: Firmware, port: str, reader: FrameReader) -> str:
    board = firmware.board.name
    if reader.noise:
        text = bytes(reader.noise).decode("ascii", errors="backslashreplace")
        return (
            f"what talks on {port} is not Runnel's test firmware for {board}: {text[:80]!r}. Another program is on "
            f"the board, or its baud rate differs from the board file's; write {firmware.path} to it"
        )
    return (
        f"nobody answered on {port}: is it the port of {board}, has the board power, and was {firmware.path} written "
        "to it? Press its reset button and try again"
    )
