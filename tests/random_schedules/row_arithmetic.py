# SPDX-License-Identifier: Apache-2.0
"""One row of an operator's output in numpy, from the piece of the input that it needs.

The arithmetic is the operators' own reference, on a graph with one operator whose tensors are as large as the pieces.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from runnel.graph import Graph, Operator, Tensor
from runnel.operators import operator_type

Array = npt.NDArray[Any]

NO_PADDING = {"padding": "EXPLICIT", "pad_top": 0, "pad_bottom": 0, "pad_left": 0, "pad_right": 0}


def apply(graph: Graph, operator: Operator, computed: Sequence[Array], pixels: int) -> Array:
    """Output [pixels, channels] of one row; `computed` holds the inputs that are not constant, in order.

    A window operator reads exactly what it is given: padding is part of the piece.
    """
    changes: dict[str, Any] = dict(NO_PADDING) if "padding" in operator.attributes else {}
    return _evaluate(graph, operator, computed, changes, pixels)


def pooled(graph: Graph, operator: Operator, piece: Array, pads: tuple[int, int, int, int], pixels: int) -> Array:
    """As `apply`, for a pool: what lies in the padding (top, bottom, left, right) is left out, not zero."""
    names = ("pad_top", "pad_bottom", "pad_left", "pad_right")
    changes = {"padding": "EXPLICIT", **dict(zip(names, pads, strict=True))}
    return _evaluate(graph, operator, [piece], changes, pixels)


def finished(graph: Graph, operator: Operator, sums: Array) -> Array:
    """The output of a global pool whose input has these sums per channel: any input with them gives it."""
    source = graph.tensor(operator.inputs[0])
    pixels = source.elements // source.shape[-1]
    whole, rest = np.divmod(sums.astype(np.int64), pixels)
    flat = whole[None, :] + (np.arange(pixels)[:, None] < rest[None, :])
    assert flat.min() >= -128 and flat.max() <= 127, "sums of too many or of too few pixels"
    operands = (flat.astype(np.int8).reshape(source.shape), *(graph.tensor(i).data for i in operator.inputs[1:]))
    (result,) = operator_type(operator.kind).reference(graph, operator, operands)
    return result.reshape(-1)


def _evaluate(
    graph: Graph, operator: Operator, computed: Sequence[Array], changes: Mapping[str, Any], pixels: int
) -> Array:
    pieces = iter(computed)
    tensors = {i: graph.tensor(i) for i in (*operator.inputs, *operator.outputs) if i is not None}
    operands: list[Array | None] = []
    for index in operator.inputs:
        if index is None or tensors[index].data is not None:
            operands.append(None if index is None else tensors[index].data)
            continue
        operands.append(next(pieces))
    for index, operand in zip(operator.inputs, operands, strict=True):
        if index is not None and operand is not None and tensors[index].data is None:
            tensors[index] = _resized(tensors[index], operand.shape)
    output = operator.outputs[0]
    tensors[output] = _resized(tensors[output], (1, 1, pixels, tensors[output].shape[-1]))
    alone = operator.replace(attributes={**operator.attributes, **changes})
    small = Graph("row", tensors, (alone,), (), (output,))
    (result,) = operator_type(operator.kind).reference(small, alone, tuple(operands))
    return result.reshape(pixels, -1)


def _resized(tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
    return replace(tensor, shape=shape)
