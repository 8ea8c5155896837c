# SPDX-License-Identifier: Apache-2.0
"""RESIZE_NEAREST_NEIGHBOR on int8. Source: TFLite's reference/resize_nearest_neighbor.h."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from runnel.graph import Graph, Operator
from runnel.operators.base import (
    Constant,
    Constraint,
    KernelCall,
    OperatorType,
    RowForm,
    RowLayout,
    Target,
    register,
)
from runnel.operators.checks import (
    four_dimensions,
    input_at,
    inputs_and_outputs,
    integers_at,
    nhwc,
    output_of,
    per_tensor_quantization,
    same_quantization,
    types,
)
from runnel.operators.row_kernels import ONE_PIXEL, maps_to_map, output_steps

MOST_ROWS = 32767
"""Row and column numbers are int16."""


@lru_cache(maxsize=256)
def nearest(output_size: int, input_size: int, align_corners: bool, half_pixel_centers: bool) -> tuple[int, ...]:
    """The input index of each output index along one axis; float32 arithmetic as in GetNearestNeighbor."""
    if align_corners and output_size > 1:
        scale = np.float32(input_size - 1) / np.float32(output_size - 1)
    else:
        scale = np.float32(input_size) / np.float32(output_size)
    offset = np.float32(0.5) if half_pixel_centers else np.float32(0.0)
    indices = []
    for index in range(output_size):
        place = float((np.float32(index) + offset) * scale)
        # TfLiteRound rounds halves away from zero; places are never negative
        whole = math.floor(place + 0.5) if align_corners else math.floor(place)
        indices.append(min(whole, input_size - 1))
    return tuple(indices)


def _size(graph: Graph, operator: Operator) -> tuple[int, ...]:
    return integers_at(graph, operator, 1)


def _sources(graph: Graph, operator: Operator) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The input row of each output row, the input column of each output column."""
    height, width, _ = nhwc(input_at(graph, operator, 0), operator)
    output_height, output_width = _size(graph, operator)
    corners = bool(operator.attributes.get("align_corners", False))
    centers = bool(operator.attributes.get("half_pixel_centers", False))
    return nearest(output_height, height, corners, centers), nearest(output_width, width, corners, centers)


def _constants(graph: Graph, operator: Operator) -> tuple[Constant, ...]:
    rows, columns = _sources(graph, operator)
    return (
        Constant("rows", np.array(rows, dtype=np.int16)),
        Constant("columns", np.array(columns, dtype=np.int16)),
    )


def constant_size(graph: Graph, operator: Operator) -> str | None:
    """The new size is two constant int32 from 1 to 32767; so is the input's size"""
    tensor = input_at(graph, operator, 1)
    if not tensor.is_constant or tensor.type != "int32" or tensor.elements != 2:
        return f"'{tensor.name}' is {'constant' if tensor.is_constant else 'computed'} {tensor.type} {tensor.shape}"
    sizes = (*_size(graph, operator), *input_at(graph, operator, 0).shape[1:3])
    return None if min(sizes) >= 1 and max(sizes) <= MOST_ROWS else f"sizes {sizes}"


@register
class ResizeNearestNeighbor(OperatorType):
    kind = "RESIZE_NEAREST_NEIGHBOR"
    summary = "Another height and width by repeating or dropping pixels."
    options_table = "ResizeNearestNeighborOptions"
    options: ClassVar[Mapping[str, str]] = {"align_corners": "bool", "half_pixel_centers": "bool"}
    constraints: ClassVar[tuple[Constraint, ...]] = (
        inputs_and_outputs(2),
        types(0, "int8"),
        types("output", "int8"),
        per_tensor_quantization,
        four_dimensions,
        same_quantization,
        constant_size,
    )

    def output_shapes(self, graph: Graph, operator: Operator) -> tuple[tuple[int, ...], ...]:
        shape = input_at(graph, operator, 0).shape
        return ((shape[0], *_size(graph, operator), shape[3]),)

    def reference(
        self, graph: Graph, operator: Operator, inputs: tuple[npt.NDArray[Any] | None, ...]
    ) -> tuple[npt.NDArray[Any], ...]:
        data = inputs[0]
        assert data is not None
        rows, columns = _sources(graph, operator)
        return (data[:, list(rows)][:, :, list(columns)],)

    def row_form(self, graph: Graph, operator: Operator) -> RowForm | None:
        if not maps_to_map(graph, operator):
            return None
        rows, columns = _sources(graph, operator)
        return RowForm("window", ONE_PIXEL, source_rows=rows, source_columns=columns, writes_planes=True)

    def lower_rows(self, graph: Graph, operator: Operator, target: Target, layout: RowLayout) -> tuple[KernelCall, ...]:
        source, output = input_at(graph, operator, 0), output_of(graph, operator)
        call = KernelCall(
            kernel="resize_nearest_neighbor_window",
            shape={"channels": source.shape[-1], **output_steps(layout)},
            layer={},
            constants=_constants(graph, operator),
            inputs=(source.index,),
            output=output.index,
            layer_type="runnel_resize_nearest_neighbor_layer",
            form="window",
            file="resize_nearest_neighbor",
        )
        return (call,)

    def lower(self, graph: Graph, operator: Operator, target: Target) -> tuple[KernelCall, ...]:
        source, output = input_at(graph, operator, 0), output_of(graph, operator)
        _, width, channels = nhwc(source, operator)
        rows, columns = _sources(graph, operator)
        call = KernelCall(
            kernel="resize_nearest_neighbor",
            shape={
                "input_width": width,
                "output_height": len(rows),
                "output_width": len(columns),
                "channels": channels,
            },
            layer={},
            constants=_constants(graph, operator),
            inputs=(source.index,),
            output=output.index,
        )
        return (call,)
