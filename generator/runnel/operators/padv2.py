# SPDX-License-Identifier: Apache-2.0
"""PADV2: PAD with a value of its own."""

from __future__ import annotations

from runnel.operators.base import register
from runnel.operators.pad import Pad


@register
class PadV2(Pad):
    kind = "PADV2"
    summary = "Adds a constant value around any dimensions."
    input_count = (3, 3)
    options_table = "PadV2Options"
