# SPDX-License-Identifier: Apache-2.0
"""Reads what a model says of itself: the metadata entry "runnel", JSON text written by our own writer."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from runnel.errors import ModelError
from runnel.tflite.flatbuffer import Table

ENTRY_NAME = "runnel"
ENTRY_BYTES = 1_000_000
_ENTRIES_LIMIT = 256


def read_metadata(model: Table) -> Mapping[str, Any]:
    """labels, mean, std, colour_order, description; {} when the model has no such entry.

    Other metadata entries are ignored. Raises ModelError when the entry is damaged.
    """
    for index in range(model.count("metadata", 4, _ENTRIES_LIMIT)):
        entry = model.entry("metadata", index, f"metadata entry {index}")
        if entry.text("name") == ENTRY_NAME:
            number = int(entry.get("buffer"))
            buffer = model.entry("buffers", number, f"buffer {number} of the metadata '{ENTRY_NAME}'")
            return _parse(model.source, bytes(buffer.array("data", 1, ENTRY_BYTES)))
    return {}


def _parse(source: str, content: bytes) -> Mapping[str, Any]:
    try:
        values = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{source}: the metadata '{ENTRY_NAME}' is not JSON: {error}") from error
    if not isinstance(values, dict):
        raise ModelError(f"{source}: the metadata '{ENTRY_NAME}' must be a JSON object, found {type(values).__name__}")
    for name, (is_sound, expected) in _FIELDS.items():
        if name in values and not is_sound(values[name]):
            raise ModelError(f"{source}: the metadata '{ENTRY_NAME}' has a wrong '{name}': expected {expected}")
    return values


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _numbers(value: Any) -> bool:
    return _number(value) or (isinstance(value, list) and all(_number(item) for item in value))


def _colours(value: Any) -> bool:
    return _text(value) and value.lower() in ("", "rgb", "bgr", "grey")


_FIELDS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "labels": (_texts, "a list of texts"),
    "mean": (_numbers, "a number or a list of numbers"),
    "std": (_numbers, "a number or a list of numbers"),
    "colour_order": (_colours, '"RGB", "BGR" or "grey"'),
    "description": (_text, "a text"),
}
