# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from runnel.graph import Graph, Quantization
from runnel.passes import sink_transpose
from small_graphs import activation, assert_consistent, assert_same_answers, constant, graph, kinds, operator

MEAN_SCALE = Quantization((0.25,), (-7,))


def transposed(shape: Sequence[int], order: Sequence[int], *means: tuple[Sequence[int], bool]) -> Graph:
    """TRANSPOSE in this order, then a chain of MEANs: axes and keep_dims of each."""
    size = [shape[i] for i in order]
    tensors = [activation(0, shape), constant(1, order), activation(2, size)]
    operators = [operator(0, "TRANSPOSE", (0, 1), (2,))]
    last = 2
    for number, (axes, keep_dims) in enumerate(means):
        axis_set = {axis % len(size) for axis in axes}
        if keep_dims:
            size = [1 if i in axis_set else n for i, n in enumerate(size)]
        else:
            size = [n for i, n in enumerate(size) if i not in axis_set]
        index = 3 + 2 * number
        tensors += [constant(index, axes), activation(index + 1, size, MEAN_SCALE)]
        operators.append(operator(1 + number, "MEAN", (last, index), (index + 1,), {"keep_dims": keep_dims}))
        last = index + 1
    return graph(tensors, operators, (0,), (last,))


@pytest.mark.usefixtures("tflm")
@pytest.mark.parametrize(
    ("order", "means", "expected"),
    [
        ((0, 3, 1, 2), [((3,), False), ((2,), False)], ["MEAN", "MEAN"]),
        ((0, 3, 1, 2), [((2, 3), False)], ["MEAN"]),
        ((0, 3, 1, 2), [((-1, -2), True)], ["MEAN", "RESHAPE"]),
        ((0, 3, 1, 2), [((3,), True), ((2,), True)], ["MEAN", "MEAN", "RESHAPE"]),
        ((0, 2, 1, 3), [((1,), False)], ["MEAN"]),
        ((0, 2, 1, 3), [((1, 2, 3), False)], ["MEAN"]),
    ],
)
def test_transpose_moves_behind_means(
    order: Sequence[int], means: list[tuple[Sequence[int], bool]], expected: list[str]
) -> None:
    before = transposed((1, 4, 5, 3), order, *means)
    after = sink_transpose.run(before)
    assert kinds(after) == expected
    assert_consistent(after)
    assert_same_answers(before, after)


def test_what_still_moves_data_stays_behind_the_mean() -> None:
    before = transposed((1, 4, 5, 3), (0, 3, 2, 1), ((1,), False))
    after = sink_transpose.run(before)
    assert kinds(after) == ["MEAN", "TRANSPOSE"]
    mean, transpose = after.operators
    assert after.tensors[mean.outputs[0]].shape == (1, 4, 5)
    assert after.tensors[mean.outputs[0]].quantization == MEAN_SCALE
    order = after.tensor(transpose.inputs[1]).data
    assert order is not None and order.tolist() == [0, 2, 1]
    assert (mean.index, transpose.index) == (1, 0)
    assert_consistent(after)


@pytest.mark.usefixtures("tflm")
def test_a_transpose_read_by_two_means() -> None:
    before = transposed((1, 4, 5, 3), (0, 3, 1, 2), ((2, 3), False))
    more = [constant(8, [2, 3]), activation(9, (1, 3, 1, 1), MEAN_SCALE)]
    both = graph(
        [*before.tensors.values(), *more],
        [*before.operators, operator(2, "MEAN", (2, 8), (9,), {"keep_dims": True})],
        (0,),
        (4, 9),
    )
    after = sink_transpose.run(both)
    assert kinds(after) == ["MEAN", "MEAN", "RESHAPE"]
    assert_consistent(after)
    assert_same_answers(both, after)


@pytest.mark.usefixtures("tflm")
@pytest.mark.parametrize(
    ("shape", "order"), [((1, 1, 6, 4), (0, 2, 1, 3)), ((1, 4, 5, 3), (0, 1, 2, 3)), ((1, 1, 1, 7), (0, 3, 1, 2))]
)
def test_what_moves_nothing_becomes_a_reshape(shape: Sequence[int], order: Sequence[int]) -> None:
    before = transposed(shape, order)
    after = sink_transpose.run(before)
    assert kinds(after) == ["RESHAPE"] and after.operators[0].inputs == (0,)
    assert after.operators[0].attributes["new_shape"] == tuple(shape[i] for i in order)
    assert_consistent(after)
    assert_same_answers(before, after)


def test_what_cannot_move_stays() -> None:
    plain = transposed((1, 4, 5, 3), (0, 3, 1, 2))
    read = transposed((1, 4, 5, 3), (0, 3, 1, 2), ((2, 3), False))
    both = graph(
        [*read.tensors.values(), activation(9, (1, 3, 4, 5))],
        [*read.operators, operator(2, "TANH", (2,), (9,))],
        (0,),
        (4, 9),
    )
    assert kinds(sink_transpose.run(plain)) == ["TRANSPOSE"]
    assert kinds(sink_transpose.run(both)) == ["TRANSPOSE", "MEAN", "TANH"]
    assert kinds(sink_transpose.run(read.replace(outputs=(4, 2)))) == ["TRANSPOSE", "MEAN"]


@pytest.mark.parametrize(("order", "axes"), [((0, 3, 1, 1), (2,)), ((0, 3, 1), (2,)), ((0, 3, 1, 2), (4,))])
def test_contradictions_stay_for_the_check(order: Sequence[int], axes: Sequence[int]) -> None:
    before = transposed((1, 4, 5, 3), (0, 3, 1, 2), ((2,), False))
    wrong = {1: constant(1, order), 3: constant(3, axes)}
    after = sink_transpose.run(before.replace(tensors={**before.tensors, **wrong}))
    assert kinds(after) == ["TRANSPOSE", "MEAN"]


def test_many_transposes_end() -> None:
    """A tree of MEANs that keep their dimensions, each followed by two more: the number of operators stays bounded."""
    tensors = [activation(0, (1, 4, 5, 3)), constant(1, (0, 3, 1, 2)), activation(2, (1, 3, 4, 5)), constant(3, (0,))]
    operators = [operator(0, "TRANSPOSE", (0, 1), (2,))]
    for number in range(60):
        tensors.append(activation(4 + number, (1, 3, 4, 5)))
        source = 2 if number == 0 else 4 + (number - 1) // 2
        operators.append(operator(1 + number, "MEAN", (source, 3), (4 + number,), {"keep_dims": True}))
    after = sink_transpose.run(graph(tensors, operators, (0,), tuple(range(34, 64))))
    assert kinds(after).count("MEAN") == 60 and kinds(after).count("TRANSPOSE") <= 60
    assert_consistent(after)


def test_new_constants_are_int32() -> None:
    after = sink_transpose.run(transposed((1, 4, 5, 3), (0, 3, 1, 2), ((2, 3), False)))
    axes = after.tensor(after.operators[0].inputs[1])
    assert axes.data is not None and axes.data.dtype == np.int32 and axes.data.tolist() == [1, 2]
