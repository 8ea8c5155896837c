# SPDX-License-Identifier: Apache-2.0
"""Sizes, shapes and names as people read them. 1 kB is 1024 B."""

from __future__ import annotations

from runnel.graph import Graph, Tensor

_LONGEST_NAME = 48


def kilobytes(count: int) -> str:
    """Bytes in the unit that keeps three or four digits: 812 B, 48.6 kB, 1.4 MB."""
    if count < 1024:
        return f"{count} B"
    value, unit = (count / 1024, "kB") if count < 1024 * 1024 else (count / 1024**2, "MB")
    return f"{value:.1f}".removesuffix(".0") + f" {unit}"


def millions(count: int) -> str:
    """A count of MACs or instructions: 812, 48.6 k, 37.9 M."""
    for limit, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= limit:
            return f"{count / limit:.1f}".removesuffix(".0") + f" {unit}"
    return str(count)


def input_text(passes: int) -> str:
    """How the model gets its input: input_passes of a plan in words."""
    if passes == 0:
        return "input stored"
    return f"input pulled in {'one pass' if passes == 1 else f'{passes} passes'}"


def shape_text(tensor: Tensor) -> str:
    """1×96×96×3; "scalar" for a shape without dimensions."""
    return "×".join(str(extent) for extent in tensor.shape) or "scalar"


def name_text(tensor: Tensor) -> str:
    """The tensor's name in the model file, made safe for one line of a terminal and cut from the left if long.

    Names come from the model file, so they may hold anything; their end tells more than their beginning.
    """
    name = "".join(character if character.isprintable() else "?" for character in tensor.name)
    return name if len(name) <= _LONGEST_NAME else "…" + name[1 - _LONGEST_NAME :]


def tensor_text(graph: Graph, number: int) -> str:
    """How messages name a tensor: number, shape, name."""
    tensor = graph.tensor(number)
    return f"tensor {number} ({shape_text(tensor)}, '{name_text(tensor)}')"
