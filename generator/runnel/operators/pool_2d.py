# SPDX-License-Identifier: Apache-2.0
"""What AVERAGE_POOL_2D and MAX_POOL_2D share. Source: TFLite's reference/integer_ops/pooling.h."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
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
)
from runnel.operators.checks import (
    four_dimensions,
    input_at,
    inputs_and_outputs,
    nhwc,
    output_of,
    per_tensor_quantization,
    same_quantization,
    types,
)
from runnel.operators.padding import Padding, padding_of
from runnel.operators.quantize_math import activation_range
from runnel.operators.row_kernels import maps_to_map, output_steps
from runnel.operators.sums import sums_add_call

LARGEST_WINDOW = 32767
"""Rows and columns; keeps the kernel's coordinates within 32 bits."""


def _kernel(operator: Operator) -> tuple[int, int]:
    return int(operator.attributes["filter_height"]), int(operator.attributes["filter_width"])


def _stride(operator: Operator) -> tuple[int, int]:
    return int(operator.attributes["stride_h"]), int(operator.attributes["stride_w"])


def _padding(graph: Graph, operator: Operator) -> Padding:
    height, width, _ = nhwc(input_at(graph, operator, 0), operator)
    return padding_of(operator, height, width, *_kernel(operator))


def every_window_touches_the_input(graph: Graph, operator: Operator) -> str | None:
    """Windows and strides are 1 to 32767; every window holds at least one pixel of the input"""
    sizes = (*_kernel(operator), *_stride(operator))
    if min(sizes) < 1 or max(sizes) > LARGEST_WINDOW:
        return f"window {_kernel(operator)}, stride {_stride(operator)}"
    padding = _padding(graph, operator)
    if min(padding.output_height, padding.output_width) < 1:
        return f"window {_kernel(operator)} is larger than the input"
    kernel_h, kernel_w = _kernel(operator)
    if max(padding.top, padding.bottom) >= kernel_h or max(padding.left, padding.right) >= kernel_w:
        return "some windows hold only padding"
    return None


