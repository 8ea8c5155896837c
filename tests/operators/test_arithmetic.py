# SPDX-License-Identifier: Apache-2.0
"""ADD, SUB and MUL against TensorFlow Lite Micro: broadcasting, activations, constants, extreme scales."""

from __future__ import annotations

import numpy as np
import pytest

from operators.kernel_host import (
    check_against_oracle,
    constant,
    random_values,
    refusals,
    run_operator,
    single_operator,
    tensor,
)
from runnel.errors import ModelError, UnsupportedError
from runnel.graph import Graph, Operator, Quantization
from runnel.operators import operator_type
from runnel.operators.base import Target
from runnel.operators.broadcast import merged_dimensions

KINDS = ("ADD", "SUB", "MUL")
ACTIVATIONS = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")
SHAPES = [
    ((1, 6, 5, 4), (1, 6, 5, 4)),
    ((1, 6, 5, 4), (1, 1, 1, 4)),
    ((1, 1, 1, 4), (1, 6, 5, 4)),
    ((1, 6, 5, 4), (4,)),
    ((1, 6, 5, 4), (1,)),
    ((1, 6, 5, 4), ()),
    ((1, 6, 5, 4), (1, 6, 5, 1)),
    ((1, 6, 5, 4), (1, 6, 1, 4)),
    ((1, 6, 5, 4), (1, 1, 5, 1)),
    ((1, 6, 1, 4), (1, 1, 5, 1)),
    ((1, 1, 5, 1), (6, 1, 4)),
    ((3, 1, 5, 1), (1, 4, 1, 2)),
    ((1, 6, 5, 1), (1, 1, 1, 4)),
    ((2, 3, 4, 5, 2), (2, 3, 1, 1, 2)),
    ((2, 1, 3, 4, 5, 2), (3, 4, 5, 2)),
    ((7,), (7,)),
]


def _graph(kind: str, shapes: tuple[tuple[int, ...], tuple[int, ...]], random: np.random.Generator) -> Graph:
    """Scales such that the output is used well; zero points anywhere."""
    scales = 2.0 ** random.uniform(-6, 0, 2)
    zeros = random.integers(-128, 128, 3)
    spread = float(scales[0] * scales[1] * 5000 if kind == "MUL" else np.hypot(*scales) * 74)
    output_scale = spread / 2.0 ** random.uniform(5, 8)
    first, second = (
        tensor(i, shape, s, int(z)) for i, (shape, s, z) in enumerate(zip(shapes, scales, zeros, strict=False))
    )
    output = tensor(2, np.broadcast_shapes(*shapes), output_scale, int(zeros[2]))
    attributes = {"fused_activation_function": str(random.choice(ACTIVATIONS))}
    return single_operator(kind, [first, second], output, attributes)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_arithmetic_equals_the_oracle(
    kind: str, shapes: tuple[tuple[int, ...], tuple[int, ...]], full: bool, seed: int
) -> None:
    for number in range(20 if full else 3):
        random = np.random.default_rng((seed, number))
        graph = _graph(kind, shapes, random)
        check_against_oracle(graph, random_values(graph, number))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("position", [0, 1])
