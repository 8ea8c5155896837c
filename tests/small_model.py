# SPDX-License-Identifier: Apache-2.0
"""A classifier of 8x8 images, small enough to build in a second: CONV_2D, MEAN, FULLY_CONNECTED, SOFTMAX."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from runnel.graph import Graph, Operator, Quantization, Tensor
from runnel.tflite.writer import write_tflite

PER_TENSOR = Quantization((0.05,), (3,))
PROBABILITY = Quantization((1 / 256,), (-128,))
_CONVOLUTION = {
    "padding": "SAME",
    "stride_h": 2,
    "stride_w": 2,
    "dilation_h_factor": 1,
    "dilation_w_factor": 1,
    "fused_activation_function": "RELU6",
}
_FULLY_CONNECTED = {
    "fused_activation_function": "NONE",
    "weights_format": "DEFAULT",
    "keep_num_dims": False,
}


def small_classifier() -> Graph:
    """Its metadata name the labels "cat" and "dog" and how pixels become values."""
    random = np.random.default_rng(1)

    def weights(index: int, *shape: int) -> Tensor:
        return _constant(index, random.integers(-127, 128, shape).astype(np.int8), Quantization((0.01,), (0,)))

    def bias(index: int, count: int) -> Tensor:
        values = random.integers(-500, 500, count).astype(np.int32)
        return _constant(index, values, Quantization((0.05 * 0.01,), (0,)))

    tensors = [
        Tensor(0, "image", (1, 8, 8, 3), "int8", PER_TENSOR),
        weights(1, 4, 3, 3, 3),
        bias(2, 4),
        Tensor(3, "features", (1, 4, 4, 4), "int8", PER_TENSOR),
        _constant(4, np.array([1, 2], np.int32)),
        Tensor(5, "pooled", (1, 4), "int8", PER_TENSOR),
        weights(6, 2, 4),
        bias(7, 2),
        Tensor(8, "logits", (1, 2), "int8", PER_TENSOR),
        Tensor(9, "probabilities", (1, 2), "int8", PROBABILITY),
    ]
    operators = (
        Operator(0, "CONV_2D", (0, 1, 2), (3,), _CONVOLUTION),
        Operator(1, "MEAN", (3, 4), (5,), {"keep_dims": False}),
        Operator(2, "FULLY_CONNECTED", (5, 6, 7), (8,), _FULLY_CONNECTED),
        Operator(3, "SOFTMAX", (8,), (9,), {"beta": 1.0}),
    )
    metadata = {"labels": ["cat", "dog"], "mean": [128.0], "std": [64.0], "colour_order": "RGB"}
    return Graph("small", {t.index: t for t in tensors}, operators, (0,), (9,), metadata)


def small_classifier_bytes() -> bytes:
    return write_tflite(small_classifier())


def _constant(index: int, data: npt.NDArray[Any], quantization: Quantization | None = None) -> Tensor:
    return Tensor(index, f"c{index}", data.shape, data.dtype.name, quantization, data)
