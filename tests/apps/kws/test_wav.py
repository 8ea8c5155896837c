# SPDX-License-Identifier: Apache-2.0
"""The wav reader: files as programs write them, files in other formats, files that lie."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.kws.kws_build import COMMON, library

OK, EREAD, ERIFF, EFORMAT, EDATA = 0, -1, -2, -3, -4
READER = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint32)


class CFormat(ctypes.Structure):
    _fields_ = (
        ("encoding", ctypes.c_uint16),
        ("channels", ctypes.c_uint16),
        ("rate", ctypes.c_uint32),
        ("bits", ctypes.c_uint16),
    )


class CWav(ctypes.Structure):
    _fields_ = (
        ("read", READER),
        ("context", ctypes.c_void_p),
        ("remaining", ctypes.c_uint32),
        ("format", CFormat),
    )


class Reader:
    """Opens bytes as a wav file; `fail_at`: the call of the callback that reports an error."""

    def __init__(self, functions: ctypes.CDLL, data: bytes, fail_at: int | None = None) -> None:
        self.functions, self.data, self.position, self.calls, self.fail_at = functions, data, 0, 0, fail_at
        self.callback = READER(self.read_bytes)
        self.wav = CWav()
        self.result = int(functions.wav_open(ctypes.byref(self.wav), self.callback, None))

    def read_bytes(self, _context: object, destination: int, count: int) -> int:
        self.calls += 1
        if self.fail_at is not None and self.calls > self.fail_at:
            return -1
        part = self.data[self.position : self.position + count]
        self.position += len(part)
        if part:
            ctypes.memmove(destination, part, len(part))
        return len(part)

    def read(self, count: int) -> list[int] | int:
        samples = (ctypes.c_int16 * (count + 1))(*[99] * (count + 1))
        got = int(self.functions.wav_read(ctypes.byref(self.wav), samples, count))
        assert samples[count] == 99
        return got if got < 0 else samples[:got]


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    return library([COMMON / "wav.c"], tmp_path_factory.mktemp("wav"))


@pytest.fixture
def open_wav(functions: ctypes.CDLL) -> Callable[[bytes], Reader]:
    return lambda data: Reader(functions, data)


def chunk(name: bytes, body: bytes, size: int | None = None) -> bytes:
    return name + struct.pack("<I", len(body) if size is None else size) + body + b"\0" * (len(body) % 2)


def fmt(encoding: int = 1, channels: int = 1, rate: int = 16000, bits: int = 16, extra: bytes = b"") -> bytes:
    width = channels * bits // 8
    return chunk(b"fmt ", struct.pack("<HHIIHH", encoding, channels, rate, rate * width, width, bits) + extra)


def riff(*chunks: bytes) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


SAMPLES = [0, 1, -1, 32767, -32768, 12345]
DATA = chunk(b"data", struct.pack("<6h", *SAMPLES))
PCM_GUID = struct.pack("<H", 1) + bytes.fromhex("000000001000800000aa00389b71")
EXTENSIBLE = struct.pack("<HHI", 22, 16, 4) + PCM_GUID


@pytest.mark.parametrize(
    "data",
    [
        riff(fmt(), DATA),
        riff(chunk(b"LIST", b"INFOISFT\x05\0\0\0Lavf\0\0"), fmt(), chunk(b"odd ", b"123"), DATA, chunk(b"id3 ", b"x")),
        riff(fmt(extra=b"\0\0"), chunk(b"fact", b"\6\0\0\0"), DATA),
        riff(fmt(encoding=0xFFFE, extra=EXTENSIBLE), DATA),
        riff(fmt(), chunk(b"junk", b"\xab" * 1001), DATA),
    ],
    ids=["plain", "other chunks", "format of 18 bytes", "extensible", "long chunk"],
)
def test_samples_of_well_formed_files(open_wav: Callable[[bytes], Reader], data: bytes) -> None:
    reader = open_wav(data)
    assert reader.result == OK
    assert reader.read(4) == SAMPLES[:4]
    assert reader.read(4) == SAMPLES[4:]
    assert reader.read(4) == []


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFF000, 1000])
def test_a_stream_that_says_more_than_there_is_ends_where_it_ends(
    open_wav: Callable[[bytes], Reader], size: int
) -> None:
    reader = open_wav(riff(fmt()) + b"data" + struct.pack("<I", size) + struct.pack("<6h", *SAMPLES) + b"\x7f")
    assert reader.result == OK
    assert reader.read(320) == SAMPLES  # and not the half sample
    assert reader.read(320) == []


@pytest.mark.parametrize(
    ("data", "code", "found"),
    [
        (riff(fmt(rate=44100), DATA), EFORMAT, (1, 1, 44100, 16)),
        (riff(fmt(channels=2), DATA), EFORMAT, (1, 2, 16000, 16)),
        (riff(fmt(bits=8), DATA), EFORMAT, (1, 1, 16000, 8)),
        (riff(fmt(encoding=3, bits=32), DATA), EFORMAT, (3, 1, 16000, 32)),
        (riff(fmt(encoding=0xFFFE, extra=EXTENSIBLE.replace(PCM_GUID[:2], b"\3\0", 1)), DATA), EFORMAT, None),
        (b"", ERIFF, None),
        (b"RIFF", ERIFF, None),
        (b"fLaC" + bytes(100), ERIFF, None),
        (b"RIFX" + riff(fmt(), DATA)[4:], ERIFF, None),
        (riff(), EDATA, None),
        (riff(fmt()), EDATA, None),
        (riff(DATA, fmt()), EDATA, None),
        (riff(chunk(b"fmt ", b"\1\0\1\0")), EDATA, None),
        (riff(chunk(b"fmt ", b"\1\0", size=0xFFFFFFFF)), EDATA, None),
        (riff(fmt(), b"LIST" + b"\xff\xff\xff\xff" + bytes(10)), EDATA, None),
    ],
)
def test_other_formats_and_damage_are_told_apart(
    open_wav: Callable[[bytes], Reader], data: bytes, code: int, found: tuple[int, ...] | None
) -> None:
    reader = open_wav(data)
    assert reader.result == code
    if found is not None:
        form = reader.wav.format
        assert (form.encoding, form.channels, form.rate, form.bits) == found


def test_a_file_that_cannot_be_read_any_further(functions: ctypes.CDLL) -> None:
    data = riff(fmt(), DATA)
    good = Reader(functions, data)
    for calls in range(good.calls):
        assert Reader(functions, data, fail_at=calls).result == EREAD
    reader = Reader(functions, data, fail_at=good.calls)
    assert reader.result == OK
    assert reader.read(4) == -1


@given(st.data())
def test_damaged_files_never_hang_or_give_more_than_there_is(functions: ctypes.CDLL, data: st.DataObject) -> None:
    good = riff(chunk(b"LIST", b"abc"), fmt(), DATA)
    damaged = bytearray(good[: data.draw(st.integers(0, len(good)))])
    if damaged:
        for position in data.draw(st.lists(st.integers(0, len(damaged) - 1), max_size=4)):
            damaged[position] = data.draw(st.integers(0, 255))
    reader = Reader(functions, bytes(damaged))
    if reader.result == OK:
        samples = reader.read(320)
        assert isinstance(samples, list)
        assert 2 * len(samples) <= len(damaged)
        assert np.all(np.abs(samples) <= 32768)
