# SPDX-License-Identifier: Apache-2.0
"""Frames of the serial protocol between firmware and host; docs/hardware.md describes it.

A frame is number, command, argument, data and a CRC-32, byte-stuffed (COBS) so that no byte is zero, then a zero.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

PROTOCOL_VERSION = 1

HELLO, PRINT, EXIT, RESET = b"H", b"P", b"E", b"Z"
OPEN_FOR_READING, OPEN_FOR_WRITING = b"r", b"w"
READ, WRITE, CLOSE = b"R", b"W", b"C"

DATA_BYTES = 1024
"""The most bytes of data in one frame."""

NO_FILE = b"\xff"

_HEADER_BYTES = 3
_CRC_BYTES = 4
_LONGEST_RUN = 254
# Stuffing adds one byte in 254. More without a zero is noise.
_LONGEST_FRAME = 2 * DATA_BYTES


@dataclass(frozen=True)
class Frame:
    """A request of the firmware or an answer of the host; an answer has the number of its request."""

    number: int
    command: bytes
    argument: int = 0
    data: bytes = b""


def encode(frame: Frame) -> bytes:
    """The bytes of `frame` on the line; the zero in front ends whatever noise came before."""
    body = bytes([frame.number]) + frame.command + bytes([frame.argument]) + frame.data
    return b"\0" + _stuff(body + zlib.crc32(body).to_bytes(_CRC_BYTES, "little")) + b"\0"


def decode(stuffed: bytes) -> Frame | None:
    """The frame between two zeros, None when it was damaged."""
    body = _unstuff(stuffed)
    if body is None or len(body) < _HEADER_BYTES + _CRC_BYTES:
        return None
    content, crc = body[:-_CRC_BYTES], int.from_bytes(body[-_CRC_BYTES:], "little")
    if zlib.crc32(content) != crc:
        return None
    return Frame(content[0], content[1:2], content[2], content[3:])


class FrameReader:
    """Cuts what arrives into frames. Damaged ones are counted and left out: the firmware repeats its request."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self.damaged = 0
        self.noise = bytearray()
        """The first bytes that were in no frame, to show when no frame ever comes."""

    def feed(self, received: bytes) -> list[Frame]:
        """The frames that are complete now."""
        self._pending += received
        *pieces, rest = bytes(self._pending).split(b"\0")
        if len(rest) > _LONGEST_FRAME:
            pieces, rest = [*pieces, rest], b""
        self._pending = bytearray(rest)
        frames = []
        for piece in filter(None, pieces):
            frame = decode(piece)
            if frame is not None:
                frames.append(frame)
                continue
            self.damaged += 1
            self.noise += piece[: max(0, 80 - len(self.noise))]
        return frames


def _stuff(data: bytes) -> bytes:
    stuffed = bytearray()
    for run in data.split(b"\0"):
        whole, rest = divmod(len(run), _LONGEST_RUN)
        for start in range(0, whole * _LONGEST_RUN, _LONGEST_RUN):
            stuffed.append(_LONGEST_RUN + 1)
            stuffed += run[start : start + _LONGEST_RUN]
        stuffed.append(rest + 1)
        stuffed += run[whole * _LONGEST_RUN :]
    return bytes(stuffed)


def _unstuff(stuffed: bytes) -> bytes | None:
    data = bytearray()
    position = 0
    while position < len(stuffed):
        code = stuffed[position]
        run = stuffed[position + 1 : position + code]
        if code == 0 or len(run) != code - 1:
            return None
        data += run
        position += code
        if code <= _LONGEST_RUN and position < len(stuffed):
            data.append(0)
    return bytes(data)
