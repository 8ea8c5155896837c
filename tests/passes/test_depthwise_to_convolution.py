# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runnel.graph import Graph
from runnel.passes import depthwise_to_convolution
from small_graphs import (
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


def depthwise(channels: int, multiplier: int, axis: int | None, with_bias: bool = True, **options: Any) -> Graph:
    attributes = {**WINDOW, "depth_multiplier": multiplier, "padding": "SAME", **options}
    out = channels * multiplier
    tensors = [
        activation(0, (1, 6, 5, channels)),
        weights(1, 1, 3, 2, out, axis=axis),
        activation(3, (1, -(-6 // attributes["stride_h"]), 5, out)),
        *([bias(2, out)] if with_bias else []),
    ]
    inputs = (0, 1, 2) if with_bias else (0, 1)  # TensorFlow Lite Micro crashes on a bias numbered -1 here
    return graph(tensors, [operator(4, "DEPTHWISE_CONV_2D", inputs, (3,), attributes)], (0,), (3,))


@pytest.mark.usefixtures("tflm")
@pytest.mark.parametrize("axis", [3, None])
@pytest.mark.parametrize(
    ("multiplier", "with_bias", "options"),
    [(8, True, {}), (1, True, {}), (3, False, {"stride_h": 2}), (5, True, {"fused_activation_function": "RELU6"})],
)
def test_answers_are_equal(multiplier: int, with_bias: bool, options: Any, axis: int | None) -> None:
    before = depthwise(1, multiplier, axis, with_bias, **options)
    after = depthwise_to_convolution.run(before)
    assert kinds(after) == ["CONV_2D"] and after.operators[0].index == 4
    assert after.tensor(after.operators[0].inputs[1]).shape == (multiplier, 3, 2, 1)
    assert "depth_multiplier" not in after.operators[0].attributes
    assert_consistent(after)
    assert_same_answers(before, after)


def test_two_that_share_their_weights() -> None:
    before = depthwise(1, 4, 3)
    more = [*before.operators, before.operators[0].replace(index=5, outputs=(9,))]
    both = graph([*before.tensors.values(), replace(before.tensors[3], index=9, name="t9")], more, (0,), (3, 9))
    after = depthwise_to_convolution.run(both)
    assert kinds(after) == ["CONV_2D", "CONV_2D"]
    assert_consistent(after)


def test_several_input_channels_stay() -> None:
    assert kinds(depthwise_to_convolution.run(depthwise(2, 2, 3))) == ["DEPTHWISE_CONV_2D"]


def test_scales_along_another_dimension_stay() -> None:
    before = depthwise(1, 2, 2)
    assert kinds(depthwise_to_convolution.run(before)) == ["DEPTHWISE_CONV_2D"]


def test_weights_that_are_computed_or_of_another_rank_stay() -> None:
    before = depthwise(1, 4, 3)
    computed = before.replace(tensors={**before.tensors, 1: replace(before.tensors[1], data=None)}, inputs=(0, 1))
    flat = before.replace(tensors={**before.tensors, 1: weights(1, 24)})
    for some in (computed, flat):
        assert kinds(depthwise_to_convolution.run(some)) == ["DEPTHWISE_CONV_2D"]
