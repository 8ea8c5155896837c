# SPDX-License-Identifier: Apache-2.0
"""STRIDED_SLICE: computed at compile time. Source: TFLite's kernels/internal/strided_slice_logic.h."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from runnel.errors import ModelError, UnsupportedError
from runnel.graph import Graph, Operator
from runnel.operators.base import Constraint, register
from runnel.operators.checks import input_at, inputs_and_outputs, integers_at
from runnel.operators.folded import FoldedOperator


def _mask(operator: Operator, name: str, axis: int) -> bool:
    return bool(int(operator.attributes.get(name, 0)) >> axis & 1)


def slices_of(graph: Graph, operator: Operator) -> tuple[slice | int, ...]:
    """What NumPy would index the input with; an integer where the axis disappears."""
    rank = len(input_at(graph, operator, 0).shape)
    begins, ends, steps = (integers_at(graph, operator, position) for position in (1, 2, 3))
    if not len(begins) == len(ends) == len(steps) <= rank:
        raise ModelError(f"{operator.label}: {len(begins)} begins, {len(ends)} ends, {len(steps)} strides")
    if 0 in steps:
        raise ModelError(f"{operator.label}: a stride is 0")
    result: list[slice | int] = []
    for axis, (begin, end, step) in enumerate(zip(begins, ends, steps, strict=True)):
        if _mask(operator, "shrink_axis_mask", axis):
            size = input_at(graph, operator, 0).shape[axis]
            if not -size <= begin < size:
                raise ModelError(f"{operator.label}: index {begin} is outside an axis of size {size}")
            result.append(begin)
            continue
        first = None if _mask(operator, "begin_mask", axis) else begin
        last = None if _mask(operator, "end_mask", axis) else end
        result.append(slice(first, last, step))
    return tuple(result)


def plain_masks(graph: Graph, operator: Operator) -> str | None:
    """No ellipsis, no new axis, no offset"""
    names = ("ellipsis_mask", "new_axis_mask", "offset")
    return next((f"{name} is set" for name in names if operator.attributes.get(name)), None)


@register
class StridedSlice(FoldedOperator):
    kind = "STRIDED_SLICE"
    summary = "Part of a tensor; computed at compile time."
    role = "folds"
    input_count = (4, 4)
    options_table = "StridedSliceOptions"
    options: ClassVar[Mapping[str, str]] = {
        "begin_mask": "int",
        "end_mask": "int",
        "ellipsis_mask": "int",
        "new_axis_mask": "int",
        "shrink_axis_mask": "int",
        "offset": "bool",
    }
    constraints: ClassVar[tuple[Constraint, ...]] = (inputs_and_outputs(4), plain_masks)

    def output_shapes(self, graph: Graph, operator: Operator) -> tuple[tuple[int, ...], ...]:
        found = plain_masks(graph, operator)
        if found:
            raise UnsupportedError(f"{operator.label}: {found}")
        shape = input_at(graph, operator, 0).shape
        slices = slices_of(graph, operator)
        kept = [
            len(range(*index.indices(size)))
            for size, index in zip(shape, slices, strict=False)
            if isinstance(index, slice)
        ]
        return ((*kept, *shape[len(slices) :]),)

    def reference(
        self, graph: Graph, operator: Operator, inputs: tuple[npt.NDArray[Any] | None, ...]
    ) -> tuple[npt.NDArray[Any], ...]:
        data = inputs[0]
        assert data is not None
        return (np.asarray(data[slices_of(graph, operator)]),)
