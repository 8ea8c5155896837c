# SPDX-License-Identifier: Apache-2.0
"""Access to an operator's tensors that never raises KeyError or IndexError, and constraints that kinds share."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from runnel.errors import ModelError, UnsupportedError
from runnel.graph import Graph, Operator, Tensor
from runnel.operators.base import Constraint
from runnel.operators.quantize_math import quantization_of, quantize_multiplier

SCALE_TOLERANCE = 1.0e-6
"""How far scales may differ where TensorFlow Lite Micro treats them as equal (its own bound for pooling)."""


def input_at(graph: Graph, operator: Operator, position: int) -> Tensor:
    """Input `position` of `operator`, or ModelError when it is missing."""
    index = operator.inputs[position] if position < len(operator.inputs) else None
    if index is None or index not in graph.tensors:
        raise ModelError(f"{operator.label}: input {position} is missing")
    return graph.tensors[index]


def output_of(graph: Graph, operator: Operator) -> Tensor:
    """The only output of `operator`, or ModelError."""
    if len(operator.outputs) != 1 or operator.outputs[0] not in graph.tensors:
        raise ModelError(f"{operator.label}: expected 1 output, found {len(operator.outputs)}")
    return graph.tensors[operator.outputs[0]]


def constant_at(graph: Graph, operator: Operator, position: int) -> npt.NDArray[Any]:
    """The data of input `position`, or UnsupportedError when it is only known at run time."""
    tensor = input_at(graph, operator, position)
    if tensor.data is None:
        raise UnsupportedError(f"{operator.label}: input {position} ('{tensor.name}') must be constant")
    return tensor.data


def integers_at(graph: Graph, operator: Operator, position: int) -> tuple[int, ...]:
    """The data of a constant integer input, flattened."""
    data = constant_at(graph, operator, position)
    if not np.issubdtype(data.dtype, np.integer):
        raise ModelError(f"{operator.label}: input {position} must hold integers, it holds {data.dtype.name}")
    return tuple(int(value) for value in data.reshape(-1))


def axis_index(operator: Operator, axis: int, rank: int) -> int:
    """`axis`, which may count from the end, as a number in 0..rank - 1, or ModelError."""
    if not -rank <= axis < rank:
        raise ModelError(f"{operator.label}: axis {axis} is outside a tensor with {rank} dimensions")
    return axis % rank


def bounded_multiplier(real: float, operator: Operator) -> tuple[int, int]:
    """quantize_multiplier, or UnsupportedError where the shift would not fit a 32-bit integer."""
    multiplier, shift = quantize_multiplier(real) if math.isfinite(real) else (0, 31)
    if shift > 30:
        raise UnsupportedError(f"{operator.label}: the scales differ by a factor of {real:g}; supported is up to 2^30")
    return multiplier, shift


def inputs_and_outputs(minimum: int, maximum: int | None = None) -> Constraint:
    """Constraint on the number of inputs; the number of outputs is always 1."""
    most = minimum if maximum is None else maximum

    def constraint(graph: Graph, operator: Operator) -> str | None:
        if not minimum <= len(operator.inputs) <= most or len(operator.outputs) != 1:
            return f"{len(operator.inputs)} inputs and {len(operator.outputs)} outputs"
        return None

    count = str(minimum) if most == minimum else f"{minimum} to {most}"
    constraint.__doc__ = f"{count} input{'s' if most > 1 else ''}, 1 output"
    return constraint


def types(position: int | str, *supported: str) -> Constraint:
    """Constraint on the element type of input `position`, of all inputs ("inputs") or of the output ("output")."""

    def constraint(graph: Graph, operator: Operator) -> str | None:
        if position == "output":
            tensors = [output_of(graph, operator)]
        elif position == "inputs":
            tensors = [input_at(graph, operator, p) for p in range(len(operator.inputs))]
        else:
            tensors = [input_at(graph, operator, int(position))]
        return next((f"'{t.name}' is {t.type}" for t in tensors if t.type not in supported), None)

    where = {"output": "The output is", "inputs": "All inputs are", 0: "The input is"}.get(
        position, f"Input {position} is"
    )
    constraint.__doc__ = f"{where} {' or '.join(supported)}"
    return constraint


def same_quantization(graph: Graph, operator: Operator) -> str | None:
    """Input and output have the same scale and zero point (TensorFlow Lite Micro copies values as they are)"""
    source, target = input_at(graph, operator, 0), output_of(graph, operator)
    before, after = quantization_of(source, operator), quantization_of(target, operator)
    if abs(before.scale - after.scale) > SCALE_TOLERANCE or before.zero_point != after.zero_point:
        return (
            f"scale {before.scale:g}, zero point {before.zero_point} become "
            f"scale {after.scale:g}, zero point {after.zero_point}"
        )
    return None


def per_tensor_quantization(graph: Graph, operator: Operator) -> str | None:
    """Activations have one scale and one zero point per tensor"""
    tensors = [t for t in graph.input_tensors(operator) if t is not None] + [output_of(graph, operator)]
    strange = [t.name for t in tensors if t.quantization is not None and t.quantization.per_channel]
    return f"'{strange[0]}' has one scale per channel" if strange else None


def four_dimensions(graph: Graph, operator: Operator) -> str | None:
    """Input and output have 4 dimensions (NHWC) and batch 1"""
    for tensor in (input_at(graph, operator, 0), output_of(graph, operator)):
        if len(tensor.shape) != 4 or tensor.shape[0] != 1:
            return f"'{tensor.name}' has shape {tensor.shape}"
    return None


def nhwc(tensor: Tensor, operator: Operator) -> tuple[int, int, int]:
    """(height, width, channels) of a tensor of shape [1, height, width, channels], or UnsupportedError."""
    if len(tensor.shape) != 4 or tensor.shape[0] != 1:
        raise UnsupportedError(
            f"{operator.label}: '{tensor.name}' has shape {tensor.shape}; "
            "supported are 4 dimensions (NHWC) with batch 1"
        )
    return tensor.shape[1], tensor.shape[2], tensor.shape[3]
