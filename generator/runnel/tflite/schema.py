# SPDX-License-Identifier: Apache-2.0
"""The TFLite schema by name: flatbuffer classes and enumerations of the PyPI package `tflite`.

That package carries no types; importing its modules by name here keeps the untyped objects in one place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import Any

# TFLite's element types that Runnel can represent, under the names of graph.ELEMENT_BYTES.
ELEMENT_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "FLOAT32": "float32",
        "INT8": "int8",
        "UINT8": "uint8",
        "INT16": "int16",
        "INT32": "int32",
        "INT64": "int64",
        "BOOL": "bool",
    }
)

# Enumerations whose name in the package differs from the name in the schema.
_RENAMED = {"WeightsFormat": "FullyConnectedOptionsWeightsFormat"}


@cache
def table_class(name: str) -> Any:
    """The generated class of a flatbuffer table, for example "Conv2DOptions"."""
    return getattr(import_module(f"tflite.{name}"), name)


@cache
def enumeration(name: str) -> Mapping[int, str]:
    """Value -> upper-case name of a schema enumeration, for example "Padding" -> {0: "SAME", 1: "VALID"}."""
    cls = table_class(_RENAMED.get(name, name))
    members = {key: value for key, value in vars(cls).items() if not key.startswith("_")}
    return MappingProxyType({value: key.upper() for key, value in members.items() if isinstance(value, int)})


@cache
def option_table_names() -> Mapping[int, str]:
    """Value -> name in the schema ("Conv2DOptions") of the union BuiltinOptions."""
    members = vars(table_class("BuiltinOptions")).items()
    return MappingProxyType({value: key for key, value in members if isinstance(value, int)})


@cache
def accessor(attribute: str) -> str:
    """The method that flatc generates for a field: "dilation_h_factor" -> "DilationHFactor"."""
    return re.sub(r"(?:^|_)([a-z0-9])", lambda match: match[1].upper(), attribute)
