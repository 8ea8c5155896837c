# SPDX-License-Identifier: Apache-2.0
"""PAD, CONCATENATION, aliases and operators that are folded at compile time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from operators.kernel_host import (
    check_against_oracle,
    constant,
    integers,
    random_values,
    refusals,
    single_operator,
    tensor,
)
from runnel.errors import ModelError, UnsupportedError
from runnel.graph import Graph, Quantization, Tensor
from runnel.operators import operator_type
from runnel.operators.base import Target
from runnel.operators.strided_slice import slices_of

PADDINGS = [
    ((1, 4, 5, 3), ((0, 0), (1, 2), (0, 1), (0, 0))),
    ((1, 4, 5, 3), ((0, 0), (1, 2), (3, 1), (2, 1))),
    ((1, 4, 5, 3), ((0, 0), (0, 0), (0, 0), (1, 0))),
    ((1, 4, 5, 3), ((0, 0), (2, 0), (0, 0), (0, 3))),
    ((1, 4, 5, 3), ((0, 0), (0, 0), (0, 0), (0, 0))),
    ((2, 4, 5, 3), ((1, 1), (0, 2), (1, 0), (2, 1))),
    ((2, 1, 4, 5, 3), ((0, 1), (0, 0), (1, 2), (0, 1), (0, 0))),
    ((4, 5), ((1, 2), (3, 0))),
    ((7,), ((1, 2),)),
]


def _pad(shape: tuple[int, ...], paddings: tuple[tuple[int, int], ...], value: Tensor | None, zero: int) -> Graph:
    output = tensor(1, tuple(n + a + b for n, (a, b) in zip(shape, paddings, strict=True)), 0.1, zero)
    pads = constant(2, np.array(paddings, dtype=np.int32))
    inputs = [tensor(0, shape, 0.1, zero), pads, *([value] if value else [])]
    return single_operator("PADV2" if value else "PAD", inputs, output)


@pytest.mark.usefixtures("tflm")
@pytest.mark.parametrize(("shape", "paddings"), PADDINGS, ids=str)
def test_pad_equals_the_oracle(shape: tuple[int, ...], paddings: tuple[tuple[int, int], ...]) -> None:
    for zero in (0, -128, 77):
        graph = _pad(shape, paddings, None, zero)
        check_against_oracle(graph, random_values(graph, zero + 128))
        value = constant(3, np.array([-9], np.int8), Quantization((float(np.float32(0.1)),), (zero,)))
        graph = _pad(shape, paddings, value, zero)
        check_against_oracle(graph, random_values(graph, zero + 128))


def test_pads_that_are_refused() -> None:
    wide = _pad((2,) * 6, ((1, 1), (0, 0), (1, 1), (1, 1), (0, 0), (1, 1)), None, 0)
    assert refusals(wide) == []
    wider = _pad((2,) * 5, ((1, 1),) * 5, None, 0)
    assert refusals(wider) == ["5 dimensions"]
    value = constant(3, np.array([-9], np.int8), Quantization((0.5,), (0,)))
    assert refusals(_pad((4,), ((1, 1),), value, 0)) == ["scale 0.5, zero point 0"]
    negative = _pad((4,), ((1, -1),), None, 0)
    assert operator_type("PAD").constraints[5](negative, negative.operators[0]) == "padding -1"
    with pytest.raises(ModelError, match="do not fit"):
        operator_type("PAD").output_shapes(negative, negative.operators[0])


@pytest.mark.usefixtures("tflm")
@pytest.mark.parametrize("axis", [0, 1, 2, 3, -1, -4])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_concatenation_equals_the_oracle(axis: int, count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    sizes = [int(v) for v in random.integers(1, 6, count)]
    shapes = [tuple(size if i == axis % 4 else n for i, n in enumerate((2, 3, 4, 5))) for size in sizes]
    inputs = [tensor(i, shape, 0.1, 7) for i, shape in enumerate(shapes)]
    if count > 1:
        data = random.integers(-128, 128, shapes[1]).astype(np.int8)
        inputs[1] = constant(1, data, inputs[0].quantization)
    output = tensor(count, tuple(sum(sizes) if i == axis % 4 else n for i, n in enumerate((2, 3, 4, 5))), 0.1, 7)
    attributes = {"axis": axis, "fused_activation_function": "NONE"}
    graph = single_operator("CONCATENATION", inputs, output, attributes)
    check_against_oracle(graph, random_values(graph, seed))


def test_concatenations_that_are_refused() -> None:
    inputs = [tensor(0, (1, 4), 0.1), tensor(1, (1, 4), 0.2)]
    graph = single_operator("CONCATENATION", inputs, tensor(2, (1, 8), 0.1), {"axis": 1})
    assert refusals(graph) == ["'t1' has scale 0.2, zero point 0; the output has scale 0.1, zero point 0"]
    clamped = {"axis": 1, "fused_activation_function": "RELU"}
    assert refusals(single_operator("CONCATENATION", [inputs[0]], tensor(2, (1, 4), 0.1), clamped)) == ["RELU"]
    unlike = single_operator("CONCATENATION", inputs, tensor(2, (2, 4)), {"axis": 2})
    with pytest.raises(ModelError, match="axis 2"):
        operator_type("CONCATENATION").output_shapes(unlike, unlike.operators[0])


def _shapes(graph: Graph) -> tuple[int, ...]:
    return operator_type(graph.operators[0].kind).output_shapes(graph, graph.operators[0])[0]


@pytest.mark.parametrize(
    ("kind", "extra", "attributes", "expected"),
    [
        ("RESHAPE", (1, -1), {}, (1, 60)),
        ("RESHAPE", (60,), {"new_shape": (5,)}, (60,)),
        ("RESHAPE", (), {"new_shape": (3, -1)}, (3, 20)),
        ("SQUEEZE", (), {}, (3, 4, 5)),
        ("SQUEEZE", (), {"squeeze_dims": (-4,)}, (3, 4, 5)),
        ("EXPAND_DIMS", (-1,), {}, (1, 3, 4, 5, 1)),
        ("EXPAND_DIMS", (1,), {}, (1, 1, 3, 4, 5)),
        ("TRANSPOSE", (1, 0, 2, 3), {}, (3, 1, 4, 5)),
        ("TRANSPOSE", (1, 2, -1, 0), {}, (3, 4, 5, 1)),
    ],
)
def test_aliases(kind: str, extra: tuple[int, ...], attributes: dict[str, Any], expected: tuple[int, ...]) -> None:
    inputs = [tensor(0, (1, 3, 4, 5), 0.1), *([integers(2, *extra)] if extra else [])]
    graph = single_operator(kind, inputs, tensor(1, expected, 0.1), attributes)
    assert refusals(graph) == []
    assert _shapes(graph) == expected
    assert operator_type(kind).lower(graph, graph.operators[0], Target()) == ()
    data = np.arange(60, dtype=np.int8).reshape(1, 3, 4, 5)
    (reference,) = operator_type(kind).reference(graph, graph.operators[0], (data, None))
    assert reference.shape == expected and np.array_equal(reference.reshape(-1), data.reshape(-1))


def test_aliases_that_lie() -> None:
    source, output = tensor(0, (1, 3, 4, 5)), tensor(1, (1, 61))
    for inputs, attributes in (
        ([source, integers(2, 7, -1)], {}),
        ([source, integers(2, -1, -1)], {}),
        ([source], {}),
        ([source], {"new_shape": (1, 61)}),
    ):
        with pytest.raises(ModelError, match="cannot take the shape"):
            _shapes(single_operator("RESHAPE", inputs, output, attributes))
    with pytest.raises(ModelError, match="not all 1"):
        _shapes(single_operator("SQUEEZE", [source], output, {"squeeze_dims": (1,)}))
    with pytest.raises(ModelError, match="no order of 4 axes"):
        _shapes(single_operator("TRANSPOSE", [source, integers(2, 0, 1, 2)], output))


def test_a_transpose_that_moves_data_is_refused() -> None:
    graph = single_operator("TRANSPOSE", [tensor(0, (1, 3, 4, 5)), integers(2, 0, 3, 1, 2)], tensor(1, (1, 5, 3, 4)))
    assert "channels last" in refusals(graph)[0]


def test_a_change_of_type_is_no_alias() -> None:
    graph = single_operator("RESHAPE", [tensor(0, (4,))], tensor(1, (2, 2), kind="uint8"), {"new_shape": (2, 2)})
    assert refusals(graph) == ["int8 becomes uint8"]


def test_folded_operators() -> None:
    shape = single_operator("SHAPE", [tensor(0, (1, 3, 4, 5))], tensor(1, (4,), kind="int32"), {"out_type": "INT32"})
    assert _shapes(shape) == (4,)
    pack = single_operator("PACK", [tensor(0, (2, 3)), tensor(1, (2, 3))], tensor(2, (2, 2, 3)), {"axis": -2})
    assert _shapes(pack) == (2, 2, 3)
    assert operator_type("SHAPE").reference(shape, shape.operators[0], (None,))[0].tolist() == [1, 3, 4, 5]
    both = np.zeros((2, 3), np.int8), np.ones((2, 3), np.int8)
    assert operator_type("PACK").reference(pack, pack.operators[0], both)[0][:, 1].tolist() == both[1].tolist()
    for graph in (shape, pack):
        with pytest.raises(UnsupportedError, match="depends on the input"):
            operator_type(graph.operators[0].kind).lower(graph, graph.operators[0], Target())


@pytest.mark.parametrize(
    ("begin", "end", "step", "masks"),
    [
        ((0,), (1,), (1,), {"shrink_axis_mask": 1}),
        ((1, 0), (3, 2), (1, 1), {}),
        ((-1, 5), (0, 0), (-1, -2), {"end_mask": 3, "begin_mask": 2}),
        ((2, 1), (9, 9), (2, 3), {"shrink_axis_mask": 2}),
    ],
)
def test_strided_slice(
    begin: tuple[int, ...], end: tuple[int, ...], step: tuple[int, ...], masks: dict[str, int]
) -> None:
    data = np.arange(60).reshape(5, 6, 2)
    inputs = [tensor(0, data.shape), *(integers(i + 2, *v) for i, v in enumerate((begin, end, step)))]
    graph = single_operator("STRIDED_SLICE", inputs, tensor(1, (1,)), masks)
    expected = data[slices_of(graph, graph.operators[0])]
    assert _shapes(graph) == expected.shape
    (reference,) = operator_type("STRIDED_SLICE").reference(graph, graph.operators[0], (data, None, None, None))
    assert np.array_equal(reference, expected)


def test_strided_slices_that_are_refused() -> None:
    inputs = [tensor(0, (4,)), integers(2, 9), integers(3, 10), integers(4, 1)]
    with pytest.raises(ModelError, match="index 9"):
        _shapes(single_operator("STRIDED_SLICE", inputs, tensor(1, ()), {"shrink_axis_mask": 1}))
    assert refusals(single_operator("STRIDED_SLICE", inputs, tensor(1, ()), {"ellipsis_mask": 1})) == [
        "ellipsis_mask is set"
    ]
    with pytest.raises(ModelError, match="stride is 0"):
        _shapes(single_operator("STRIDED_SLICE", [*inputs[:3], integers(4, 0)], tensor(1, ())))