def test_a_constant_side(kind: str, position: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    data = random.integers(-128, 128, (1, 1, 1, 8)).astype(np.int8)
    inputs = [tensor(0, (1, 5, 5, 8), 0.02, 3)]
    inputs.insert(position, constant(1, data, Quantization((float(np.float32(0.03)),), (-5,))))
    graph = single_operator(kind, inputs, tensor(2, (1, 5, 5, 8), 0.04, 1))
    check_against_oracle(graph, random_values(graph, seed))
    call = operator_type(kind).lower(graph, graph.operators[0], Target())[0]
    assert call.in_place == (1 - position,)


@pytest.mark.parametrize("kind", KINDS)
def test_all_pairs_of_values(kind: str) -> None:
    everything = np.arange(-128, 128).astype(np.int8)
    values = {0: everything.reshape(1, 256, 1), 1: everything.reshape(1, 1, 256)}
    for scale, other, result in ((0.02, 0.02, 0.03), (0.013, 0.4, 0.35), (0.5, 1e-3, 0.01), (1.0, 1.0, 60.0)):
        first, second = tensor(0, (1, 256, 1), scale, -7), tensor(1, (1, 1, 256), other, 100)
        graph = single_operator(kind, [first, second], tensor(2, (1, 256, 256), result, -20))
        check_against_oracle(graph, values)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ratio", [2 / 3, 2 / 5, 4 / 3, 4 / 5, 4 / 7])
def test_results_next_to_halves(kind: str, ratio: float, seed: int) -> None:
    """Here multipliers computed in float32 and in double give different bytes."""
    random = np.random.default_rng(seed)
    everything = np.arange(-128, 128).astype(np.int8)
    values = {0: everything.reshape(1, 256, 1), 1: everything.reshape(1, 1, 256)}
    for _ in range(4):
        scale = float(np.float32(random.integers(1, 400) / 1000))
        first, second = tensor(0, (1, 256, 1), scale), tensor(1, (1, 1, 256), scale)
        result = scale * ratio * (scale if kind == "MUL" else 1.0)
        check_against_oracle(single_operator(kind, [first, second], tensor(2, (1, 256, 256), result)), values)


@pytest.mark.parametrize("kind", KINDS)
def test_a_tensor_with_itself(kind: str) -> None:
    source = tensor(0, (1, 16, 16), 0.1, 3)
    graph = single_operator(kind, [source, source], tensor(1, (1, 16, 16), 0.15, 0))
    check_against_oracle(graph, {0: np.arange(-128, 128).astype(np.int8).reshape(1, 16, 16)})


@pytest.mark.parametrize("kind", ["ADD", "SUB"])
@pytest.mark.parametrize("scales", [(1.0, 1e-9, 1.0), (1e-6, 1.0, 3e-6), (1.0, 1.0, 2.1e-6), (1e-6, 1e-6, 1e4)])
def test_sums_at_extreme_scales(kind: str, scales: tuple[float, float, float]) -> None:
    first, second, output = (
        tensor(i, (1, 4096), scale, zero) for i, (scale, zero) in enumerate(zip(scales, (127, -128, 3), strict=True))
    )
    graph = single_operator(kind, [first, second], output)
    check_against_oracle(graph, random_values(graph, 1))


@pytest.mark.parametrize("ratio", [2.0**-40, 2.0**-31, 2.0**-10, 1.0, 2.0**14, 2.0**17, 2.0**22, 2.0**28])
def test_products_at_extreme_scales(ratio: float) -> None:
    first, second = tensor(0, (1, 4096), 0.01, 127), tensor(1, (1, 4096), 0.01, -128)
    graph = single_operator("MUL", [first, second], tensor(2, (1, 4096), 1e-4 / ratio, 11))
    check_against_oracle(graph, random_values(graph, 1))


def test_dimensions_that_broadcast_alike_are_merged() -> None:
    assert merged_dimensions((1, 6, 5, 4), (1, 6, 5, 4)) == ((120, True, True),)
    assert merged_dimensions((1, 6, 5, 4), (4,)) == ((30, True, False), (4, True, True))
    assert merged_dimensions((1, 1, 1), (1,)) == ((1, True, True),)


def test_in_place_only_where_the_input_does_not_broadcast() -> None:
    graph = single_operator("MUL", [tensor(0, (1, 4, 4, 8)), tensor(1, (1, 1, 1, 8))], tensor(2, (1, 4, 4, 8)))
    assert operator_type("MUL").lower(graph, graph.operators[0], Target())[0].in_place == (0,)


def test_what_is_refused() -> None:
    steep = single_operator("ADD", [tensor(0, (4,)), tensor(1, (4,))], tensor(2, (4,), 1e-7))
    with pytest.raises(UnsupportedError, match="2\\^-19"):
        run_operator(steep, {0: np.zeros(4, np.int8), 1: np.zeros(4, np.int8)})
    unlike = single_operator("ADD", [tensor(0, (4,)), tensor(1, (3,))], tensor(2, (4,)))
    with pytest.raises(ModelError, match="do not broadcast"):
        operator_type("ADD").output_shapes(unlike, unlike.operators[0])
    checkered = single_operator("ADD", [tensor(0, (2, 1, 2, 1, 2)), tensor(1, (1, 2, 1, 2, 1))], tensor(2, (2,) * 5))
    assert refusals(checkered) == ["5 groups"]
    one = Operator(0, "ADD", (0,), (1,), {})
    lonely = Graph("g", {0: tensor(0, (4,)), 1: tensor(1, (4,))}, (one,), (0,), (1,))
    assert operator_type("ADD").constraints[0](lonely, one) == "1 inputs and 1 outputs"
    with pytest.raises(ModelError, match="input 1 is missing"):
        operator_type("ADD").output_shapes(lonely, one)
