# SPDX-License-Identifier: Apache-2.0
"""The harness on emulated boards behind a serial line, also a bad one: what real boards run, byte for byte."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest

from runnel.boards import load_board
from runnel.build import Firmware
from runnel.errors import RunError
from runnel.run import run_firmware
from runnel.run.serial import Line, NobodyAnswers, SerialRun, open_port, run_serial
from runnel.run.serial_emulator import AUTO_PTY, emulated_port
from runnel.run.serial_host import OtherFirmware
from runnel.run.serial_protocol import RESET, Frame, encode

from .conftest import ECHO_BYTES, NETDUINO, BuildEcho

HANG, FAIL, FAULT = b"command\xfe", b"command\xfd", b"command\xfc"


def records(count: int, seed: int = 1) -> list[bytes]:
    """Every kind of data that byte stuffing treats in its own way, then random bytes."""
    special = [bytes(ECHO_BYTES), b"\xff" * ECHO_BYTES, bytes(range(1, 251)) * 12, (b"\1" * 253 + b"\0") * 12]
    rng = random.Random(seed)
    data = [r[:ECHO_BYTES].ljust(ECHO_BYTES, b"\2") for r in special]
    return [*data, *(rng.randbytes(ECHO_BYTES) for _ in range(count))][:count]


class BadLine:
    """A serial line that loses, changes and adds bytes, `rate` of each, both ways; or breaks after some requests."""

    def __init__(self, line: Line, rate: float, seed: int = 0, *, inject: Callable[[int], bytes] | None = None) -> None:
        self._line = line
        self._rate = rate
        self._rng = random.Random(seed)
        self._inject = inject
        self.writes = 0
        self.damaged = 0

    def _spoil(self, data: bytes) -> bytes:
        spoiled = bytearray()
        for byte in data:
            if self._rng.random() >= self._rate:
                spoiled.append(byte)
                continue
            self.damaged += 1
            kind = self._rng.randrange(3)
            if kind == 1:
                spoiled.append(byte ^ 1 << self._rng.randrange(8))
            elif kind == 2:
                spoiled += bytes([byte, self._rng.randrange(256)])
        return bytes(spoiled)

    def read(self, size: int) -> bytes:
        return self._spoil(self._line.read(max(size, getattr(self._line, "in_waiting", 0))))

    def write(self, data: bytes) -> int:
        self.writes += 1
        extra = self._inject(self.writes) if self._inject is not None else b""
        self._line.write(extra + self._spoil(data))
        return len(data)

    def close(self) -> None:
        pass


def run_on(firmware: Firmware, port: str, inputs: list[bytes], **options: float) -> SerialRun:
    with open_port(port, 115200) as line:
        return run_serial(
            firmware, line, b"".join(inputs), port=port, **({"timeout_s": 60.0, "hello_timeout_s": 60.0} | options)
        )


@pytest.mark.parametrize("name", ["qemu-m3", "qemu-m4", "qemu-m7", "qemu-m33", "qemu-m55"])
def test_outputs_are_exact(name: str, build_echo: BuildEcho, full: bool) -> None:
    if name in ("qemu-m3", "qemu-m4") and not full:
        pytest.skip("the same UART and instructions as qemu-m7; runs with RUNNEL_FULL=1")
    given = records(5)
    result = run_firmware(build_echo(load_board(name)), given, timeout_s=60, port=AUTO_PTY)
    assert list(result.outputs) == given
    assert result.clock_hz == load_board(name).clock_hz
    assert result.cycles is None and result.instructions is None
    assert result.stack_bytes is not None and result.stack_bytes < 512


def test_the_stm32f4_drivers(build_echo: BuildEcho) -> None:
    """The UART driver against QEMU's model of it; its clocks are absent there, so the driver must fall back."""
    given = records(6)
    result = run_firmware(build_echo(NETDUINO), given, timeout_s=60, port=AUTO_PTY)
    assert list(result.outputs) == given
    assert result.clock_hz == 16_000_000


def test_a_board_runs_again_without_being_written_again(echo: Firmware, echo_port: str) -> None:
    for seed in range(3):
        given = records(6, seed)[4:]
        assert run_on(echo, echo_port, given).outputs == b"".join(given)


@pytest.mark.parametrize(("rate", "count"), [(1e-4, 8), (1e-3, 6)])
def test_noise_and_lost_bytes_do_not_change_the_outputs(
    rate: float, count: int, echo: Firmware, echo_port: str
) -> None:
    given = records(count)
    with open_port(echo_port, 115200) as line:
        bad = BadLine(line, rate, seed=3)
        run = run_serial(echo, bad, b"".join(given), port=echo_port, timeout_s=120, hello_timeout_s=60)
    assert run.outputs == b"".join(given)
    assert [line.split(":")[0] for line in run.finished.lines].count("ticks") == count
    assert bad.damaged > 0


def test_garbage_before_the_start(echo: Firmware, echo_port: str) -> None:
    with open_port(echo_port, 115200) as line:
        line.write(random.Random(1).randbytes(3000))
    assert run_on(echo, echo_port, records(1)).outputs == records(1)[0]


def test_a_run_that_was_cut_off_does_not_disturb_the_next(echo: Firmware, echo_port: str) -> None:
    class Stop(Exception):
        pass

    def stop(line: str) -> None:
        raise Stop

    with open_port(echo_port, 115200) as line, pytest.raises(Stop):
        run_serial(echo, line, b"".join(records(6)), port=echo_port, timeout_s=60, hello_timeout_s=60, on_line=stop)
    assert run_on(echo, echo_port, records(2)).outputs == b"".join(records(2))


