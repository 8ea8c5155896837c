# SPDX-License-Identifier: Apache-2.0
"""Pooling, MEAN and resizing against TensorFlow Lite Micro."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from operators.kernel_host import (
    check_against_oracle,
    constant,
    integers,
    random_values,
    refusals,
    run_operator,
    single_operator,
    tensor,
)
from runnel.errors import ModelError
from runnel.graph import Graph
from runnel.operators import operator_type
from runnel.operators.base import Target, Window

KINDS = ("AVERAGE_POOL_2D", "MAX_POOL_2D")


def _pool(
    kind: str,
    shape: tuple[int, int, int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: str,
    activation: str = "NONE",
    zero_point: int = 0,
    **pads: int,
) -> Graph:
    attributes = {
        "padding": padding,
        "stride_h": stride[0],
        "stride_w": stride[1],
        "filter_height": kernel[0],
        "filter_width": kernel[1],
        "fused_activation_function": activation,
        **pads,
    }
    source = tensor(0, shape, 0.05, zero_point)
    draft = single_operator(kind, [source], tensor(1, (1, 1, 1, 1), 0.05, zero_point), attributes)
    output_shape = operator_type(kind).output_shapes(draft, draft.operators[0])[0]
    return single_operator(kind, [source], tensor(1, output_shape, 0.05, zero_point), attributes)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_pooling_equals_the_oracle(kind: str, padding: str, full: bool, seed: int) -> None:
    random = np.random.default_rng(seed)
    for number in range(300 if full else 40):
        height, width, channels = (int(v) for v in random.integers(1, 12, 3))
        kernel = int(random.integers(1, 5)), int(random.integers(1, 5))
        if padding == "VALID":
            kernel = min(kernel[0], height), min(kernel[1], width)
        stride = int(random.integers(1, 4)), int(random.integers(1, 4))
        activation = str(random.choice(["NONE", "RELU", "RELU6", "RELU_N1_TO_1"]))
        zero_point = int(random.integers(-128, 128))
        graph = _pool(kind, (1, height, width, channels), kernel, stride, padding, activation, zero_point)
        check_against_oracle(graph, random_values(graph, number))


@pytest.mark.parametrize("kind", KINDS)
def test_global_pooling(kind: str) -> None:
    graph = _pool(kind, (1, 48, 48, 3), (48, 48), (1, 1), "VALID")
    check_against_oracle(graph, random_values(graph, 0))


def test_average_rounds_halves_away_from_zero() -> None:
    graph = _pool("AVERAGE_POOL_2D", (1, 1, 4, 1), (1, 2), (1, 2), "VALID")
    assert run_operator(graph, {0: np.array([1, 2, -1, -2], np.int8)}).tolist() == [2, -2]


def test_explicit_padding_is_left_out_like_same() -> None:
    pads = {"pad_top": 0, "pad_bottom": 1, "pad_left": 0, "pad_right": 1}
    for kind in KINDS:
        same = _pool(kind, (1, 6, 6, 3), (3, 3), (2, 2), "SAME")
        explicit = _pool(kind, (1, 6, 6, 3), (3, 3), (2, 2), "EXPLICIT", **pads)
        values = random_values(same, 3)
        assert np.array_equal(run_operator(explicit, values), run_operator(same, values))
        assert refusals(explicit) == []


def test_where_pooling_works_in_place() -> None:
    places = {
        (kernel, stride, padding): operator_type("MAX_POOL_2D").lower(graph, graph.operators[0], Target())[0].in_place
        for kernel, stride, padding in itertools.product((2, 3, 5), (1, 2), ("SAME", "VALID"))
        for graph in [_pool("MAX_POOL_2D", (1, 6, 6, 2), (kernel, kernel), (stride, stride), padding)]
    }
    assert {key for key, place in places.items() if not place} == {
        (3, 1, "SAME"),
        (5, 1, "SAME"),
    }


def test_the_window_of_a_pool() -> None:
    graph = _pool("MAX_POOL_2D", (1, 7, 7, 2), (3, 2), (2, 1), "SAME")
    assert operator_type("MAX_POOL_2D").window(graph, graph.operators[0]) == Window(3, 2, 2, 1, 1, 1, 1, 0)


def test_pools_that_are_refused() -> None:
    large = _pool("MAX_POOL_2D", (1, 4, 4, 1), (5, 5), (1, 1), "VALID")
    assert refusals(large) == ["window (5, 5) is larger than the input"]
    pads = {"pad_top": 3, "pad_bottom": 0, "pad_left": 0, "pad_right": 0}
    assert refusals(_pool("MAX_POOL_2D", (1, 4, 4, 1), (2, 2), (1, 1), "EXPLICIT", **pads)) == [
        "some windows hold only padding"
    ]


MEANS = [
    ((1, 7, 6, 5), (1, 2)),
    ((1, 7, 6, 5), (2, 1)),
    ((1, 7, 6, 5), (-2, -3)),
    ((1, 7, 6, 5), (1,)),
    ((1, 7, 6, 5), (2,)),
    ((1, 7, 6, 5), (3,)),
    ((1, 7, 6, 5), (-1, -1)),
    ((1, 7, 6, 5), (1, 3)),
    ((1, 7, 6, 5), (2, 3)),
    ((1, 7, 6, 5), (1, 2, 3)),
    ((1, 7, 6, 5), (0, 1, 2, 3)),
    ((1, 7, 6, 5), (0,)),
    ((3, 4, 2, 5), (0,)),
    ((3, 4, 2, 5), (0, 2)),
    ((3, 4, 2, 5), (1, 3)),
    ((2, 3, 4, 5, 2), (1, 3)),
    ((64,), (0,)),
    ((1, 1, 1, 8), (1, 2)),
]


def _mean(
    shape: tuple[int, ...], axes: tuple[int, ...], keep: bool, scale: float, zero: int, output: tuple[float, int]
) -> Graph:
    inputs = [tensor(0, shape, scale, zero), integers(2, *axes)]
    draft = single_operator("MEAN", inputs, tensor(1, ()), {"keep_dims": keep})
    output_shape = operator_type("MEAN").output_shapes(draft, draft.operators[0])[0]
    return single_operator("MEAN", inputs, tensor(1, output_shape, *output), {"keep_dims": keep})


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize(("shape", "axes"), MEANS, ids=str)
def test_mean_equals_the_oracle(
    shape: tuple[int, ...], axes: tuple[int, ...], keep: bool, full: bool, seed: int
) -> None:
    for number in range(10 if full else 2):
        random = np.random.default_rng((seed, number))
        scale, ratio = 2.0 ** random.uniform(-6, 0), 2.0 ** random.uniform(-3, 3)
        output = scale * float(random.choice([1.0, ratio])), int(random.integers(-128, 128))
        graph = _mean(shape, axes, keep, scale, int(random.integers(-128, 128)), output)
        check_against_oracle(graph, random_values(graph, number))


@pytest.mark.parametrize("ratio", [2.0**-40, 2.0**-31, 2.0**-28, 1.0, 2.0**10, 2.0**24, 2.0**28])
def test_mean_at_extreme_scales(ratio: float) -> None:
    for zero, output_zero in ((-128, 127), (127, -128)):
        graph = _mean((1, 9, 7, 5), (1, 2), True, 0.01, zero, (0.01 / ratio, output_zero))
        check_against_oracle(graph, random_values(graph, 0))


def test_mean_of_a_large_map() -> None:
    graph = _mean((1, 224, 224, 3), (1, 2), False, 0.02, -128, (0.01, -128))
    check_against_oracle(graph, random_values(graph, 0))


def test_mean_over_nchw_equals_its_nhwc_twin(seed: int) -> None:
    values = np.random.default_rng(seed).integers(-128, 128, (1, 9, 7, 5)).astype(np.int8)
    for scale in (0.02, 0.013):
        nhwc = _mean((1, 9, 7, 5), (1, 2), True, 0.02, 5, (scale, -9))
        nchw = _mean((1, 5, 9, 7), (2, 3), False, 0.02, 5, (scale, -9))
        expected = check_against_oracle(nhwc, {0: values})
        assert np.array_equal(check_against_oracle(nchw, {0: values.transpose(0, 3, 1, 2).copy()}), expected)


def test_means_that_are_refused() -> None:
    assert refusals(_mean((2, 3, 2, 3, 2, 3), (0, 2, 4), False, 1.0, 0, (1.0, 0)))
    computed = single_operator("MEAN", [tensor(0, (2, 3)), tensor(2, (1,), kind="int32")], tensor(1, (2,)))
    assert operator_type("MEAN").constraints[4](computed, computed.operators[0]) == "'t2' is int32"
    with pytest.raises(ModelError, match="axis 4"):
        _mean((2, 3), (4,), False, 1.0, 0, (1.0, 0))


@pytest.mark.parametrize("corners", [False, True])
@pytest.mark.parametrize("centers", [False, True])
def test_resize_equals_the_oracle(corners: bool, centers: bool, full: bool, seed: int) -> None:
    random = np.random.default_rng(seed)
    attributes = {"align_corners": corners, "half_pixel_centers": centers}
    for number in range(200 if full else 30):
        height, width, channels = (int(v) for v in random.integers(1, 20, 3))
        size = [int(v) for v in random.integers(1, 45, 2)]
        output = tensor(1, (1, *size, channels))
        inputs = [tensor(0, (1, height, width, channels)), integers(2, *size)]
        graph = single_operator("RESIZE_NEAREST_NEIGHBOR", inputs, output, attributes)
        check_against_oracle(graph, random_values(graph, number))


def test_a_resize_to_a_computed_size_is_refused() -> None:
    inputs = [tensor(0, (1, 2, 2, 1)), tensor(2, (2,), kind="int32")]
    graph = single_operator("RESIZE_NEAREST_NEIGHBOR", inputs, tensor(1, (1, 4, 4, 1)))
    assert "computed int32" in refusals(graph)[0]
    same = constant(2, np.array([0, 4], np.int32))
    zero = single_operator("RESIZE_NEAREST_NEIGHBOR", [inputs[0], same], tensor(1, (1, 0, 4, 1)))
    assert refusals(zero) == ["sizes (0, 4, 2, 2)"]
