# SPDX-License-Identifier: Apache-2.0
"""What the host answers to firmware that asks over a serial line. Knows nothing of ports and time."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from runnel.errors import RunError
from runnel.run.serial_protocol import (
    CLOSE,
    EXIT,
    HELLO,
    NO_FILE,
    OPEN_FOR_READING,
    OPEN_FOR_WRITING,
    PRINT,
    PROTOCOL_VERSION,
    READ,
    WRITE,
    Frame,
)

_INPUTS, _OUTPUTS = 0, 1
_INPUTS_NAME, _OUTPUTS_NAME = b"inputs.bin", b"outputs.bin"
_MAXIMUM_LINES = 1_000_000


@dataclass(frozen=True)
class Hello:
    """What firmware says first: its build, the clock it reached in Hz, and the name of its model."""

    build_id: int
    clock_hz: int
    model: str


class OtherFirmware(RunError):
    """The board runs other firmware than it should; writing the right one to it helps."""


class SerialHost:
    """One run. `answer` takes requests in order of arrival; a repeated one gets the same answer and does nothing.

    Holds the inputs, and collects the outputs, the console's lines and the exit code. `on_line` gets every line.
    """

    def __init__(self, build_id: int, model: str, inputs: bytes, on_line: Callable[[str], None] | None = None) -> None:
        self._build_id = build_id
        self._model = model
        self._inputs = inputs
        self._position = 0
        self._on_line = on_line
        self._text = ""
        self._last: Frame | None = None
        self._last_answer: Frame | None = None
        self.hello: Hello | None = None
        self.outputs = bytearray()
        self.lines: list[str] = []
        self.exit_code: int | None = None

    def answer(self, request: Frame) -> Frame | None:
        """The answer to `request`, None where it has none (it belongs to a run that was cut off).

        Raises RunError when the board restarts in the middle, OtherFirmware when it is not the one that was built.
        """
        if request == self._last:
            return self._last_answer
        if request.command == HELLO:
            data = self._greet(request)
        elif self.hello is None:
            return None
        else:
            data = self._serve(request)
        answer = Frame(request.number, request.command, 0, data)
        self._last, self._last_answer = request, answer
        return answer

    def _greet(self, request: Frame) -> bytes:
        if request.argument != PROTOCOL_VERSION:
            raise OtherFirmware(
                f"the board's firmware speaks version {request.argument} of the serial protocol, "
                f"this Runnel version {PROTOCOL_VERSION}"
            )
        if len(request.data) < 8:
            raise OtherFirmware("the board's firmware does not say what it is")
        build_id, clock_hz = struct.unpack_from("<II", request.data)
        hello = Hello(build_id, clock_hz, request.data[8:].decode("utf-8", errors="replace"))
        if (build_id, hello.model) != (self._build_id, self._model):
            raise OtherFirmware(
                f"the board runs model {hello.model} (build {build_id:08x}), "
                f"not {self._model} (build {self._build_id:08x})"
            )
        if self._last is not None and self._last.command != HELLO:
            raise RunError(
                "the board restarted in the middle of the run: look at its power supply, its reset button and "
                f"whether another program uses it{self._last_line()}"
            )
        self.hello = hello
        return b""

    def _last_line(self) -> str:
        return f"; the last line it printed was {self.lines[-1]!r}" if self.lines else ""

    def _serve(self, request: Frame) -> bytes:
        if request.command == READ and request.argument == _INPUTS:
            count = int.from_bytes(request.data, "little")
            part = self._inputs[self._position : self._position + count]
            self._position += len(part)
            return part
        if request.command == WRITE and request.argument == _OUTPUTS:
            self.outputs += request.data
            return b"\x01"
        if request.command == PRINT:
            self._print(request.data)
            return b""
        if request.command == EXIT:
            self.exit_code = request.argument
            return b""
        return self._open_or_close(request)

    def _open_or_close(self, request: Frame) -> bytes:
        if request.command == OPEN_FOR_READING:
            return bytes([_INPUTS]) if request.data == _INPUTS_NAME else NO_FILE
        if request.command == OPEN_FOR_WRITING:
            return bytes([_OUTPUTS]) if request.data == _OUTPUTS_NAME else NO_FILE
        if request.command == CLOSE:
            return b""
        raise RunError(f"the board's firmware asked for {request.command!r}, which this Runnel does not know")

    def _print(self, data: bytes) -> None:
        *lines, self._text = (self._text + data.decode("utf-8", errors="replace")).split("\n")
        self.lines += lines
        if len(self.lines) > _MAXIMUM_LINES:
            raise RunError("the firmware prints without end")
        if self._on_line is not None:
            for line in lines:
                self._on_line(line)
