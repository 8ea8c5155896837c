# SPDX-License-Identifier: Apache-2.0
"""Fixed-point arithmetic of TensorFlow Lite Micro on numpy arrays, for the operators' references.

Source: gemmlowp/fixedpoint.h and MultiplyByQuantizedMultiplier in TFLite's common.h, double rounding.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]


def wrap_int32(values: npt.NDArray[Any]) -> Integers:
    """`values` modulo 2**32 as signed 32-bit numbers, kept in int64."""
    return ((values.astype(np.int64) + 2**31) & 0xFFFFFFFF) - 2**31


def doubling_high_multiply(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> Integers:
    """SaturatingRoundingDoublingHighMul: a * b / 2^31, rounded to nearest."""
    product = a.astype(np.int64) * np.asarray(b, dtype=np.int64)
    nudged = product + np.where(product >= 0, 1 << 30, 1 - (1 << 30))
    high = np.where(nudged >= 0, np.abs(nudged) >> 31, -(np.abs(nudged) >> 31))
    return np.minimum(high, 2**31 - 1)


def rounding_divide(values: npt.NDArray[Any], exponent: npt.NDArray[Any]) -> Integers:
    """RoundingDivideByPOT: values / 2^exponent, halves away from zero."""
    wide, shift = values.astype(np.int64), np.asarray(exponent, dtype=np.int64)
    mask = (np.int64(1) << shift) - 1
    threshold = (mask >> 1) + (wide < 0)
    result: Integers = (wide >> shift) + ((wide & mask) > threshold)
    return result


def multiply_by_quantized_multiplier(
    values: npt.NDArray[Any], multiplier: npt.NDArray[Any], shift: npt.NDArray[Any]
) -> Integers:
    """values * multiplier * 2^(shift - 31) with both roundings; shift is to the left where positive."""
    shifts = np.asarray(shift, dtype=np.int64)
    left, right = np.maximum(shifts, 0), np.maximum(-shifts, 0)
    shifted = wrap_int32(values.astype(np.int64) << left)
    return rounding_divide(doubling_high_multiply(shifted, np.asarray(multiplier)), right)
