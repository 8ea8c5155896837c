# SPDX-License-Identifier: Apache-2.0
"""FULLY_CONNECTED: int8, per-tensor or per-channel weights. Runs on CONV_2D's kernels as a 1x1 window.

Source of the arithmetic: reference_integer_ops::FullyConnected and FullyConnectedPerChannel in TensorFlow Lite.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from runnel.graph import Graph, Operator
from runnel.operators.base import Constraint, Footprint, KernelCall, OperatorType, Target, register
from runnel.operators.convolution import (
    WEIGHTED_CONSTRAINTS,
    channel_multipliers,
    constant_bias,
    reference_output,
    weights_of,
)
from runnel.operators.convolution_whole import whole_convolution_call, whole_scratch_bytes
from runnel.operators.quantize_math import quantization_of
from runnel.operators.requantization import requantization
from runnel.operators.row_kernels import ONE_PIXEL


def _default_weights_format(graph: Graph, operator: Operator) -> str | None:
    """The weights format is DEFAULT (not shuffled)"""
    found = operator.attributes.get("weights_format", "DEFAULT")
    return None if found == "DEFAULT" else str(found)


def _inputs_fit(graph: Graph, operator: Operator) -> str | None:
    """The weights are a matrix [outputs, inputs], the input whole such rows (with keep_num_dims along its last axis)"""
    data, weights = graph.tensor(operator.inputs[0]), graph.tensor(operator.inputs[1])
    if len(weights.shape) != 2:
        return f"weights shape {weights.shape}"
    if weights.shape[1] == 0 or data.elements % weights.shape[1]:
        return f"input shape {data.shape}, weights shape {weights.shape}"
    if operator.attributes.get("keep_num_dims") and data.shape[-1] != weights.shape[1]:
        return f"input shape {data.shape}, weights shape {weights.shape}, keep_num_dims"
    return None


@register
class FullyConnected(OperatorType):
    kind = "FULLY_CONNECTED"
    summary = "Matrix times vector, or times several rows."
    has_weights = True
    input_count = (2, 3)
    required_inputs = 2
    options_table = "FullyConnectedOptions"
    options: ClassVar[Mapping[str, str]] = {
        "fused_activation_function": "ActivationFunctionType",
        "weights_format": "FullyConnectedOptionsWeightsFormat",
        "keep_num_dims": "bool",
    }
    constraints: ClassVar[tuple[Constraint, ...]] = (
        *WEIGHTED_CONSTRAINTS,
        _default_weights_format,
        _inputs_fit,
    )

    def output_shapes(self, graph: Graph, operator: Operator) -> tuple[tuple[int, ...], ...]:
        data, weights = graph.tensor(operator.inputs[0]), graph.tensor(operator.inputs[1])
        if operator.attributes.get("keep_num_dims"):
            return ((*data.shape[:-1], weights.shape[0]),)
        return ((data.elements // weights.shape[1], weights.shape[0]),)

    def macs(self, graph: Graph, operator: Operator) -> int:
        return graph.tensor(operator.outputs[0]).elements * graph.tensor(operator.inputs[1]).shape[1]

    def reference(
        self, graph: Graph, operator: Operator, inputs: tuple[npt.NDArray[Any] | None, ...]
    ) -> tuple[npt.NDArray[Any], ...]:
        data, weights = inputs[0], inputs[1]
        assert data is not None and weights is not None
        zero_point = quantization_of(graph.tensor(operator.inputs[0]), operator).zero_point
        rows = data.reshape(-1, weights.shape[1]).astype(np.float64) - zero_point
        sums = (rows @ weights.T.astype(np.float64)).astype(np.int64)
        return (reference_output(graph, operator, sums, channel_multipliers(graph, operator)),)

    def footprint(self, graph: Graph, operator: Operator, target: Target) -> Footprint:
        data, output = graph.tensor(operator.inputs[0]), graph.tensor(operator.outputs[0])
        taps = graph.tensor(operator.inputs[1]).shape[1]
        return Footprint(whole_scratch_bytes(data, output, ONE_PIXEL, taps, target))

    def lower(self, graph: Graph, operator: Operator, target: Target) -> tuple[KernelCall, ...]:
        data = graph.tensor(operator.inputs[0])
        output = graph.tensor(operator.outputs[0])
        weights, constants = requantization(
            operator,
            weights_of(graph, operator),
            constant_bias(graph, operator),
            channel_multipliers(graph, operator),
            quantization_of(data, operator).zero_point,
        )
        return (whole_convolution_call(operator, data, output, ONE_PIXEL, weights, constants, target),)
