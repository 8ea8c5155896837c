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

LARGEST_LEFT_SHIFT = 30
_SHORT_FORM_LARGEST_SHIFT = 20


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
    run time, and padding with the zero point adds nothing. Channels whose multiplier is 0 always give the zero point,
    so their weights and bias (often +-2147483647 in real files) become 0.
    """
    channels = weights.shape[0]
    pairs = [quantize_multiplier(m) for m in real_multipliers]
    if len(pairs) == 1:
        pairs = pairs * channels
    if max(shift for _, shift in pairs) > LARGEST_LEFT_SHIFT:
        raise UnsupportedError(
            f"{operator.label}: a scale ratio of {max(real_multipliers):g} (input scale * weight scale / output scale) "
            f"is too large; supported is below 2**{LARGEST_LEFT_SHIFT}"
        )
    multiplier = np.array([m for m, _ in pairs], dtype=np.int64)
    shift = np.array([s for _, s in pairs], dtype=np.int64)
    alive = multiplier != 0
    kept = np.where(alive.reshape(-1, *([1] * (weights.ndim - 1))), weights, 0).astype(np.int8)
    flat = kept.reshape(channels, -1).astype(np.int64)
    wide_bias = np.zeros(channels, dtype=np.int64) if bias is None else bias.astype(np.int64)
    folded = np.where(alive, wide_bias - input_zero_point * flat.sum(axis=1), 0)
    # The accumulator passes through bias + any partial sum of w * x with x in -128..127.
    bound = np.abs(folded) + 128 * np.abs(flat).sum(axis=1)
    right = np.where(alive, -shift, 1)
    short_form = bool((bound < 2**30).all() and (right >= 1).all() and (right <= _SHORT_FORM_LARGEST_SHIFT).all())
    return kept, Requantization(
        bias=_wrap(folded),
        multiplier=multiplier.astype(np.int32),
        shift=(right if short_form else np.where(alive, shift, 0)).astype(np.int32),
        short_form=short_form,
    )


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
