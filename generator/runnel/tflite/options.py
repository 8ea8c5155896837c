# SPDX-License-Identifier: Apache-2.0
"""Reads an operator's options as its OperatorType describes them, so that no operator needs code here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from runnel.errors import ModelError
from runnel.operators import OperatorType
from runnel.tflite.flatbuffer import Table
from runnel.tflite.schema import accessor, enumeration, option_table_names, table_class

# A flatbuffer table without any field, at position 4 behind its 4-byte vtable: every accessor gives its default.
_EMPTY_TABLE = bytes([4, 0, 4, 0, 4, 0, 0, 0])

VALUES_LIMIT = 64


def read_options(operator: Table, kind: OperatorType) -> Mapping[str, Any]:
    """The attributes of `operator`: TFLite's names in snake case, enumerations as upper-case names.

    Options that the file leaves out have the schema's defaults. Raises ModelError for options of another operator,
    an unknown value of an enumeration, or a number that is not finite.
    """
    if kind.options_table is None:
        return {}
    table = _options_table(operator, kind.options_table)
    return {name: _value(table, name, form) for name, form in kind.options.items()}


def _options_table(operator: Table, expected: str) -> Table:
    raw = table_class(expected)()
    what = f"options of {operator.what}"
    number = int(operator.get("builtin_options_type"))
    stored = operator.get("builtin_options")
    if number == 0 or stored is None:
        raw.Init(_EMPTY_TABLE, 4)
        return Table(raw, len(_EMPTY_TABLE), operator.source, what)
    found = option_table_names().get(number, f"type {number}")
    if found != expected:
        raise ModelError(f"{operator.source}: {operator.what} has options {found}, expected {expected}")
    raw.Init(stored.Bytes, stored.Pos)
    return Table(raw, operator.size, operator.source, what)


def _value(table: Table, name: str, form: str) -> Any:
    if form == "int[]":
        return table.integers(name, most=VALUES_LIMIT)
    value = getattr(table.raw, accessor(name))()
    if form == "bool":
        return bool(value)
    if form == "int":
        return int(value)
    if form == "float":
        if not math.isfinite(value):
            raise ModelError(f"{table.source}: {table.what}: {name} is {value}; it must be a finite number")
        return float(value)
    names = enumeration(form)
    if value not in names:
        raise ModelError(
            f"{table.source}: {table.what}: {name} has the unknown value {value}; known are {', '.join(names.values())}"
        )
    return names[value]
