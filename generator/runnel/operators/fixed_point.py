# SPDX-License-Identifier: Apache-2.0
"""gemmlowp's fixed-point arithmetic on Python integers, bit for bit, for tables computed at compile time.

A number in format Qm is a 32-bit integer `raw` that stands for raw * 2**(m - 31): m integer bits, 31 - m
fractional bits and a sign. Source: gemmlowp's fixedpoint/fixedpoint.h and TFLite's kernels/internal/common.cc.
"""

from __future__ import annotations

INT16_MAX = (1 << 15) - 1
INT32_MAX = (1 << 31) - 1

ONE_HALF_Q0 = 1 << 30
ONE_Q0 = INT32_MAX
"""1.0 in Q0, saturated."""
ONE_Q2 = 1 << 29
FORTY_EIGHT_SEVENTEENTHS_Q2 = 1515870810
MINUS_THIRTY_TWO_SEVENTEENTHS_Q2 = -1010580540
ONE_THIRD_Q0 = 715827883
EXP_MINUS_ONE_EIGHTH_Q0 = 1895147668
EXP_MINUS_POWERS_Q0 = (
    (-2, 1672461947),
    (-1, 1302514674),
    (0, 790015084),
    (1, 290630308),
    (2, 39332535),
    (3, 720401),
    (4, 242),
)
"""(p, exp(-2**p) in Q0): gemmlowp's constants, some of which are not the nearest integer."""


def wrap(value: int, bits: int = 32) -> int:
    """`value` as a two's complement integer of `bits` bits."""
    half = 1 << (bits - 1)
    return ((value + half) & ((1 << bits) - 1)) - half


def saturate(value: int, bits: int = 32) -> int:
    """`value` limited to the range of a signed integer of `bits` bits."""
    half = 1 << (bits - 1)
    return min(max(value, -half), half - 1)


def doubling_high_multiply(a: int, b: int, bits: int = 32) -> int:
    """SaturatingRoundingDoublingHighMul: a * b / 2**(bits - 1), rounded to nearest with halves upwards."""
    return min((a * b + (1 << (bits - 2))) >> (bits - 1), (1 << (bits - 1)) - 1)


def rounding_divide(value: int, exponent: int, bits: int = 32) -> int:
    """RoundingDivideByPOT: value / 2**exponent, halves away from zero; the mask wraps to `bits` bits as in C++."""
    mask = wrap((1 << exponent) - 1, bits)
    threshold = (mask >> 1) + (1 if value < 0 else 0)
    return wrap((value >> exponent) + (1 if (value & mask) > threshold else 0), bits)


def multiply_by_quantized_multiplier(value: int, multiplier: int, shift: int) -> int:
    """value * multiplier * 2**(shift - 31) with TFLite's double rounding; a left shift wraps to 32 bits."""
    shifted = wrap(value << max(shift, 0))
    return rounding_divide(doubling_high_multiply(shifted, multiplier), max(-shift, 0))


def saturating_left_shift(value: int, amount: int, bits: int = 32) -> int:
    """SaturatingRoundingMultiplyByPOT with a positive exponent."""
    return saturate(value << amount, bits)


def input_radius(integer_bits: int, left_shift: int) -> int:
    """Largest input that stays below 2**integer_bits after the shift. Source: CalculateInputRadius."""
    return (((1 << integer_bits) - 1) << (31 - integer_bits)) >> left_shift


def _exp_near_zero(a: int) -> int:
    """exp(a) in Q0 for a in [-1/4, 0) in Q0: Taylor's series around -1/8."""
    x = wrap(a + (1 << 28))
    x2 = doubling_high_multiply(x, x)
    x3 = doubling_high_multiply(x2, x)
    x4_over_4 = rounding_divide(doubling_high_multiply(x2, x2), 2)
    tail = rounding_divide(doubling_high_multiply(wrap(x4_over_4 + x3), ONE_THIRD_Q0) + x2, 1)
    return wrap(EXP_MINUS_ONE_EIGHTH_Q0 + doubling_high_multiply(EXP_MINUS_ONE_EIGHTH_Q0, wrap(x + tail)))


def exp_on_negative_values(a: int, integer_bits: int) -> int:
    """exp(a) in Q0 for a <= 0 in Q<integer_bits>, integer_bits at most 5."""
    if a == 0:
        return ONE_Q0
    fractional_bits = 31 - integer_bits
    quarter = 1 << (fractional_bits - 2)
    a_mod_quarter_minus_quarter = (a & (quarter - 1)) - quarter
    result = _exp_near_zero(saturating_left_shift(a_mod_quarter_minus_quarter, integer_bits))
    remainder = wrap(a_mod_quarter_minus_quarter - a)
    for power, factor in EXP_MINUS_POWERS_Q0:
        if integer_bits > power and remainder & (1 << (fractional_bits + power)):
            result = doubling_high_multiply(result, factor)
    return result


def _reciprocal_q2(a: int) -> int:
    """2 / (1 + a) in Q2 for a in [0, 1] in Q0: three Newton steps on half the denominator."""
    half_denominator = (a + ONE_Q0 + 1) >> 1
    x = wrap(FORTY_EIGHT_SEVENTEENTHS_Q2 + doubling_high_multiply(half_denominator, MINUS_THIRTY_TWO_SEVENTEENTHS_Q2))
    for _ in range(3):
        error = wrap(ONE_Q2 - doubling_high_multiply(half_denominator, x))
        x = wrap(x + saturating_left_shift(doubling_high_multiply(x, error), 2))
    return x


def one_over_one_plus_x(a: int) -> int:
    """1 / (1 + a) in Q0 for a in [0, 1] in Q0."""
    return saturating_left_shift(_reciprocal_q2(a), 1)


def _one_minus_x_over_one_plus_x(a: int) -> int:
    """(1 - a) / (1 + a) in Q0 for a in [0, 1] in Q0."""
    return saturating_left_shift(wrap(_reciprocal_q2(a) - ONE_Q2), 2)


def logistic(a: int, integer_bits: int) -> int:
    """1 / (1 + exp(-a)) in Q0 for a in Q<integer_bits>."""
    if a == 0:
        return ONE_HALF_Q0
    positive = one_over_one_plus_x(exp_on_negative_values(-abs(a), integer_bits))
    return positive if a > 0 else ONE_Q0 - positive


def tanh(a: int, integer_bits: int) -> int:
    """tanh(a) in Q0 for a in Q<integer_bits>."""
    if a == 0:
        return 0
    # exp(-2|a|): the same integer read with one integer bit more
    positive = _one_minus_x_over_one_plus_x(exp_on_negative_values(-abs(a), integer_bits + 1))
    return positive if a > 0 else -positive
