# SPDX-License-Identifier: Apache-2.0
"""Short ways to write small graphs in tests of the passes, and whether two graphs answer alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from runnel.graph import Graph, Operator, Quantization, Tensor
from runnel.reference import evaluate
from runnel.run.oracle import tflm_oracle
from runnel.tflite.writer import write_tflite

FUSED = {"fused_activation_function": "NONE"}
WINDOW = {
    "padding": "VALID",
    "stride_h": 1,
    "stride_w": 1,
    "dilation_h_factor": 1,
    "dilation_w_factor": 1,
    **FUSED,
}
POOL = {"padding": "VALID", "stride_h": 1, "stride_w": 1, "filter_height": 2, "filter_width": 2, **FUSED}
SCALE = Quantization((0.5,), (3,))


def activation(
    index: int, shape: Sequence[int], quantization: Quantization | None = SCALE, kind: str = "int8"
) -> Tensor:
    return Tensor(index, f"t{index}", tuple(shape), kind, quantization)


def constant(index: int, values: Any, kind: str = "int32", quantization: Quantization | None = None) -> Tensor:
    data: npt.NDArray[Any] = np.asarray(values, dtype=kind)
    return Tensor(index, f"c{index}", data.shape, kind, quantization, data)


def weights(index: int, *shape: int, axis: int | None = None) -> Tensor:
    """Random int8 weights, per channel along `axis` where it is given."""
    data = np.random.default_rng(index).integers(-127, 128, shape).astype(np.int8)
    count = 1 if axis is None else shape[axis]
    scales = tuple(float(np.float32(0.002 * (i + 1))) for i in range(count))
    return Tensor(index, f"w{index}", shape, "int8", Quantization(scales, (0,) * count, axis or 0), data)


def bias(index: int, count: int) -> Tensor:
    return constant(index, np.random.default_rng(index).integers(-900, 900, count))


def operator(
    index: int, kind: str, inputs: Sequence[int | None], outputs: Sequence[int], attributes: Any = None
) -> Operator:
    return Operator(index, kind, tuple(inputs), tuple(outputs), dict(attributes or {}))


def graph(
    tensors: Sequence[Tensor], operators: Sequence[Operator], inputs: Sequence[int], outputs: Sequence[int]
) -> Graph:
    return Graph("test", {tensor.index: tensor for tensor in tensors}, tuple(operators), tuple(inputs), tuple(outputs))


def kinds(some: Graph) -> list[str]:
    return [operator.kind for operator in some.operators]


def assert_consistent(some: Graph) -> None:
    """Every tensor that is used exists, every one that exists is used, and operators are in order."""
    written = {*some.inputs, *(i for i, tensor in some.tensors.items() if tensor.is_constant)}
    for each in some.operators:
        assert {i for i in each.inputs if i is not None} <= written, each
        written |= set(each.outputs)
    used = {i for each in some.operators for i in (*each.inputs, *each.outputs) if i is not None}
    assert set(some.tensors) == used | {*some.inputs, *some.outputs}
    assert all(tensor.index == i for i, tensor in some.tensors.items())


def assert_same_values(before: Graph, after: Graph) -> None:
    """The operators' references give the same bytes for both. Works for explicit padding, which no file can say."""
    random = np.random.default_rng(0)
    for spread in (1.0, 0.2):
        inputs = []
        for tensor in (before.tensor(i) for i in before.inputs):
            noise = random.uniform(-128, 128, tensor.shape) * spread
            inputs.append(noise.astype(np.float32) / 64 if tensor.type == "float32" else _stored(noise, tensor.type))
        for first, second in zip(evaluate(before, inputs), evaluate(after, inputs), strict=True):
            np.testing.assert_array_equal(first, second)


def _stored(noise: npt.NDArray[Any], kind: str) -> npt.NDArray[Any]:
    stored: npt.NDArray[Any] = np.floor(noise + (128 if kind == "uint8" else 0)).astype(kind)
    return stored


def assert_same_answers(before: Graph, after: Graph) -> None:
    """TensorFlow Lite Micro gives the same bytes for both, on random inputs and on the extremes."""
    random = np.random.default_rng(0)

    def values(low: int, high: int) -> list[npt.NDArray[Any]]:
        return [random.integers(low, high + 1, before.tensor(i).shape).astype(np.int8) for i in before.inputs]

    inputs = [values(-128, 127) for _ in range(6)] + [values(-128, -128), values(127, 127)]
    expected, got = (tflm_oracle(write_tflite(some)).run(inputs) for some in (before, after))
    for one, other in zip(expected, got, strict=True):
        for first, second in zip(one, other, strict=True):
            np.testing.assert_array_equal(first, second)