class Pool2D(OperatorType):
    """A pooling operator; subclasses set `average`."""

    average: ClassVar[bool]
    options_table = "Pool2DOptions"
    options: ClassVar[Mapping[str, str]] = {
        "padding": "Padding",
        "stride_w": "int",
        "stride_h": "int",
        "filter_width": "int",
        "filter_height": "int",
        "fused_activation_function": "ActivationFunctionType",
    }
    constraints: ClassVar[tuple[Constraint, ...]] = (
        inputs_and_outputs(1),
        types(0, "int8"),
        types("output", "int8"),
        per_tensor_quantization,
        four_dimensions,
        same_quantization,
        every_window_touches_the_input,
    )

    def output_shapes(self, graph: Graph, operator: Operator) -> tuple[tuple[int, ...], ...]:
        source = input_at(graph, operator, 0)
        padding = _padding(graph, operator)
        return ((source.shape[0], padding.output_height, padding.output_width, source.shape[3]),)

    def window(self, graph: Graph, operator: Operator) -> Window | None:
        padding = _padding(graph, operator)
        return Window(*_kernel(operator), *_stride(operator), 1, 1, padding.top, padding.left)

    def reference(
        self, graph: Graph, operator: Operator, inputs: tuple[npt.NDArray[Any] | None, ...]
    ) -> tuple[npt.NDArray[Any], ...]:
        (data,) = inputs
        assert data is not None
        shape = self._shape(graph, operator)
        result = np.empty((1, shape["output_height"], shape["output_width"], shape["channels"]), dtype=np.int64)
        for y in range(shape["output_height"]):
            top = y * shape["stride_height"] - shape["pad_top"]
            for x in range(shape["output_width"]):
                left = x * shape["stride_width"] - shape["pad_left"]
                rows = slice(max(top, 0), top + shape["kernel_height"])
                window = data[0, rows, max(left, 0) : left + shape["kernel_width"]]
                result[0, y, x] = _mean(window) if self.average else window.max(axis=(0, 1))
        return (np.clip(result, *self._clamp(graph, operator)).astype(np.int8),)

    def footprint(self, graph: Graph, operator: Operator, target: Target) -> Footprint:
        return Footprint(in_place=(0,) if _reads_only_forward(graph, operator) else ())

    def row_form(self, graph: Graph, operator: Operator) -> RowForm | None:
        window = self.window(graph, operator)
        if window is None or not maps_to_map(graph, operator):
            return None
        if self._is_global_mean(graph, operator):
            return RowForm("sums", window)
        return RowForm("window", window, writes_planes=True)

    def lower_rows(self, graph: Graph, operator: Operator, target: Target, layout: RowLayout) -> tuple[KernelCall, ...]:
        source, output = input_at(graph, operator, 0), output_of(graph, operator)
        shape = self._shape(graph, operator)
        if self._is_global_mean(graph, operator):
            fields = {"channels": shape["channels"], "pixels": shape["input_height"] * shape["input_width"]}
            finish = self._row_call(graph, operator, "pool_2d_sums_finish", fields)
            return (sums_add_call(source, output), replace(finish, form="sums", file="sums"))
        fields = {name: value for name, value in shape.items() if name not in ("output_height", "output_width")}
        return (self._row_call(graph, operator, "pool_2d_window", {**fields, **output_steps(layout)}),)

    def _row_call(self, graph: Graph, operator: Operator, kernel: str, shape: Mapping[str, int]) -> KernelCall:
        return KernelCall(
            kernel=kernel,
            shape=shape,
            layer=self._layer(graph, operator),
            constants=(),
            inputs=(input_at(graph, operator, 0).index,),
            output=output_of(graph, operator).index,
            layer_type="runnel_pool_2d_layer",
            form="window",
            file="pool_2d",
        )

    def _is_global_mean(self, graph: Graph, operator: Operator) -> bool:
        """Whether one window without padding covers the whole input."""
        height, width, _ = nhwc(input_at(graph, operator, 0), operator)
        padding = _padding(graph, operator)
        unpadded = padding.top == padding.bottom == padding.left == padding.right == 0
        return self.average and unpadded and _kernel(operator) == (height, width)

    def lower(self, graph: Graph, operator: Operator, target: Target) -> tuple[KernelCall, ...]:
        source, output = input_at(graph, operator, 0), output_of(graph, operator)
        call = KernelCall(
            kernel="pool_2d",
            shape=self._shape(graph, operator),
            layer=self._layer(graph, operator),
            constants=(),
            inputs=(source.index,),
            output=output.index,
            in_place=self.footprint(graph, operator, target).in_place,
        )
        return (call,)

    def _clamp(self, graph: Graph, operator: Operator) -> tuple[int, int]:
        activation = str(operator.attributes.get("fused_activation_function", "NONE"))
        return activation_range(activation, output_of(graph, operator), operator)

    def _layer(self, graph: Graph, operator: Operator) -> Mapping[str, int]:
        clamp_min, clamp_max = self._clamp(graph, operator)
        return {"clamp_min": clamp_min, "clamp_max": clamp_max}

    def _shape(self, graph: Graph, operator: Operator) -> Mapping[str, int]:
        height, width, channels = nhwc(input_at(graph, operator, 0), operator)
        padding = _padding(graph, operator)
        kernel, stride = _kernel(operator), _stride(operator)
        return {
            "input_height": height,
            "input_width": width,
            "channels": channels,
            "output_height": padding.output_height,
            "output_width": padding.output_width,
            "kernel_height": kernel[0],
            "kernel_width": kernel[1],
            "stride_height": stride[0],
            "stride_width": stride[1],
            "pad_top": padding.top,
            "pad_left": padding.left,
            "average": int(self.average),
        }


def _mean(window: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Mean of each channel of [rows][columns][channels], halves away from zero."""
    count = window.shape[0] * window.shape[1]
    sums = window.astype(np.int64).sum(axis=(0, 1))
    mean: npt.NDArray[np.int64] = np.sign(sums) * ((np.abs(sums) + count // 2) // count)
    return mean


def _reads_only_forward(graph: Graph, operator: Operator) -> bool:
    """Whether output pixel number n reads no input pixel before number n, so that writing in place is safe.

    Its first input pixel is max(0, y * stride - pad) * input width + the same in x. With pad < stride that is
    at least y * input width + x.
    """
    height, width, _ = nhwc(input_at(graph, operator, 0), operator)
    padding = _padding(graph, operator)
    stride_h, stride_w = _stride(operator)
    return (
        padding.top < stride_h
        and padding.left < stride_w
        and padding.output_width <= width
        and padding.output_height <= height
    )
