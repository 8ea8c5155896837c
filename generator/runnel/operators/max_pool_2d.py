# SPDX-License-Identifier: Apache-2.0
"""MAX_POOL_2D on int8: the largest of the pixels of the window that lie inside the input."""

from __future__ import annotations

from runnel.operators.base import register
from runnel.operators.pool_2d import Pool2D


@register
class MaxPool2D(Pool2D):
    kind = "MAX_POOL_2D"
    summary = "Largest value of each window; padding is left out."
    average = False
