# SPDX-License-Identifier: Apache-2.0
"""The short form of the requantization equals TFLite's two roundings (docs/numbers.md)."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

INCLUDE = Path(__file__).resolve().parents[2] / "zephyr_module" / "include"

SOURCE = """
#include "runnel/kernels/accumulator.h"
void requantize(int32_t rounding, int32_t count, const int32_t *acc, const int32_t *multiplier, const int8_t *shift,
                int32_t zero_point, int8_t *output);
void requantize(int32_t rounding, int32_t count, const int32_t *acc, const int32_t *multiplier, const int8_t *shift,
                int32_t zero_point, int8_t *output)
{
    const struct runnel_accumulator_layer layer = {.bias = acc, .multiplier = multiplier, .shift = shift,
        .output_zero_point = zero_point, .clamp_min = -128, .clamp_max = 127};

    for (int32_t i = 0; i < count; i++) {
        const struct runnel_channel channel = runnel_load_channel(&layer, rounding, i);

        output[i] = runnel_requantize_accumulator(&layer, rounding, &channel, acc[i]);
    }
}
"""

SHORT_FORM = 1
FULL_RANGE = 2


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    if shutil.which("cc") is None:
        pytest.skip("no C compiler 'cc' on PATH")
    folder = tmp_path_factory.mktemp("rounding")
    (folder / "rounding.c").write_text(SOURCE)
    command = ["cc", "-O2", "-shared", "-fPIC", "-std=c11", f"-I{INCLUDE}", "-o", "rounding.so", "rounding.c"]
    subprocess.run(command, cwd=folder, check=True)
    return ctypes.CDLL(str(folder / "rounding.so"))


def requantize(
    library: ctypes.CDLL,
    rounding: int,
    acc: npt.NDArray[np.int32],
    multiplier: npt.NDArray[np.int32],
    shift: npt.NDArray[np.int8],
    zero_point: int,
) -> npt.NDArray[np.int8]:
    output = np.empty(acc.size, np.int8)
    pointers = [array.ctypes.data_as(ctypes.c_void_p) for array in (acc, multiplier, shift, output)]
    library.requantize(rounding, acc.size, *pointers[:3], zero_point, pointers[3])
    return output


def reference(
    acc: npt.NDArray[np.int32], multiplier: npt.NDArray[np.int32], right: npt.NDArray[np.int8], zero_point: int
) -> npt.NDArray[np.int8]:
    """gemmlowp's two roundings, written with truncating division and remainders as gemmlowp states them."""
    product = acc.astype(np.int64) * multiplier
    nudged = product + np.where(product >= 0, 1 << 30, 1 - (1 << 30))
    high = np.where(nudged >= 0, np.abs(nudged) >> 31, -(np.abs(nudged) >> 31))
    exponent = right.astype(np.int64)
    mask = (1 << exponent) - 1
    value = (high >> exponent) + ((high & mask) > (mask >> 1) + (high < 0))
    return np.clip(value + zero_point, -128, 127).astype(np.int8)


def samples(zero_point: int, count: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int8]]:
    """Accumulators of all magnitudes below 2^30, ties included, that mostly do not saturate."""
    rng = np.random.default_rng(zero_point + 1000)
    right = rng.integers(1, 21, count)
    multiplier = rng.integers(1 << 30, 1 << 31, count)
    multiplier[: count // 4] = 1 << 30  # exact powers of two: the ties
    target = (rng.integers(-140, 140, count) - zero_point) * (1 << right) + rng.integers(-2, 3, count)
    acc = np.clip((target << 31) // multiplier + rng.integers(-2, 3, count), -(2**30) + 1, 2**30 - 1)
    return acc.astype(np.int32), multiplier.astype(np.int32), right.astype(np.int8)


@pytest.mark.parametrize("zero_point", [-128, -1, 0, 5, 127])
def test_short_form_equals_two_roundings(library: ctypes.CDLL, zero_point: int) -> None:
    count = 20_000_000 if os.environ.get("RUNNEL_FULL") else 500_000
    acc, multiplier, right = samples(zero_point, count)
    expected = reference(acc, multiplier, right, zero_point)
    assert np.mean((expected > -128) & (expected < 127)) > 0.5
    short = requantize(library, SHORT_FORM | FULL_RANGE, acc, multiplier, right, zero_point)
    assert np.count_nonzero(short != expected) == 0
    plain = requantize(library, 0, acc, multiplier, (-right).astype(np.int8), zero_point)
    assert np.count_nonzero(plain != expected) == 0


def test_dead_channel_gives_the_zero_point(library: ctypes.CDLL) -> None:
    acc = np.array([-5, 0, 5, -(2**29), 2**29], np.int32)
    zeros, ones = np.zeros(5, np.int32), np.ones(5, np.int8)
    assert requantize(library, SHORT_FORM, acc, zeros, ones, 7).tolist() == [7] * 5
