# SPDX-License-Identifier: Apache-2.0
"""Quantized multipliers and activation clamps, computed exactly as TensorFlow Lite Micro's Prepare functions do.

Source: tensorflow/lite/kernels/internal/quantization_util.cc and kernels/kernel_util.cc.
"""

from __future__ import annotations

import math

import numpy as np

from runnel.errors import UnsupportedError
from runnel.graph import Operator, Quantization, Tensor

TYPE_RANGES = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767)}


def float32(value: float) -> float:
    """`value` rounded to float32, as a Python float."""
    return float(np.float32(value))


def quantization_of(tensor: Tensor, operator: Operator) -> Quantization:
    """The quantization of `tensor`, or UnsupportedError that names the operator."""
    if tensor.quantization is None:
        raise UnsupportedError(
            f"{operator.label}: tensor '{tensor.name}' ({tensor.type}) has no quantization; "
            "only full int8 models are supported: convert with full-integer post-training quantization"
        )
    return tensor.quantization


def quantize_multiplier(real: float) -> tuple[int, int]:
    """(multiplier, shift) with real = multiplier * 2**(shift - 31); multiplier in [2**30, 2**31) or 0.

    Source: QuantizeMultiplier in quantization_util.cc (double rounding build).
    """
    if real == 0.0:
        return 0, 0
    mantissa, shift = math.frexp(real)
    # TfLiteRound rounds halves away from zero; the mantissa is positive here or its sign is restored.
    fixed = int(math.floor(abs(mantissa) * (1 << 31) + 0.5))
    fixed = -fixed if mantissa < 0 else fixed
    if abs(fixed) == 1 << 31:
        fixed //= 2
        shift += 1
    if shift < -31:
        return 0, 0
    return fixed, shift


def activation_range(activation: str, output: Tensor, operator: Operator) -> tuple[int, int]:
    """Clamp bounds of a fused activation in output units. Source: CalculateActivationRangeQuantized."""
    low, high = TYPE_RANGES[output.type]
    quantization = quantization_of(output, operator)

    def quantized(real: float) -> int:
        # float32 division and round half away from zero, as TfLiteRound does
        ratio = float(np.float32(real) / np.float32(quantization.scale))
        if not math.isfinite(ratio):
            raise UnsupportedError(f"{operator.label}: scale {quantization.scale} of '{output.name}' is too small")
        return quantization.zero_point + int(math.copysign(math.floor(abs(ratio) + 0.5), ratio))

    bounds = {
        "NONE": (None, None),
        "RELU": (0.0, None),
        "RELU6": (0.0, 6.0),
        "RELU_N1_TO_1": (-1.0, 1.0),
    }.get(activation)
    if bounds is None:
        raise UnsupportedError(
            f"{operator.label}: fused activation {activation} is not supported; "
            "supported are NONE, RELU, RELU6, RELU_N1_TO_1"
        )
    lower, upper = bounds
    if lower is not None:
        low = max(low, quantized(lower))
    if upper is not None:
        high = min(high, quantized(upper))
    return low, high
