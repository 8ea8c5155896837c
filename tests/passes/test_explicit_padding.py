# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

from runnel.graph import Graph
from runnel.operators import operator_type
from runnel.passes import explicit_padding
from small_graphs import POOL, WINDOW, activation, graph, operator, weights

SIDES = ("pad_top", "pad_bottom", "pad_left", "pad_right")


def convolution(height: int, width: int, kernel: int, output: tuple[int, int], **options: Any) -> Graph:
    tensors = [activation(0, (1, height, width, 2)), weights(1, 3, kernel, kernel, 2), activation(2, (1, *output, 3))]
    return graph(tensors, [operator(0, "CONV_2D", (0, 1), (2,), {**WINDOW, **options})], (0,), (2,))


def sides(after: Graph) -> tuple[int, ...]:
    assert after.operators[0].attributes["padding"] == "EXPLICIT"
    return tuple(after.operators[0].attributes[side] for side in SIDES)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "dilation", "before", "after"),
    [
        (5, 3, 1, 1, 1, 1),
        (6, 3, 2, 1, 0, 1),
        (5, 3, 2, 1, 1, 1),
        (7, 2, 1, 1, 0, 1),
        (8, 1, 2, 1, 0, 0),
        (9, 3, 1, 2, 2, 2),
        (10, 7, 4, 1, 2, 3),
        (4, 2, 3, 1, 0, 1),
    ],
)
def test_same(size: int, kernel: int, stride: int, dilation: int, before: int, after: int) -> None:
    """The figures are those of TensorFlow's tf.nn.conv2d; the second axis is left as it is."""
    rows = -(-size // stride)
    options = {"padding": "SAME", "stride_h": stride, "dilation_h_factor": dilation}
    rewritten = explicit_padding.run(convolution(size, kernel, kernel, (rows, kernel), **options))
    assert sides(rewritten)[:2] == (before, after)
    (shape,) = operator_type("CONV_2D").output_shapes(rewritten, rewritten.operators[0])
    assert shape == (1, rows, kernel, 3)


def test_valid_is_no_padding_even_with_rows_left_over() -> None:
    rewritten = explicit_padding.run(convolution(8, 8, 3, (3, 3), stride_h=2, stride_w=2))
    assert sides(rewritten) == (0, 0, 0, 0)
    assert operator_type("CONV_2D").output_shapes(rewritten, rewritten.operators[0]) == ((1, 3, 3, 3),)


@pytest.mark.parametrize("kind", ["AVERAGE_POOL_2D", "MAX_POOL_2D"])
def test_pooling(kind: str) -> None:
    tensors = [activation(0, (1, 5, 4, 2)), activation(1, (1, 5, 4, 2))]
    options = {**POOL, "padding": "SAME", "filter_height": 3}
    after = explicit_padding.run(graph(tensors, [operator(0, kind, (0,), (1,), options)], (0,), (1,)))
    assert sides(after) == (1, 1, 0, 1)


def test_others_and_contradictions_are_left_alone() -> None:
    for before in (
        convolution(5, 5, 3, (3, 3), stride_h=0),
        graph([activation(0, (4,)), activation(1, (4,))], [operator(0, "TANH", (0,), (1,))], (0,), (1,)),
        graph([activation(0, (4,)), activation(1, (4,))], [operator(0, "MAX_POOL_2D", (0,), (1,), POOL)], (0,), (1,)),
    ):
        assert explicit_padding.run(before).operators == before.operators
