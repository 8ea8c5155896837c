# SPDX-License-Identifier: Apache-2.0
"""A keyword model that was never trained: the shape of models/kws/keywords.tflite, built in a second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from runnel.graph import Graph, Operator, Quantization, Tensor
from runnel.tflite.writer import write_tflite

LABELS = ("silence", "unknown", "left", "right")
FEATURES = Quantization((1 / 32,), (-128,))
_HIDDEN = Quantization((0.05,), (-128,))
_LOGITS = Quantization((0.1,), (0,))  # probabilities of all sizes come out
_CONVOLUTION = {
    "padding": "SAME",
    "stride_h": 4,
    "stride_w": 4,
    "dilation_h_factor": 1,
    "dilation_w_factor": 1,
    "fused_activation_function": "RELU6",
}
_FULLY_CONNECTED = {"fused_activation_function": "NONE", "weights_format": "DEFAULT", "keep_num_dims": False}


def listening_graph(features: Quantization = FEATURES, rows: int = 49) -> Graph:
    random = np.random.default_rng(5)
    scale = features.scale

    def weights(index: int, largest: int, *shape: int) -> Tensor:
        values = random.integers(-largest, largest + 1, shape).astype(np.int8)
        return _constant(index, values, Quantization((0.02,), (0,)))

    def bias(index: int, count: int, input_scale: float) -> Tensor:
        values = random.integers(-500, 500, count).astype(np.int32)
        return _constant(index, values, Quantization((input_scale * 0.02,), (0,)))

    height = -(-rows // 4)
    tensors = [
        Tensor(0, "features", (1, rows, 40, 1), "int8", features),
        weights(1, 127, 8, 8, 8, 1),
        bias(2, 8, scale),
        Tensor(3, "hidden", (1, height, 10, 8), "int8", _HIDDEN),
        _constant(4, np.array([1, height * 80], np.int32)),
        Tensor(5, "flat", (1, height * 80), "int8", _HIDDEN),
        weights(6, 8, len(LABELS), height * 80),
        bias(7, len(LABELS), _HIDDEN.scale),
        Tensor(8, "logits", (1, len(LABELS)), "int8", _LOGITS),
        Tensor(9, "probabilities", (1, len(LABELS)), "int8", Quantization((1 / 256,), (-128,))),
    ]
    operators = (
        Operator(0, "CONV_2D", (0, 1, 2), (3,), _CONVOLUTION),
        Operator(1, "RESHAPE", (3, 4), (5,), {"new_shape": [1, height * 80]}),
        Operator(2, "FULLY_CONNECTED", (5, 6, 7), (8,), _FULLY_CONNECTED),
        Operator(3, "SOFTMAX", (8,), (9,), {"beta": 1.0}),
    )
    return Graph("keywords", {t.index: t for t in tensors}, operators, (0,), (9,), {"labels": list(LABELS)})


def write_listening_model(path: Path, graph: Graph | None = None) -> Path:
    path.write_bytes(write_tflite(graph or listening_graph()))
    return path


def _constant(index: int, data: npt.NDArray[Any], quantization: Quantization | None = None) -> Tensor:
    return Tensor(index, f"c{index}", data.shape, data.dtype.name, quantization, data)
