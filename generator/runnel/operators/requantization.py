# SPDX-License-Identifier: Apache-2.0
"""From 32-bit accumulators to int8: the constants that convolution, depthwise and fully connected share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from runnel.errors import UnsupportedError
from runnel.graph import Operator
from runnel.operators.base import Constant
from runnel.operators.quantize_math import quantize_multiplier
from runnel.operators.reference_math import multiply_by_quantized_multiplier

LARGEST_LEFT_SHIFT = 30
_SHORT_FORM_LARGEST_SHIFT = 20
_SURELY_CLAMPED = 512


@dataclass(frozen=True, eq=False)
class Requantization:
    """Per output channel: bias with the input zero point folded in, multiplier, shift; and the clamp.

    `short_form` says that the three-instruction form of docs/numbers.md is exact for every channel; `shift` then
    holds right shifts (positive), otherwise TFLite's shifts (left positive).
    """

    bias: npt.NDArray[np.int32]
    multiplier: npt.NDArray[np.int32]
    shift: npt.NDArray[np.int32]
    short_form: bool

    def rounding(self, clamp: tuple[int, int]) -> int:
        """Flags RUNNEL_SHORT_FORM (1) and RUNNEL_FULL_RANGE (2) of accumulator.h."""
        return int(self.short_form) + 2 * int(clamp == (-128, 127))

    def constants(self) -> tuple[Constant, ...]:
        shift = self.shift.astype(np.int8)
        return (
            Constant("bias", self.bias),
            Constant("multiplier", self.multiplier),
            Constant("shift", shift),
        )


def _wrap(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    """int64 to int32 modulo 2**32, as the device's additions wrap."""
    return values.astype(np.int64).astype(np.uint64).astype(np.uint32).astype(np.int32)


def requantization(
    operator: Operator,
    weights: npt.NDArray[np.int8],
    bias: npt.NDArray[np.int32] | None,
    real_multipliers: Sequence[float],
    input_zero_point: int,
) -> tuple[npt.NDArray[np.int8], Requantization]:
    """Weights [channel, taps...] and the constants that go with them.

    sum(w * (x - zero_point)) + bias == sum(w * x) + (bias - zero_point * sum(w)): the zero point costs nothing at
    run time, and padding with the zero point adds nothing. Channels that give the same value for every input (tiny
    scales, often with a bias of +-2147483647) lose their weights, so that they do not cost their layer the short form.
    """
    channels = weights.shape[0]
    multiplier, shift = _multipliers(operator, real_multipliers, channels)
    wide_bias = np.zeros(channels, dtype=np.int64) if bias is None else bias.astype(np.int64)
    folded = wide_bias - input_zero_point * weights.reshape(channels, -1).sum(axis=1, dtype=np.int64)
    constant, value = _constant_channels(weights, folded, multiplier, shift)
    # 4 v halved twice, by multiplier and shift, is v
    folded = np.where(constant, 4 * value, folded)
    multiplier, shift = np.where(constant, 1 << 30, multiplier), np.where(constant, -1, shift)
    kept = np.where(constant.reshape(-1, *([1] * (weights.ndim - 1))), 0, weights).astype(np.int8)
    # The accumulator passes through bias + any partial sum of w * x with x in -128..127.
    bound = np.abs(folded) + 128 * np.abs(kept.reshape(channels, -1).astype(np.int64)).sum(axis=1)
    right = -shift
    positive = (multiplier > 0) | (kept.reshape(channels, -1) > -128).all(axis=1)
    fits = (bound < 2**30) & positive & (right >= 1) & (right <= _SHORT_FORM_LARGEST_SHIFT)
    short_form = bool(fits.all())
    if short_form:
        kept, folded, multiplier = _with_positive_multipliers(kept, folded, multiplier)
    return kept, Requantization(
        bias=_wrap(folded),
        multiplier=multiplier.astype(np.int32),
        shift=(right if short_form else shift).astype(np.int32),
        short_form=short_form,
    )


def _multipliers(
    operator: Operator, real_multipliers: Sequence[float], channels: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Multiplier and shift (left positive) of each channel."""
    pairs = [quantize_multiplier(m) for m in real_multipliers]
    if len(pairs) == 1:
        pairs = pairs * channels
    if max(shift for _, shift in pairs) > LARGEST_LEFT_SHIFT:
        raise UnsupportedError(
            f"{operator.label}: a scale ratio of {max(real_multipliers):g} (input scale * weight scale / output scale) "
            f"is too large; supported is below 2**{LARGEST_LEFT_SHIFT}"
        )
    return np.array([m for m, _ in pairs], dtype=np.int64), np.array([s for _, s in pairs], dtype=np.int64)


def _with_positive_multipliers(
    weights: npt.NDArray[np.int8], bias: npt.NDArray[np.int64], multiplier: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The same products of accumulator and multiplier, with both signs turned where the multiplier is negative.

    Real files have negative weight scales; the short form takes the accumulator's sign for the product's.
    """
    sign = np.where(multiplier < 0, -1, 1)
    turned = weights * sign.reshape(-1, *([1] * (weights.ndim - 1)))
    return turned.astype(np.int8), bias * sign, multiplier * sign


def _constant_channels(
    weights: npt.NDArray[np.int8],
    folded: npt.NDArray[np.int64],
    multiplier: npt.NDArray[np.int64],
    shift: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Channels that scale every accumulator to one value, and that value (before the output zero point is added).

    Scaling is monotonic: what its smallest and its largest accumulator share, all between them share. A value beyond
    +-_SURELY_CLAMPED is replaced by that bound: with any zero point the clamp makes the same of both.
    """
    flat = weights.reshape(weights.shape[0], -1).astype(np.int64)
    above, below = np.maximum(flat, 0).sum(axis=1), np.maximum(-flat, 0).sum(axis=1)
    smallest, largest = folded - 128 * above - 127 * below, folded + 127 * above + 128 * below
    first, last = (multiply_by_quantized_multiplier(acc, multiplier, shift) for acc in (smallest, largest))
    # nothing may wrap: neither the accumulator, nor its left shift, nor the sum with the zero point
    exact = (smallest >= -(2**31)) & (largest < 2**31) & (shift <= 0) & (np.abs(first) < 2**30)
    constant = (multiplier == 0) | (exact & (first == last))
    return constant, np.where(multiplier == 0, 0, np.clip(first, -_SURELY_CLAMPED, _SURELY_CLAMPED))


LAYER_TYPE = "runnel_accumulator_layer"
"""The layer struct of accumulator.h."""


def accumulator_layer(input_zero_point: int, output_zero_point: int, clamp: tuple[int, int]) -> Mapping[str, int]:
    """Scalars of the layer struct of every kernel that requantizes accumulators."""
    return {
        "input_zero_point": input_zero_point,
        "output_zero_point": output_zero_point,
        "clamp_min": clamp[0],
        "clamp_max": clamp[1],
    }