def test_a_restart_in_the_middle_is_told(echo: Firmware, echo_port: str) -> None:
    with open_port(echo_port, 115200) as line:
        bad = BadLine(line, 0, inject=lambda n: encode(Frame(0, RESET)) if n == 12 else b"")
        with pytest.raises(RunError, match="restarted in the middle of the run"):
            run_serial(echo, bad, b"".join(records(6)), port=echo_port, timeout_s=60, hello_timeout_s=60)


def test_a_hanging_model(echo: Firmware) -> None:
    hang = HANG.ljust(ECHO_BYTES, b"\0")
    with pytest.raises(RunError, match=r"the firmware was still running after 4 s"):
        run_firmware(echo, [records(1)[0], hang], timeout_s=4, port=AUTO_PTY)


def test_a_failing_model(echo: Firmware) -> None:
    with pytest.raises(RunError, match=r"echo_run\(\) returned -9"):
        run_firmware(echo, [FAIL.ljust(ECHO_BYTES, b"\0")], timeout_s=60, port=AUTO_PTY)


def test_a_fault(echo: Firmware) -> None:
    """It is reported over the same line, in the middle of everything."""
    with pytest.raises(RunError, match=r"echo on qemu-m7: the processor faulted: at instruction 0x[0-9a-f]+, CFSR 0x"):
        run_firmware(echo, [records(1)[0], FAULT.ljust(ECHO_BYTES, b"\0")], timeout_s=60, port=AUTO_PTY)


def test_other_firmware_on_the_board(echo: Firmware, echo_port: str, build_echo: BuildEcho) -> None:
    newer = build_echo(echo.board, "NEWER=1")
    with pytest.raises(OtherFirmware, match=r"runs model echo \(build [0-9a-f]{8}\), not echo \(build [0-9a-f]{8}\)"):
        run_on(newer, echo_port, records(1))
    person = replace(echo, model=replace(echo.model, name="person"))
    with pytest.raises(OtherFirmware, match="not person"):
        run_firmware(person, records(1), timeout_s=60, port=echo_port, may_flash=False)


def test_other_firmware_is_replaced(echo: Firmware, echo_port: str, build_echo: BuildEcho) -> None:
    """By the tool of the board file; an emulated board has none, and the message says which file to write."""
    newer = build_echo(echo.board, "NEWER=1")
    with pytest.raises(RunError, match=r"board file of qemu-m7 names no tool that writes firmware; write .*echo\.elf"):
        run_firmware(newer, records(1), timeout_s=60, port=echo_port)


def test_a_cable_that_is_pulled_out(echo: Firmware) -> None:
    with ExitStack() as emulator:
        port = emulator.enter_context(emulated_port(echo.board, echo.path))
        with open_port(port, 115200) as line, pytest.raises(RunError, match=f"{port} went away during the run"):
            inputs = b"".join(records(6))
            run_serial(echo, line, inputs, port=port, timeout_s=60, on_line=lambda _: emulator.close())


@contextmanager
def silent_line(talk: bytes = b"") -> Iterator[Line]:
    """A line with nobody behind it, who may have said something."""
    controller, terminal = os.openpty()
    try:
        with open_port(os.ttyname(terminal), 115200) as line:
            os.write(controller, talk)
            yield line
    finally:
        os.close(controller)
        os.close(terminal)


def test_a_board_without_power(echo: Firmware) -> None:
    start = time.monotonic()
    with silent_line() as line, pytest.raises(NobodyAnswers, match=r"nobody answered on COM3.*has the board power"):
        run_serial(echo, line, b"", port="COM3", timeout_s=60, hello_timeout_s=0.5)
    assert time.monotonic() - start < 5


def test_something_else_talks(echo: Firmware) -> None:
    talk = b"*** Booting Zephyr OS ***\n\0person: 0.93 (12 ms)\n\0"
    message = r"what talks on COM3 is not Runnel's test firmware.*'\*\*\* Booting Zephyr"
    with silent_line(talk) as line, pytest.raises(NobodyAnswers, match=message):
        run_serial(echo, line, b"", port="COM3", timeout_s=60, hello_timeout_s=0.5)


def test_ports_that_cannot_be_used(echo: Firmware, echo_port: str) -> None:
    with pytest.raises(RunError, match=r"/dev/ttyNONE cannot be opened: .*is the board plugged in"):
        run_firmware(echo, records(1), port="/dev/ttyNONE")
    with open_port(echo_port, 115200), pytest.raises(RunError, match="Another program uses it"):
        run_firmware(echo, records(1), port=echo_port, timeout_s=60)


def test_boards_and_ports_that_do_not_fit(echo: Firmware) -> None:
    with pytest.raises(RunError, match="host has no serial line; run it without a port"):
        run_firmware(replace(echo, board=load_board("host")), [], port="/dev/ttyACM0")
    with pytest.raises(RunError, match=r"stm32f746 is real hardware: plug it in.*--port /dev/ttyACM0.*--board qemu-m7"):
        run_firmware(replace(echo, board=load_board("stm32f746")), [])
    with pytest.raises(RunError, match="auto-pty starts an emulator, and stm32f746 is not emulated"):
        run_firmware(replace(echo, board=load_board("stm32f746")), [], port=AUTO_PTY)
    with pytest.raises(RunError, match="was not built to speak over a serial line"):
        run_firmware(replace(echo, serial=False), [], port="/dev/ttyACM0")
