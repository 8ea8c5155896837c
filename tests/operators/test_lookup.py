# SPDX-License-Identifier: Apache-2.0
"""Operators by table: all 256 inputs over many scales, against TensorFlow Lite Micro."""

from __future__ import annotations

import numpy as np
import pytest

from operators.kernel_host import check_against_oracle, refusals, run_operator, single_operator, tensor
from runnel.errors import UnsupportedError

pytestmark = pytest.mark.usefixtures("tflm")

ALL = np.arange(-128, 128).astype(np.int8).reshape(1, 16, 16, 1)
KINDS = ("LOGISTIC", "TANH", "RELU", "RELU6", "LEAKY_RELU", "HARD_SWISH", "QUANTIZE")
TIES = (2 / 3, 2 / 5, 4 / 3, 4 / 5, 4 / 7, 20 / 3)
"""Ratios of scales that put many results within a float32's rounding of a half: float32 and double then differ."""


def _scales(kind: str, random: np.random.Generator) -> tuple[float, int, float, int]:
    """Scale and zero point of input and output."""
    scale = float(2.0 ** random.uniform(-12, 3))
    zero = int(random.choice([-128, 0, 127, random.integers(-128, 128)]))
    if kind == "LOGISTIC":
        return scale, zero, 1 / 256, -128
    if kind == "TANH":
        return scale, zero, 1 / 128, 0
    if kind == "RELU6":
        return scale, zero, scale, zero
    ratio = random.choice([1.0, 2.0 ** random.uniform(-6, 6), TIES[random.integers(len(TIES))]])
    if ratio in TIES:
        scale = float(random.integers(1, 400)) / 1000
    return scale, zero, float(np.float32(scale)) * float(ratio), int(random.integers(-128, 128))


@pytest.mark.parametrize("kind", KINDS)
def test_tables_equal_the_oracle(kind: str, full: bool, seed: int) -> None:
    for number in range(400 if full else 60):
        random = np.random.default_rng((seed, number))
        scale, zero, output_scale, output_zero = _scales(kind, random)
        attributes = {"alpha": float(np.float32(random.choice([0.01, 0.1, 1.5, -0.3])))} if kind == "LEAKY_RELU" else {}
        source = tensor(0, ALL.shape, scale, zero)
        graph = single_operator(kind, [source], tensor(1, ALL.shape, output_scale, output_zero), attributes)
        check_against_oracle(graph, {0: ALL})


@pytest.mark.parametrize("kind", ["RELU", "LEAKY_RELU", "QUANTIZE"])
@pytest.mark.parametrize("ratio", [2.0**-40, 2.0**-31, 2.0**-8, 1.0, 2.0**20, 2.0**24, 2.0**27, 1.9 * 2.0**28])
def test_extreme_changes_of_scale(kind: str, ratio: float) -> None:
    for zero, output_zero in ((0, 0), (-128, 127), (127, -128), (5, -7)):
        attributes = {"alpha": 0.25} if kind == "LEAKY_RELU" else {}
        output = tensor(1, ALL.shape, 0.01 / ratio, output_zero)
        check_against_oracle(single_operator(kind, [tensor(0, ALL.shape, 0.01, zero)], output, attributes), {0: ALL})


@pytest.mark.parametrize("scale", [2.0**-26.5, 2.0**-20, 1 / 16, 1 / 8, 0.9999, 15.0, 16.0, 100.0, 1e6])
@pytest.mark.parametrize("kind", ["LOGISTIC", "TANH"])
def test_extreme_scales_of_saturating_functions(kind: str, scale: float) -> None:
    for zero in (-128, 0, 127):
        output = tensor(1, ALL.shape, *((1 / 256, -128) if kind == "LOGISTIC" else (1 / 128, 0)))
        check_against_oracle(single_operator(kind, [tensor(0, ALL.shape, scale, zero)], output), {0: ALL})


@pytest.mark.parametrize("scale", [2.0**-30, 1e-6, 0.001, 0.02, 3 / 32768, 0.5, 3.0, 10.0, 1000.0])
@pytest.mark.parametrize("ratio", [1 / 127, 0.1, 1.0, 100.0, 1e5, 1e9])
def test_hard_swish_at_extreme_scales(scale: float, ratio: float) -> None:
    for zero, output_zero in ((-128, -128), (0, 3), (127, -1)):
        output = tensor(1, ALL.shape, scale * ratio, output_zero)
        check_against_oracle(single_operator("HARD_SWISH", [tensor(0, ALL.shape, scale, zero)], output), {0: ALL})


