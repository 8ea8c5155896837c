# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from runnel.graph import Graph, Quantization, Tensor
from runnel.passes import explicit_padding, fold_pad, remove_dead
from small_graphs import (
    POOL,
    SCALE,
    WINDOW,
    activation,
    assert_consistent,
    assert_same_answers,
    assert_same_values,
    constant,
    graph,
    kinds,
    operator,
    weights,
)

SIDES = ("pad_top", "pad_bottom", "pad_left", "pad_right")


def padded(
    amounts: Sequence[Sequence[int]],
    kind: str = "CONV_2D",
    value: Tensor | None = None,
    output: Quantization | None = SCALE,
    **options: Any,
) -> Graph:
    """PAD of [1, 6, 6, 2] by `amounts`, then a 3x3 window of this kind."""
    size = [n + sum(pair) for n, pair in zip((1, 6, 6, 2), amounts, strict=True)]
    stride = options.get("stride_h", 1)
    rows, columns = (-(-n // stride) if options.get("padding") == "SAME" else (n - 3) // stride + 1 for n in size[1:3])
    shapes = {"CONV_2D": (4, 3, 3, size[3]), "DEPTHWISE_CONV_2D": (1, 3, 3, size[3])}
    filters = [weights(3, *shapes[kind], axis=3 if kind[0] == "D" else 0)] if kind in shapes else []
    channels = 4 if kind == "CONV_2D" else size[3]
    pad_inputs = [0, 1] if value is None else [0, 1, value.index]
    attributes = {**WINDOW, **options, **({"depth_multiplier": 1} if kind[0] == "D" else {})}
    if not filters:
        attributes = {**POOL, "filter_height": 3, "filter_width": 3, **options}
    tensors = [
        activation(0, (1, 6, 6, 2)),
        constant(1, amounts),
        activation(2, size, output),
        *filters,
        activation(4, (size[0], rows, columns, channels)),
        *([] if value is None else [value]),
    ]
    operators = [
        operator(0, "PAD" if value is None else "PADV2", pad_inputs, (2,)),
        operator(1, kind, [2, *(tensor.index for tensor in filters)], (4,), attributes),
    ]
    return graph(tensors, operators, (0,), (4,))


def folded(before: Graph) -> Graph:
    after = remove_dead.run(fold_pad.run(explicit_padding.run(before)))
    assert_consistent(after)
    return after


def sides(after: Graph, number: int = 0) -> tuple[int, ...]:
    return tuple(after.operators[number].attributes[side] for side in SIDES)


SPATIAL = ((0, 0), (1, 2), (0, 1), (0, 0))


@pytest.mark.parametrize("kind", ["CONV_2D", "DEPTHWISE_CONV_2D"])
def test_pad_becomes_padding(kind: str) -> None:
    after = folded(padded(SPATIAL, kind))
    assert kinds(after) == [kind] and sides(after) == (1, 2, 0, 1)
    assert after.operators[0].inputs[0] == 0 and after.operators[0].index == 1
    assert_same_values(padded(SPATIAL, kind), after)


def test_pad_adds_to_same_over_the_padded_size() -> None:
    before = padded(((0, 0), (0, 1), (1, 0), (0, 0)), padding="SAME", stride_h=2, stride_w=2)
    after = folded(before)
    # 7 rows and columns at stride 2: SAME adds 1 before and 1 after
    assert sides(after) == (1, 2, 2, 1)
    assert_same_values(before, after)


@pytest.mark.usefixtures("tflm")
@pytest.mark.parametrize("kind", ["CONV_2D", "DEPTHWISE_CONV_2D"])
@pytest.mark.parametrize(("amount", "stride"), [((1, 1), 1), ((0, 1), 2)])
def test_the_answers_are_those_of_the_equal_same_padding(kind: str, amount: tuple[int, int], stride: int) -> None:
    before = padded(((0, 0), amount, amount, (0, 0)), kind, stride_h=stride, stride_w=stride)
    after = folded(before)
    same = folded(padded(((0, 0),) * 4, kind, padding="SAME", stride_h=stride, stride_w=stride))
    assert sides(after) == sides(same)
    restored = after.operators[0].attributes
    restored = {k: "SAME" if k == "padding" else v for k, v in restored.items() if k not in SIDES}
    assert_same_answers(before, after.replace(operators=(after.operators[0].replace(attributes=restored),)))


def test_padv2_with_the_zero_point() -> None:
    value = constant(7, [SCALE.zero_point], "int8", SCALE)
    assert sides(folded(padded(SPATIAL, value=value))) == (1, 2, 0, 1)
    other = constant(7, [SCALE.zero_point + 1], "int8", SCALE)
    assert kinds(folded(padded(SPATIAL, value=other))) == ["PADV2", "CONV_2D"]


@pytest.mark.parametrize(
    "before",
    [
        padded(((0, 0), (1, 1), (1, 1), (0, 2))),
        padded(((1, 0), (0, 0), (0, 0), (0, 0))),
        padded(((0, 0), (1, -1), (1, 1), (0, 0))),
        padded(((0, 0), (3, 0), (0, 0), (0, 0))),
        padded(SPATIAL, "MAX_POOL_2D"),
        padded(SPATIAL, "AVERAGE_POOL_2D"),
        padded(SPATIAL, output=Quantization((0.5,), (4,))),
        padded(SPATIAL, output=Quantization((0.25,), (3,))),
    ],
    ids=["channels", "batch", "negative", "beyond the window", "max", "average", "zero point", "scale"],
)
def test_what_must_stay(before: Graph) -> None:
    assert kinds(folded(before)) == kinds(before)


def test_pad_that_pads_nothing_goes() -> None:
    after = folded(padded(((0, 0),) * 4, "MAX_POOL_2D"))
    assert kinds(after) == ["MAX_POOL_2D"] and after.operators[0].inputs == (0,)


def test_each_reader_gets_what_it_can_take() -> None:
    """Two convolutions fold; the pool beside them keeps the PAD."""
    before = padded(SPATIAL)
    shape = before.tensors[4].shape
    tensors = [*before.tensors.values(), weights(8, 4, 3, 3, 2), activation(9, shape), activation(10, (*shape[:3], 2))]
    pool = {**POOL, "filter_height": 3, "filter_width": 3}
    operators = [
        *before.operators,
        operator(2, "CONV_2D", (2, 8), (9,), WINDOW),
        operator(3, "MAX_POOL_2D", (2,), (10,), pool),
    ]
    before = graph(tensors, operators, (0,), (4, 9, 10))
    after = folded(before)
    assert kinds(after) == ["PAD", "CONV_2D", "CONV_2D", "MAX_POOL_2D"]
    assert [o.inputs[0] for o in after.operators] == [0, 0, 0, 2]
    assert_same_values(before, after)


def test_pad_that_is_an_output_stays_for_it() -> None:
    before = padded(SPATIAL)
    after = folded(before.replace(outputs=(4, 2)))
    assert kinds(after) == ["PAD", "CONV_2D"] and after.operators[1].inputs[0] == 0


def test_a_chain_of_pads() -> None:
    tensors = [
        activation(0, (1, 6, 6, 2)),
        constant(1, ((0, 0), (1, 0), (0, 0), (0, 0))),
        activation(2, (1, 7, 6, 2)),
        constant(3, ((0, 0), (1, 0), (0, 2), (0, 0))),
        activation(4, (1, 8, 8, 2)),
        weights(5, 4, 3, 3, 2),
        activation(6, (1, 6, 6, 4)),
    ]
    operators = [
        operator(0, "PAD", (0, 1), (2,)),
        operator(1, "PAD", (2, 3), (4,)),
        operator(2, "CONV_2D", (4, 5), (6,), WINDOW),
    ]
    before = graph(tensors, operators, (0,), (6,))
    after = folded(before)
    assert kinds(after) == ["CONV_2D"] and sides(after) == (2, 0, 0, 2)
    assert_same_values(before, after)


def test_paddings_that_are_computed_or_contradict_the_shape_stay() -> None:
    before = padded(SPATIAL)
    computed = before.replace(tensors={**before.tensors, 1: Tensor(1, "c1", (4, 2), "int32")}, inputs=(0, 1))
    wrong = before.replace(tensors={**before.tensors, 2: activation(2, (1, 9, 8, 2))})
    for graph_before in (computed, wrong):
        assert kinds(folded(graph_before)) == ["PAD", "CONV_2D"]
