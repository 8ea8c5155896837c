# SPDX-License-Identifier: Apache-2.0
"""Seeded damage to the bytes of a file."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np

_WORDS = (0, 1, 2, 3, 4, 7, 8, 16, 127, 128, 255, 2**15, 2**16, 2**24, 2**30, 2**31 - 1, 2**31, 2**32 - 4, 2**32 - 1)
_FLOATS = (0.0, -1.0, float("nan"), float("inf"), 1e-40, 1e38)


def damaged(content: bytes, seed: int) -> bytes:
    """`content` with one to three kinds of damage; equal seeds give equal bytes."""
    random = np.random.default_rng(seed)
    data = bytearray(content)
    for _ in range(random.integers(1, 4)):
        _KINDS[random.integers(len(_KINDS))](data, random)
    return bytes(data)


def _place(data: bytearray, random: np.random.Generator, align: int = 1) -> int:
    return int(random.integers(0, max(len(data) // align, 1))) * align


def _flip_bits(data: bytearray, random: np.random.Generator) -> None:
    for _ in range(random.integers(1, 9) if data else 0):
        data[_place(data, random)] ^= 1 << int(random.integers(8))


def _set_word(data: bytearray, random: np.random.Generator) -> None:
    place = _place(data, random, 4)
    data[place : place + 4] = struct.pack("<I", int(random.choice(_WORDS)))


def _set_float(data: bytearray, random: np.random.Generator) -> None:
    place = _place(data, random, 4)
    data[place : place + 4] = struct.pack("<f", float(random.choice(_FLOATS)))


def _change_number(data: bytearray, random: np.random.Generator) -> None:
    """A small step of a word: indices and offsets that are off by little."""
    place = _place(data, random, 4)
    if place + 4 <= len(data):
        value = struct.unpack_from("<I", data, place)[0] + int(random.integers(-8, 9))
        struct.pack_into("<I", data, place, value % 2**32)


def _splice(data: bytearray, random: np.random.Generator) -> None:
    """Copies one piece of the file over another: valid bytes in the wrong place."""
    length = int(random.integers(1, 65))
    source, target = _place(data, random, 4), _place(data, random, 4)
    piece = data[source : source + length]
    data[target : target + len(piece)] = piece


def _cut(data: bytearray, random: np.random.Generator) -> None:
    del data[_place(data, random) :]


def _delete(data: bytearray, random: np.random.Generator) -> None:
    place = _place(data, random)
    del data[place : place + int(random.integers(1, 17))]


def _insert(data: bytearray, random: np.random.Generator) -> None:
    place = _place(data, random)
    data[place:place] = random.bytes(int(random.integers(1, 17)))


_KINDS: tuple[Callable[[bytearray, np.random.Generator], None], ...] = (
    _flip_bits, _flip_bits, _set_word, _set_word, _set_word, _set_float, _change_number, _change_number, _splice,
    _cut, _delete, _insert,
)  # fmt: skip
