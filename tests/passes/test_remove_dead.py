# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from runnel.passes import remove_dead
from small_graphs import FUSED, activation, assert_consistent, graph, kinds, operator


def test_what_no_output_needs_goes() -> None:
    tensors = [activation(i, (1, 4)) for i in range(6)]
    operators = [
        operator(0, "TANH", (0,), (1,)),
        operator(1, "LOGISTIC", (0,), (2,)),
        operator(2, "TANH", (2,), (3,)),
        operator(3, "ADD", (0, 1), (4,), FUSED),
    ]
    after = remove_dead.run(graph(tensors, operators, (0, 5), (4,)))
    assert [o.index for o in after.operators] == [0, 3]
    assert after.inputs == (0, 5), "an input that nobody reads is still an input"
    assert_consistent(after)


def test_what_is_an_output_stays() -> None:
    tensors = [activation(i, (1, 4)) for i in range(3)]
    operators = [operator(0, "TANH", (0,), (1,)), operator(1, "LOGISTIC", (1,), (2,))]
    assert kinds(remove_dead.run(graph(tensors, operators, (0,), (2, 1)))) == ["TANH", "LOGISTIC"]
