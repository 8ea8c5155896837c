# SPDX-License-Identifier: Apache-2.0
"""Turns Python values into C text that is safe whatever the model calls its tensors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

C_TYPES = {"int8": "int8_t", "uint8": "uint8_t", "int16": "int16_t", "int32": "int32_t", "float32": "float"}
_LINE_WIDTH = 110
_SIGNATURE_WIDTH = 120
_STATEMENT_WIDTH = 92
_WORDS_WIDTH = 96


def c_type(element_type: str) -> str:
    """The C type of an element; raises KeyError for types that generated code never holds."""
    return C_TYPES[element_type]


def comment(text: str) -> str:
    """`text` on one line, unable to end a C comment."""
    printable = "".join(c if 32 <= ord(c) < 127 else "?" for c in text)
    return printable.replace("*/", "* /").replace("/*", "/ *").replace("\\", "/").replace("??", "? ?")


def short_name(name: str, longest: int = 56) -> str:
    """The part of a tensor's name that people recognise: converters join the names of all they fused with ';'."""
    first = name.split(";", 1)[0]
    return comment(first if len(first) <= longest else f"...{first[-(longest - 3) :]}")


def string(text: str) -> str:
    """A C string literal; bytes other than plain ASCII become octal escapes."""
    escaped = "".join(
        chr(b) if 32 <= b < 127 and chr(b) not in '"\\?' else f"\\{b:03o}" for b in text.encode("utf-8", "replace")
    )
    return f'"{escaped}"'


def float_literal(value: float) -> str:
    """A float32 constant that reads back to the same bits."""
    single = float(np.float32(value))
    if not math.isfinite(single):
        return "0.0f"
    text = f"{single:.9g}"
    return f"{text}f" if any(c in text for c in ".e") else f"{text}.0f"


def int_literal(value: int) -> str:
    """An int32 constant. INT32_MIN has no literal of type int in C."""
    return "INT32_MIN" if value == -(2**31) else str(value)


def array_body(array: npt.NDArray[Any]) -> str:
    """The elements between the braces of an initializer, wrapped into lines."""
    flat = np.ascontiguousarray(array).reshape(-1)
    if flat.dtype == np.float32:
        words = [float_literal(v) for v in flat.tolist()]
    elif flat.dtype == np.int32:
        words = [int_literal(v) for v in flat.tolist()]
    else:
        words = list(map(str, flat.tolist()))
    width = max(map(len, words), default=1) + 2
    per_line = max(1, (_LINE_WIDTH - 4) // width)
    lines = (", ".join(words[i : i + per_line]) for i in range(0, len(words), per_line))
    return ",\n\t".join(lines)


def dimensions(shape: tuple[int, ...]) -> str:
    """A shape as people write it, without the batch: 40x40x16."""
    inner = shape[1:] if len(shape) > 1 else shape
    return "x".join(map(str, inner)) if inner else "1"


def statement(function: str, arguments: Sequence[str]) -> str:
    """`function(arguments);`, on further lines where it is long."""
    return _listed(function, arguments, ");", _STATEMENT_WIDTH)


def signature(function: str, parameters: Sequence[str]) -> str:
    """`function(parameters)` of a definition, on further lines where it is long."""
    return _listed(function, parameters, ")", _SIGNATURE_WIDTH)


def _listed(function: str, words: Sequence[str], end: str, width: int) -> str:
    """width: columns of a line; a tab takes eight."""
    lines = [f"{function}("]
    for place, word in enumerate(words):
        listed = word + (", " if place + 1 < len(words) else end)
        if len(lines[-1].expandtabs()) + len(listed.rstrip()) > width and not lines[-1].endswith("("):
            lines[-1] = lines[-1].rstrip()
            lines.append("\t\t")
        lines[-1] += listed
    return "\n".join(lines) if words else f"{function}({end}"


def string_of_words(words: Sequence[str]) -> str:
    """A C string literal of words separated by spaces, behind `=`: on the same line, or on lines of its own if long."""
    lines = [""]
    for place, word in enumerate(words):
        spaced = word + (" " if place + 1 < len(words) else "")
        if lines[-1] and len(lines[-1]) + len(spaced) > _WORDS_WIDTH:
            lines.append("")
        lines[-1] += spaced
    return f" {string(lines[0])}" if len(lines) == 1 else "".join(f"\n\t\t{string(line)}" for line in lines)


def indented(lines: Sequence[str], tabs: int) -> list[str]:
    """The lines `tabs` further to the right; a line may itself hold several."""
    space = "\t" * tabs
    return [space + line.replace("\n", f"\n{space}") if line else line for line in lines]
