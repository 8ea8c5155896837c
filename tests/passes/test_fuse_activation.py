# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

from runnel.graph import Graph, Quantization, Tensor
from runnel.passes import fuse_activation
from small_graphs import (
    FUSED,
    POOL,
    SCALE,
    WINDOW,
    activation,
    assert_consistent,
    assert_same_answers,
    bias,
    graph,
    kinds,
    operator,
    weights,
)

SHAPE = (1, 4, 4, 2)
NARROW = Quantization((0.0625,), (-20,))


def producer(kind: str) -> tuple[list[Tensor], list[int], Any]:
    """Constants, inputs and attributes of an operator from SHAPE to SHAPE."""
    if kind == "CONV_2D":
        return [weights(5, 2, 3, 3, 2, axis=0), bias(6, 2)], [0, 5, 6], {**WINDOW, "padding": "SAME"}
    if kind == "DEPTHWISE_CONV_2D":
        attributes = {**WINDOW, "padding": "SAME", "depth_multiplier": 1}
        return [weights(5, 1, 3, 3, 2, axis=3), bias(6, 2)], [0, 5, 6], attributes
    if kind.endswith("POOL_2D"):
        return [], [0], {**POOL, "padding": "SAME"}
    return [], [0, 0], FUSED


def clamped(kind: str, activation_kind: str, between: Quantization = SCALE, after: Quantization | None = None) -> Graph:
    constants, inputs, attributes = producer(kind)
    source = between if kind.endswith("POOL_2D") else SCALE
    tensors = [
        activation(0, SHAPE, source),
        *constants,
        activation(1, SHAPE, between),
        activation(2, SHAPE, after or between),
    ]
    operators = [operator(0, kind, inputs, (1,), attributes), operator(1, activation_kind, (1,), (2,))]
    return graph(tensors, operators, (0,), (2,))


@pytest.mark.usefixtures("tflm")
@pytest.mark.parametrize("activation_kind", ["RELU", "RELU6"])
@pytest.mark.parametrize(
    "kind", ["CONV_2D", "DEPTHWISE_CONV_2D", "ADD", "SUB", "MUL", "AVERAGE_POOL_2D", "MAX_POOL_2D"]
)
@pytest.mark.parametrize("quantization", [SCALE, NARROW])
def test_fused_answers_are_equal(kind: str, activation_kind: str, quantization: Quantization) -> None:
    before = clamped(kind, activation_kind, quantization)
    after = fuse_activation.run(before)
    assert kinds(after) == [kind]
    assert after.operators[0].attributes["fused_activation_function"] == activation_kind
    assert after.operators[0].outputs == (2,) and after.operators[0].index == 0
    assert_consistent(after)
    assert_same_answers(before, after)


def test_relu_n1_to_1_is_fused_too() -> None:
    assert kinds(fuse_activation.run(clamped("ADD", "RELU_N1_TO_1"))) == ["ADD"]


@pytest.mark.parametrize("after", [Quantization((0.5,), (4,)), Quantization((0.25,), (3,))])
def test_a_change_of_scale_or_zero_point_stays(after: Quantization) -> None:
    assert len(fuse_activation.run(clamped("ADD", "RELU", SCALE, after)).operators) == 2


def test_other_activations_stay() -> None:
    assert len(fuse_activation.run(clamped("ADD", "TANH")).operators) == 2


def test_a_result_that_is_read_elsewhere_stays() -> None:
    before = clamped("ADD", "RELU")
    more = [*before.operators, operator(2, "TANH", (1,), (3,))]
    read = graph([*before.tensors.values(), activation(3, SHAPE)], more, (0,), (2, 3))
    for some in (read, before.replace(outputs=(2, 1))):
        assert len(fuse_activation.run(some).operators) == len(some.operators)


def test_a_producer_that_clamps_already_stays() -> None:
    before = clamped("ADD", "RELU")
    add = before.operators[0].replace(attributes={"fused_activation_function": "RELU6"})
    assert len(fuse_activation.run(before.replace(operators=(add, before.operators[1]))).operators) == 2


def test_operators_without_a_fused_activation_stay() -> None:
    tensors = [activation(i, (1, 4)) for i in range(3)]
    operators = [operator(0, "TANH", (0,), (1,)), operator(1, "RELU", (1,), (2,))]
    assert len(fuse_activation.run(graph(tensors, operators, (0,), (2,))).operators) == 2


def test_an_activation_of_an_input_or_of_an_activation() -> None:
    """RELU behind a fused RELU: the first is fused, the second is not lost."""
    before = clamped("ADD", "RELU")
    operators = [*before.operators, operator(2, "RELU6", (2,), (3,))]
    after = fuse_activation.run(graph([*before.tensors.values(), activation(3, SHAPE)], operators, (0,), (3,)))
    assert kinds(after) == ["ADD", "RELU6"]
    assert_consistent(after)
