# SPDX-License-Identifier: Apache-2.0
"""The supported operators, one file each. Importing this package registers them all."""

from __future__ import annotations

import importlib
import pkgutil

from runnel.operators.base import (
    Constant,
    Constraint,
    Footprint,
    Form,
    KernelCall,
    OperatorType,
    RowForm,
    RowLayout,
    Target,
    Window,
    known_operators,
    operator_type,
)

for _module in sorted(m.name for m in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_module}")

__all__ = [
    "Constant",
    "Constraint",
    "Footprint",
    "Form",
    "KernelCall",
    "OperatorType",
    "RowForm",
    "RowLayout",
    "Target",
    "Window",
    "known_operators",
    "operator_type",
]
