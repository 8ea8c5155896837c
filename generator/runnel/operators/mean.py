# SPDX-License-Identifier: Apache-2.0
"""MEAN on int8 over any constant axes. Source: QuantizedMeanOrSum in TFLite's reference/reduce.h.

TensorFlow Lite Micro has one int8 path: an exact 32-bit sum, then one requantization whose multiplier contains the
number of summed values. The result depends neither on the order of the axes nor on keep_dims nor on where the axes
lie, only on which values are summed: MEAN over axes 2, 3 of an NCHW tensor equals MEAN over 1, 2 of its NHWC twin.
(LiteRT's special case for axes 1, 2 of 4 dimensions rounds differently; Micro does not have it for int8.)
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from runnel.graph import Graph, Operator
from runnel.operators.base import (
    Constraint,
    Footprint,
    KernelCall,
    OperatorType,
    RowForm,
    RowLayout,
    Target,
    Window,
    register,
)
from runnel.operators.checks import (
    axis_index,
    bounded_multiplier,
    input_at,
    inputs_and_outputs,
    integers_at,
    output_of,
    per_tensor_quantization,
    types,
)
from runnel.operators.fixed_point import wrap
from runnel.operators.quantize_math import quantization_of
from runnel.operators.reference_math import multiply_by_quantized_multiplier, wrap_int32
from runnel.operators.row_kernels import is_feature_map
from runnel.operators.sums import sums_add_call

MOST_VALUES = 1 << 23
"""Sums of more int8 values could leave 32 bits."""
GROUPS = ("outer", "reduced_0", "middle", "reduced_1", "inner")
"""What the kernel loops over: dimensions that are kept and dimensions that are summed, in turn."""


def reduced_axes(graph: Graph, operator: Operator) -> tuple[int, ...]:
    """The axes that are summed, sorted, without repeats."""
    rank = len(input_at(graph, operator, 0).shape)
    return tuple(sorted({axis_index(operator, axis, rank) for axis in integers_at(graph, operator, 1)}))


def _groups(shape: Sequence[int], axes: Sequence[int]) -> list[int]:
    """Sizes of alternating groups of dimensions, the first one kept; dimensions of size 1 belong to any group."""
    sizes = [1]
    for axis, size in enumerate(shape):
        reduced = axis in axes
        if size == 1:
            continue
        if len(sizes) % 2 != (0 if reduced else 1):
            sizes.append(1)
        sizes[-1] *= size
    return sizes


def constant_axes(graph: Graph, operator: Operator) -> str | None:
    """The axes are a constant int32 tensor"""
    axes = input_at(graph, operator, 1)
    return None if axes.is_constant and axes.type == "int32" else f"'{axes.name}' is {axes.type}"


def few_groups(graph: Graph, operator: Operator) -> str | None:
    """At most two separate groups of axes (any axes of up to 4 dimensions with batch 1), up to 2^23 values a sum"""
    shape = input_at(graph, operator, 0).shape
    axes = reduced_axes(graph, operator)
    if len(_groups(shape, axes)) > len(GROUPS):
        return f"axes {axes} of shape {shape}"
    count = math.prod(shape[axis] for axis in axes)
    return None if 1 <= count <= MOST_VALUES else f"{count} values a sum"


@register
class Mean(OperatorType):
    kind = "MEAN"
    summary = "Mean over any axes, with a change of scale; in place."
    input_count = (2, 2)
    options_table = "ReducerOptions"
    options: ClassVar[Mapping[str, str]] = {"keep_dims": "bool"}
    constraints: ClassVar[tuple[Constraint, ...]] = (
        inputs_and_outputs(2),
        types(0, "int8"),
        types("output", "int8"),
        per_tensor_quantization,
        constant_axes,
        few_groups,
    )

    def output_shapes(self, graph: Graph, operator: Operator) -> tuple[tuple[int, ...], ...]:
        shape = input_at(graph, operator, 0).shape
        axes = reduced_axes(graph, operator)
        if operator.attributes.get("keep_dims", False):
            return (tuple(1 if axis in axes else size for axis, size in enumerate(shape)),)
        return (tuple(size for axis, size in enumerate(shape) if axis not in axes),)

    def reference(
        self, graph: Graph, operator: Operator, inputs: tuple[npt.NDArray[Any] | None, ...]
    ) -> tuple[npt.NDArray[Any], ...]:
        data = inputs[0]
        assert data is not None
        layer = self._layer(graph, operator)
        keep = bool(operator.attributes.get("keep_dims", False))
        totals = data.astype(np.int64).sum(axis=reduced_axes(graph, operator), keepdims=keep)
        sums = wrap_int32(np.asarray(totals + layer["bias"]))
        multiplier, shift = np.asarray(layer["multiplier"]), np.asarray(layer["shift"])
        scaled = multiply_by_quantized_multiplier(sums, multiplier, shift)
        return (np.clip(wrap_int32(scaled + layer["output_zero_point"]), -128, 127).astype(np.int8),)

    def footprint(self, graph: Graph, operator: Operator, target: Target) -> Footprint:
        return Footprint(in_place=(0,))

    def row_form(self, graph: Graph, operator: Operator) -> RowForm | None:
        """Over all rows and columns, with or without keep_dims."""
        source, output = input_at(graph, operator, 0), output_of(graph, operator)
        if not is_feature_map(source) or output.elements != source.shape[3]:
            return None
        kept = {axis for axis, size in enumerate(source.shape) if size > 1} - set(reduced_axes(graph, operator))
        if not kept <= {3}:
            return None
        return RowForm("sums", Window(source.shape[1], source.shape[2], 1, 1, 1, 1, 0, 0))

    def lower_rows(self, graph: Graph, operator: Operator, target: Target, layout: RowLayout) -> tuple[KernelCall, ...]:
        source, output = input_at(graph, operator, 0), output_of(graph, operator)
        finish = KernelCall(
            kernel="mean_sums_finish",
            shape={"channels": source.shape[-1]},
            layer=self._layer(graph, operator),
            constants=(),
            inputs=(source.index,),
            output=output.index,
            layer_type="runnel_mean_layer",
            form="sums",
            file="sums",
        )
        return (sums_add_call(source, output), finish)

    def lower(self, graph: Graph, operator: Operator, target: Target) -> tuple[KernelCall, ...]:
        source, output = input_at(graph, operator, 0), output_of(graph, operator)
        sizes = _groups(source.shape, reduced_axes(graph, operator))
        sizes += [1] * (len(GROUPS) - len(sizes))
        call = KernelCall(
            kernel="mean",
            shape=dict(zip(GROUPS, sizes, strict=True)),
            layer=self._layer(graph, operator),
            constants=(),
            inputs=(source.index,),
            output=output.index,
            in_place=self.footprint(graph, operator, target).in_place,
        )
        return (call,)

    def _layer(self, graph: Graph, operator: Operator) -> Mapping[str, int]:
        """The division by the number of values goes into the multiplier, with as many bits as fit."""
        source, output = input_at(graph, operator, 0), output_of(graph, operator)
        before, after = quantization_of(source, operator), quantization_of(output, operator)
        count = math.prod(source.shape[axis] for axis in reduced_axes(graph, operator))
        multiplier, shift = bounded_multiplier(before.scale / after.scale, operator)
        more = min(count.bit_length() - 1, 32, 31 + shift)
        return {
            "bias": wrap(-before.zero_point * count),
            "multiplier": wrap((multiplier << more) // count),
            "shift": shift - more,
            "output_zero_point": after.zero_point,
        }
