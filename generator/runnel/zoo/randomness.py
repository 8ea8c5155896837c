# SPDX-License-Identifier: Apache-2.0
"""Random numbers that are the same with every version of NumPy: only the raw stream of PCG64 is promised to be."""

from __future__ import annotations

import math
import zlib

import numpy as np
import numpy.typing as npt


def random_bytes(seed: int, name: str, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """Uniform from 0 to 255; another stream for every name."""
    count = math.prod(shape)
    words = np.random.PCG64([seed, zlib.crc32(name.encode())]).random_raw(-(-count // 8))
    return words.astype("<u8").view(np.uint8)[:count].reshape(shape)


def random_bells(seed: int, name: str, shape: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """Nearly normal around 0 with a deviation of 148, from -510 to 510: four uniform bytes added."""
    sums: npt.NDArray[np.int64] = random_bytes(seed, name, (4, *shape)).astype(np.int64).sum(axis=0)
    return sums - 510


def random_fractions(seed: int, name: str, count: int, low: float, high: float) -> npt.NDArray[np.float64]:
    """Uniform from `low` to `high` in steps of 1/255 of the way."""
    return low + (high - low) * random_bytes(seed, name, (count,)).astype(np.float64) / 255
