# SPDX-License-Identifier: Apache-2.0
"""Evaluates operators whose results are known when compiling: chains of SHAPE, STRIDED_SLICE, PACK and the like.

All shapes are fixed, so the shape computations that converters leave in front of a RESHAPE are constants.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from runnel.graph import ELEMENT_BYTES, Graph, Operator, Tensor
from runnel.operators.quantize_math import TYPE_RANGES
from runnel.passes.rewrite import same_values, with_operators

_Array = npt.NDArray[Any]
_Evaluate = Callable[[Operator, tuple[Tensor, ...], Tensor], _Array | None]

_FAILURES = (ArithmeticError, LookupError, TypeError, ValueError)


def run(graph: Graph) -> Graph:
    """Replaces results that are known by constants. What cannot be evaluated stays as it is."""
    tensors = dict(graph.tensors)
    kept = []
    for operator in graph.operators:
        value = _value(operator, tensors)
        if value is None:
            kept.append(operator)
        else:
            output = operator.outputs[0]
            tensors[output] = replace(tensors[output], data=value)
    return with_operators(graph.replace(tensors=tensors), kept)


def _value(operator: Operator, tensors: Mapping[int, Tensor]) -> _Array | None:
    evaluate = _EVALUATE.get(operator.kind)
    if evaluate is None or None in operator.inputs or len(operator.outputs) != 1:
        return None
    inputs = tuple(tensors[i] for i in operator.inputs if i is not None)
    output = tensors[operator.outputs[0]]
    if not inputs or not (operator.kind == "SHAPE" or all(tensor.is_constant for tensor in inputs)):
        return None
    try:
        value = evaluate(operator, inputs, output)
    except _FAILURES:
        return None  # inconsistent operands; the check after the passes names the operator
    if value is None or value.shape != output.shape or output.type not in ELEMENT_BYTES:
        return None
    return value.astype(np.dtype(output.type), copy=False)


def _data(tensor: Tensor) -> _Array:
    assert tensor.data is not None
    return tensor.data


def _shape(operator: Operator, inputs: tuple[Tensor, ...], output: Tensor) -> _Array | None:
    return np.asarray(inputs[0].shape, dtype=np.int64)


def _strided_slice(operator: Operator, inputs: tuple[Tensor, ...], output: Tensor) -> _Array | None:
    """Source: tensorflow/lite/kernels/internal/strided_slice_logic.h, without ellipsis and new axes."""
    attributes = operator.attributes
    if attributes.get("ellipsis_mask", 0) or attributes.get("new_axis_mask", 0) or len(inputs) != 4:
        return None
    begins, ends, strides = (_data(tensor).reshape(-1).tolist() for tensor in inputs[1:])
    index: list[int | slice] = []
    for axis, (begin, end, stride) in enumerate(zip(begins, ends, strides, strict=True)):
        if attributes.get("shrink_axis_mask", 0) >> axis & 1:
            index.append(0 if attributes.get("begin_mask", 0) >> axis & 1 else begin)
            continue
        first = None if attributes.get("begin_mask", 0) >> axis & 1 else begin
        last = None if attributes.get("end_mask", 0) >> axis & 1 else end
        index.append(slice(first, last, stride))
    return np.asarray(_data(inputs[0])[tuple(index)])


def _pack(operator: Operator, inputs: tuple[Tensor, ...], output: Tensor) -> _Array | None:
    return np.stack([_data(tensor) for tensor in inputs], axis=operator.attributes.get("axis", 0))


def _concatenation(operator: Operator, inputs: tuple[Tensor, ...], output: Tensor) -> _Array | None:
    if not all(same_values(tensor.quantization, output.quantization) for tensor in inputs):
        return None
    return np.concatenate([_data(tensor) for tensor in inputs], axis=operator.attributes.get("axis", 0))


def _reshape(operator: Operator, inputs: tuple[Tensor, ...], output: Tensor) -> _Array | None:
    return _data(inputs[0]).reshape(output.shape)


def _transpose(operator: Operator, inputs: tuple[Tensor, ...], output: Tensor) -> _Array | None:
    return np.ascontiguousarray(np.transpose(_data(inputs[0]), _data(inputs[1]).reshape(-1).tolist()))


def _quantize(operator: Operator, inputs: tuple[Tensor, ...], output: Tensor) -> _Array | None:
    """Source: AffineQuantize in reference/quantize.h: float32 division, halves away from zero, clamp."""
    quantization = output.quantization
    if inputs[0].type != "float32" or output.type not in TYPE_RANGES or quantization is None:
        return None
    if quantization.per_channel:
        return None
    ratio = (_data(inputs[0]) / np.float32(quantization.scale)).astype(np.float32)
    if not np.isfinite(ratio).all():
        return None
    rounded = np.copysign(np.floor(np.abs(ratio).astype(np.float64) + 0.5), ratio)
    low, high = TYPE_RANGES[output.type]
    return np.asarray(np.clip(rounded + quantization.zero_point, low, high))


def _dequantize(operator: Operator, inputs: tuple[Tensor, ...], output: Tensor) -> _Array | None:
    """Source: reference/dequantize.h: float32(scale * (value - zero point)) with the product in double."""
    quantization = inputs[0].quantization
    if quantization is None or quantization.per_channel or output.type != "float32":
        return None
    return np.asarray(quantization.scale * (_data(inputs[0]).astype(np.float64) - quantization.zero_point))


_EVALUATE: Mapping[str, _Evaluate] = {
    "SHAPE": _shape,
    "STRIDED_SLICE": _strided_slice,
    "PACK": _pack,
    "CONCATENATION": _concatenation,
    "RESHAPE": _reshape,
    "SQUEEZE": _reshape,
    "EXPAND_DIMS": _reshape,
    "TRANSPOSE": _transpose,
    "QUANTIZE": _quantize,
    "DEQUANTIZE": _dequantize,
}