@pytest.mark.parametrize(("source", "target"), [("uint8", "int8"), ("int8", "uint8")])
def test_quantize_between_signed_and_unsigned(source: str, target: str) -> None:
    values = np.arange(256, dtype=np.uint8).astype(source).reshape(1, 256)
    zeros = {"int8": (-128, 0, 5), "uint8": (0, 128, 255)}
    for zero, output_zero in zip(zeros[source] * 2, (*zeros[target], *reversed(zeros[target])), strict=True):
        for ratio in (1.0, 0.7, 3.1):
            output = tensor(1, (1, 256), 0.02 * ratio, output_zero, target)
            check_against_oracle(
                single_operator("QUANTIZE", [tensor(0, (1, 256), 0.02, zero, source)], output), {0: values}
            )


def test_relu_n1_to_1_equals_litert() -> None:
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed: pip install 'runnel[oracle]'")
    for scale, ratio, zero in ((0.02, 1.0, 0), (0.02, 0.5, -10), (0.5, 1.3, 100), (0.004, 1.0, -128)):
        output = tensor(1, ALL.shape, scale * ratio, zero)
        graph = single_operator("RELU_N1_TO_1", [tensor(0, ALL.shape, scale, 3)], output)
        check_against_oracle(graph, {0: ALL}, engine="litert")


def test_quantize_from_float_rounds_halves_away_from_zero(seed: int) -> None:
    random = np.random.default_rng(seed)
    for scale, zero in ((0.02, 0), (0.5, -128), (1 / 3, 127), (2.0**-20, 5)):
        step = np.float32(scale)
        halves = (np.arange(-300, 300, dtype=np.float32) + np.float32(0.5)) * step
        near = np.nextafter(halves, np.float32(np.inf)), np.nextafter(halves, np.float32(-np.inf))
        values = np.concatenate([halves, *near, random.normal(0, 100, 4096).astype(np.float32) * step])
        source = tensor(0, values.shape, kind="float32")
        graph = single_operator("QUANTIZE", [source], tensor(1, values.shape, scale, zero))
        check_against_oracle(graph, {0: values})


def test_quantize_saturates_what_no_integer_can_hold() -> None:
    values = np.array([np.inf, -np.inf, 3e38, -3e38, np.nan, 0.0], dtype=np.float32)
    for kind, low, high in (("int8", -128, 127), ("uint8", 0, 255)):
        output = tensor(1, values.shape, 1e-30, 7, kind)
        graph = single_operator("QUANTIZE", [tensor(0, values.shape, kind="float32")], output)
        assert run_operator(graph, {0: values}).tolist() == [high, low, high, low, low, 7]


def test_quantize_from_float_to_uint8_equals_litert() -> None:
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed: pip install 'runnel[oracle]'")
    values = np.linspace(-3, 8, 5000, dtype=np.float32)
    output = tensor(1, values.shape, 0.02, 100, "uint8")
    graph = single_operator("QUANTIZE", [tensor(0, values.shape, kind="float32")], output)
    check_against_oracle(graph, {0: values}, engine="litert")


@pytest.mark.parametrize("kind", ["int8", "uint8"])
def test_dequantize(kind: str, seed: int) -> None:
    values = np.arange(256, dtype=np.uint8).astype(kind)
    random = np.random.default_rng(seed)
    for _ in range(50):
        zero = int(random.integers(-128, 128)) if kind == "int8" else int(random.integers(0, 256))
        scale = float(2.0 ** random.uniform(-40, 20))
        source = tensor(0, values.shape, scale, zero, kind)
        graph = single_operator("DEQUANTIZE", [source], tensor(1, values.shape, kind="float32"))
        check_against_oracle(graph, {0: values})


def test_what_is_refused() -> None:
    shape = (1, 4)
    sigmoid = single_operator("LOGISTIC", [tensor(0, shape, 0.1)], tensor(1, shape, 0.1, -128))
    assert refusals(sigmoid) == ["scale 0.1, zero point -128"]
    relu6 = single_operator("RELU6", [tensor(0, shape, 0.1)], tensor(1, shape, 0.2))
    assert refusals(relu6) == ["scale 0.1, zero point 0 become scale 0.2, zero point 0"]
    swish = single_operator("HARD_SWISH", [tensor(0, shape, 1.0)], tensor(1, shape, 1 / 256))
    assert refusals(swish) == ["the output's scale is smaller"]
    wide = single_operator("QUANTIZE", [tensor(0, shape, kind="int32")], tensor(1, shape))
    assert "'t0' is int32" in refusals(wide)
    tiny = single_operator("LOGISTIC", [tensor(0, shape, 1e-12)], tensor(1, shape, 1 / 256, -128))
    with pytest.raises(UnsupportedError, match="too small"):
        run_operator(tiny, {0: np.zeros(shape, np.int8)})
