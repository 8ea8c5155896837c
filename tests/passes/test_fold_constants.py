# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from runnel.graph import Graph, Quantization, Tensor
from runnel.passes import fold_constants
from small_graphs import activation, assert_consistent, constant, graph, kinds, operator

SLICE = {"begin_mask": 0, "end_mask": 0, "ellipsis_mask": 0, "new_axis_mask": 0, "shrink_axis_mask": 1}


def shape_chain(**masks: int) -> Graph:
    """What converters leave before a RESHAPE: the batch is taken out of the shape and packed with a constant."""
    tensors = [
        activation(0, (1, 2, 2, 3)),
        Tensor(1, "shape", (4,), "int32"),
        *(constant(i, [value]) for i, value in ((2, 0), (3, 1), (4, 1))),
        Tensor(5, "batch", (), "int32"),
        constant(6, 12),
        Tensor(7, "new_shape", (2,), "int32"),
        activation(8, (1, 12)),
    ]
    operators = [
        operator(0, "SHAPE", (0,), (1,)),
        operator(1, "STRIDED_SLICE", (1, 2, 3, 4), (5,), {**SLICE, **masks}),
        operator(2, "PACK", (5, 6), (7,), {"axis": 0, "values_count": 2}),
        operator(3, "RESHAPE", (0, 7), (8,)),
    ]
    return graph(tensors, operators, (0,), (8,))


def evaluated(kind: str, inputs: list[Tensor], output: Tensor, attributes: Any = None) -> Any:
    """The value of one operator whose inputs are all constant; None where it was not folded."""
    numbers = [tensor.index for tensor in inputs]
    before = graph([*inputs, output], [operator(0, kind, numbers, (output.index,), attributes)], (), (output.index,))
    after = fold_constants.run(before)
    assert_consistent(after)
    assert bool(after.operators) == (after.tensors[output.index].data is None)
    return after.tensors[output.index].data


def test_a_shape_chain_becomes_a_constant() -> None:
    after = fold_constants.run(shape_chain())
    assert kinds(after) == ["RESHAPE"]
    assert after.operators[0].index == 3
    shape = after.tensors[7]
    assert shape.data is not None and shape.data.tolist() == [1, 12] and shape.data.dtype == np.int32
    assert_consistent(after)


def test_the_graph_before_is_untouched() -> None:
    before = shape_chain()
    fold_constants.run(before)
    assert before.tensors[7].data is None and len(before.operators) == 4


@pytest.mark.parametrize("mask", ["ellipsis_mask", "new_axis_mask"])
def test_masks_that_are_not_evaluated_stay(mask: str) -> None:
    assert kinds(fold_constants.run(shape_chain(**{mask: 1}))) == ["STRIDED_SLICE", "PACK", "RESHAPE"]


@pytest.mark.parametrize(
    ("begin", "end", "stride", "masks", "expected"),
    [
        ([1], [3], [1], {}, [1, 2]),
        ([-3], [-1], [1], {}, [2, 3]),
        ([1], [0], [1], {"end_mask": 1}, [1, 2, 3, 4]),
        ([3], [2], [1], {"begin_mask": 1}, [0, 1]),
        ([4], [0], [-2], {}, [4, 2]),
        ([1], [100], [2], {}, [1, 3]),
    ],
)
def test_strided_slices(begin: Any, end: Any, stride: Any, masks: Any, expected: list[int]) -> None:
    output = Tensor(9, "out", (len(expected),), "int32")
    inputs = [constant(0, [0, 1, 2, 3, 4]), constant(1, begin), constant(2, end), constant(3, stride)]
    value = evaluated("STRIDED_SLICE", inputs, output, {**SLICE, "shrink_axis_mask": 0, **masks})
    assert value.tolist() == expected


def test_quantize_rounds_halves_away_from_zero_and_clamps() -> None:
    real = constant(0, [0.25, -0.25, 0.75, 1000.0, -1000.0], "float32")
    value = evaluated("QUANTIZE", [real], activation(1, (5,), Quantization((0.5,), (10,))))
    assert value.tolist() == [11, 9, 12, 127, -128]


def test_dequantize() -> None:
    stored = constant(0, [-128, 0, 127], "int8", Quantization((0.5,), (10,)))
    value = evaluated("DEQUANTIZE", [stored], Tensor(1, "out", (3,), "float32"))
    assert value.tolist() == [-69.0, -5.0, 58.5] and value.dtype == np.float32


def test_reshape_transpose_and_concatenation() -> None:
    matrix = constant(0, [[1, 2, 3], [4, 5, 6]])
    assert evaluated("RESHAPE", [matrix], Tensor(9, "out", (6,), "int32")).tolist() == [1, 2, 3, 4, 5, 6]
    turned = evaluated("TRANSPOSE", [matrix, constant(1, [1, 0])], Tensor(9, "out", (3, 2), "int32"))
    assert turned.tolist() == [[1, 4], [2, 5], [3, 6]]
    joined = evaluated("CONCATENATION", [matrix, matrix], Tensor(9, "out", (4, 3), "int32"), {"axis": 0})
    assert joined.shape == (4, 3)


def test_concatenation_with_other_scales_stays() -> None:
    one, other = (constant(i, [1], "int8", Quantization((scale,), (0,))) for i, scale in ((0, 0.5), (1, 0.25)))
    output = activation(2, (2,), Quantization((0.5,), (0,)))
    assert evaluated("CONCATENATION", [one, other], output, {"axis": 0}) is None


@pytest.mark.parametrize(
    ("kind", "inputs", "shape"),
    [
        ("RESHAPE", [constant(0, [1, 2, 3])], (2, 2)),
        ("TRANSPOSE", [constant(0, [[1, 2]]), constant(1, [0, 7])], (2, 1)),
        ("PACK", [constant(0, [1]), constant(1, [1, 2])], (2, 1)),
        ("STRIDED_SLICE", [constant(0, [1]), constant(1, [0]), constant(2, [1]), constant(3, [0])], (1,)),
        ("SHAPE", [constant(0, [1])], (2,)),
    ],
)
def test_contradictions_stay_for_the_check(kind: str, inputs: list[Tensor], shape: tuple[int, ...]) -> None:
    assert evaluated(kind, inputs, Tensor(9, "out", shape, "int32"), {"axis": 0, **SLICE}) is None
