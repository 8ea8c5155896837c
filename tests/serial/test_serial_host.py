# SPDX-License-Identifier: Apache-2.0
"""What the host answers, and what it does not let pass."""

from __future__ import annotations

import struct

import pytest

from runnel.errors import RunError
from runnel.run.serial_host import OtherFirmware, SerialHost
from runnel.run.serial_protocol import PROTOCOL_VERSION, Frame

BUILD = 0x1234ABCD


def hello(build: int = BUILD, name: bytes = b"echo", version: int = PROTOCOL_VERSION) -> Frame:
    return Frame(1, b"H", version, struct.pack("<II", build, 216_000_000) + name)


def answered(host: SerialHost, frame: Frame) -> bytes:
    answer = host.answer(frame)
    assert answer is not None and (answer.number, answer.command) == (frame.number, frame.command)
    return answer.data


@pytest.fixture
def host() -> SerialHost:
    host = SerialHost(BUILD, "echo", bytes(range(100)))
    assert answered(host, hello()) == b""
    return host


def test_hello(host: SerialHost) -> None:
    assert host.hello is not None
    assert (host.hello.build_id, host.hello.clock_hz, host.hello.model) == (BUILD, 216_000_000, "echo")


def test_a_repeated_request_is_carried_out_once(host: SerialHost) -> None:
    assert answered(host, Frame(2, b"r", 0, b"inputs.bin")) == b"\0"
    read = Frame(3, b"R", 0, struct.pack("<I", 60))
    assert answered(host, read) == answered(host, read) == bytes(range(60))
    assert answered(host, Frame(4, b"R", 0, struct.pack("<I", 60))) == bytes(range(60, 100))
    assert answered(host, Frame(5, b"R", 0, struct.pack("<I", 60))) == b""
    write = Frame(6, b"W", 1, b"abc")
    assert answered(host, write) == answered(host, write) == b"\1"
    assert host.outputs == b"abc"
    assert answered(host, Frame(7, b"W", 1, b"abc")) == b"\1"
    assert host.outputs == b"abcabc"


def test_lines_of_the_console() -> None:
    lines: list[str] = []
    host = SerialHost(BUILD, "echo", b"", lines.append)
    host.answer(hello())
    for number, text in enumerate((b"ticks: ", b"0x1\ntic", b"ks: 0x2\n"), start=2):
        assert answered(host, Frame(number, b"P", 0, text)) == b""
    assert lines == host.lines == ["ticks: 0x1", "ticks: 0x2"]


def test_files_that_there_are_not(host: SerialHost) -> None:
    assert answered(host, Frame(2, b"r", 0, b"/etc/passwd")) == b"\xff"
    assert answered(host, Frame(3, b"w", 0, b"inputs.bin")) == b"\xff"
    with pytest.raises(RunError, match="does not know"):
        host.answer(Frame(4, b"R", 1, struct.pack("<I", 1)))


def test_requests_of_an_earlier_run_have_no_answer() -> None:
    assert SerialHost(BUILD, "echo", b"").answer(Frame(9, b"R", 0, struct.pack("<I", 4))) is None


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (hello(build=7), r"runs model echo \(build 00000007\), not echo \(build 1234abcd\)"),
        (hello(name=b"person"), "runs model person"),
        (hello(version=2), "speaks version 2 of the serial protocol, this Runnel version 1"),
        (Frame(1, b"H", PROTOCOL_VERSION, b"abc"), "does not say what it is"),
    ],
)
def test_other_firmware(frame: Frame, message: str) -> None:
    with pytest.raises(OtherFirmware, match=message):
        SerialHost(BUILD, "echo", b"").answer(frame)


def test_a_restart_in_the_middle(host: SerialHost) -> None:
    assert answered(host, hello()) == b"", "not yet in the middle: the board may have been reset twice"
    host.answer(Frame(2, b"P", 0, b"ticks: 0x5\n"))
    with pytest.raises(RunError, match=r"restarted in the middle of the run.*'ticks: 0x5'"):
        host.answer(hello())


def test_printing_without_end(host: SerialHost) -> None:
    with pytest.raises(RunError, match="prints without end"):
        for number in range(2000):
            host.answer(Frame(number % 250 + 2, b"P", 0, b"\n" * 1000))
