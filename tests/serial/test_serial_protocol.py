# SPDX-License-Identifier: Apache-2.0
"""Frames come out as they went in, whatever happens to the line around them."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runnel.run.serial_protocol import DATA_BYTES, Frame, FrameReader, decode, encode

FRAMES = st.builds(
    Frame, st.integers(0, 255), st.binary(min_size=1, max_size=1), st.integers(0, 255), st.binary(max_size=DATA_BYTES)
)


@given(FRAMES)
def test_round_trip(frame: Frame) -> None:
    line = encode(frame)
    assert b"\0" not in line[1:-1] and line[0] == line[-1] == 0
    assert decode(line[1:-1]) == frame


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"\1" * 254, b"\1" * 255, b"\0" * 1024, b"\xff" * 1024, b"\1" * 250 + b"\0"]
)
def test_edges_of_the_stuffing(data: bytes) -> None:
    frame = Frame(7, b"W", 1, data)
    assert decode(encode(frame)[1:-1]) == frame


def test_known_bytes() -> None:
    """Written down once, so that firmware of today and Runnel of tomorrow mean the same."""
    assert encode(Frame(1, b"R", 0, b"\x00\x04\x00\x00")).hex(" ") == "00 03 01 52 01 02 04 01 05 ea d5 54 7d 00"


@given(st.lists(FRAMES, max_size=4), st.binary(max_size=200), st.integers(1, 64))
def test_frames_in_noise_and_pieces(frames: list[Frame], noise: bytes, piece: int) -> None:
    line = noise + b"".join(encode(f) + noise for f in frames)
    reader = FrameReader()
    seen = [f for start in range(0, len(line), piece) for f in reader.feed(line[start : start + piece])]
    assert [f for f in seen if f in frames] == frames


def test_damaged_frames_are_left_out_and_counted() -> None:
    rng = random.Random(5)
    reader = FrameReader()
    for _ in range(300):
        frame = Frame(rng.randrange(256), b"W", 1, rng.randbytes(rng.randrange(100)))
        line = bytearray(encode(frame))
        position = rng.randrange(1, len(line) - 1)
        line[position] ^= 1 << rng.randrange(8)
        assert frame not in reader.feed(bytes(line))
    assert reader.damaged >= 300
    assert 0 < len(reader.noise) <= 80


def test_noise_without_end_takes_no_memory() -> None:
    reader = FrameReader()
    for _ in range(1000):
        assert reader.feed(b"\x55" * 1000) == []
    assert len(reader.feed(encode(Frame(1, b"H")))) == 1
