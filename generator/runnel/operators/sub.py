# SPDX-License-Identifier: Apache-2.0
"""SUB on int8, with broadcasting: ADD with the second input subtracted."""

from __future__ import annotations

from runnel.operators.add import Add
from runnel.operators.base import register


@register
class Sub(Add):
    kind = "SUB"
    summary = "Difference of two tensors, with broadcasting; in place where the shapes agree."
    options_table = "SubOptions"
    subtract = True
