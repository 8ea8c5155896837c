# SPDX-License-Identifier: Apache-2.0
"""AVERAGE_POOL_2D on int8: the mean of the pixels of the window that lie inside the input, halves away from zero."""

from __future__ import annotations

from runnel.operators.base import register
from runnel.operators.pool_2d import Pool2D


@register
class AveragePool2D(Pool2D):
    kind = "AVERAGE_POOL_2D"
    summary = "Mean of each window; padding is left out."
    average = True
