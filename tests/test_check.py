# SPDX-License-Identifier: Apache-2.0
"""What the check says of graphs that a file can hold but Runnel does not compile. Damaged files: test_bad_input.py."""

from __future__ import annotations

import pytest

from runnel.check import check_graph
from runnel.errors import ModelError, UnsupportedError
from runnel.graph import Graph, Quantization, Tensor
from small_graphs import FUSED, SCALE, WINDOW, activation, bias, constant, graph, operator, weights

PER_CHANNEL = Quantization((0.5, 0.25), (0, 0), 1)


def renamed(tensor: Tensor) -> Graph:
    """RESHAPE of this tensor to one dimension."""
    output = activation(1, (tensor.elements,), tensor.quantization, tensor.type)
    return graph([tensor, output], [operator(3, "RESHAPE", (0,), (1,), {"new_shape": output.shape})], (0,), (1,))


def test_sound_graphs_pass() -> None:
    for quantization, kind in ((SCALE, "int8"), (SCALE, "uint8"), (None, "float32")):
        check_graph(renamed(activation(0, (1, 2), quantization, kind)), "net.tflite")


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (activation(0, (1, 2), None, "int64"), "input 't0' is int64; supported are int8, uint8, float32"),
        (activation(0, (1, 2), None, "int32"), "input 't0' is int32"),
        (activation(0, (1, 2), None), "input 't0' .int8. does not have one scale and zero point"),
        (activation(0, (1, 2), PER_CHANNEL), "input 't0' .int8. does not have one scale"),
    ],
)
def test_edges(tensor: Tensor, message: str) -> None:
    with pytest.raises(UnsupportedError, match=f"^net.tflite: {message}"):
        check_graph(renamed(tensor), "net.tflite")


def test_an_output_that_is_an_input_or_constant() -> None:
    tensors = [activation(0, (1, 4)), activation(1, (1, 4)), constant(2, [1], "int8", SCALE)]
    both = graph(tensors, [operator(0, "ADD", (0, 2), (1,), FUSED)], (0,), (1, 0))
    with pytest.raises(UnsupportedError, match="output 't0' is an input"):
        check_graph(both, "net.tflite")
    with pytest.raises(UnsupportedError, match="output 'c2' is constant"):
        check_graph(both.replace(outputs=(1, 2)), "net.tflite")


def test_what_a_pass_could_not_fold() -> None:
    tensors = [activation(0, (1, 4)), Tensor(1, "shape", (2,), "int32"), activation(2, (1, 4))]
    operators = [operator(0, "SHAPE", (0,), (1,), {"out_type": "INT32"}), operator(1, "RESHAPE", (0, 1), (2,))]
    with pytest.raises(UnsupportedError, match=r"net.tflite: operator 0 .SHAPE. .*known when compiling"):
        check_graph(graph(tensors, operators, (0,), (2,)), "net.tflite")


def test_a_transpose_that_moves_data() -> None:
    tensors = [activation(0, (1, 2, 3, 4)), constant(1, (0, 3, 1, 2)), activation(2, (1, 4, 2, 3))]
    with pytest.raises(UnsupportedError, match=r"operator 0 .TRANSPOSE.: .*; supported: "):
        check_graph(graph(tensors, [operator(0, "TRANSPOSE", (0, 1), (2,))], (0,), (2,)), "net.tflite")


def test_a_bias_of_the_wrong_length() -> None:
    tensors = [activation(0, (1, 4, 4, 2)), weights(1, 3, 3, 3, 2), bias(2, 6), activation(3, (1, 2, 2, 3))]
    wrong = graph(tensors, [operator(5, "CONV_2D", (0, 1, 2), (3,), WINDOW)], (0,), (3,))
    with pytest.raises(ModelError, match=r"operator 5 .CONV_2D.: bias 'c2' has 6 values for 3 output channels"):
        check_graph(wrong, "net.tflite")


def test_messages_do_not_quote_without_end() -> None:
    tensors = [activation(0, (1, 2, 3, 4)), constant(1, [0] * 5000), activation(2, (1, 2, 3, 4))]
    with pytest.raises(ModelError) as caught:
        check_graph(graph(tensors, [operator(0, "TRANSPOSE", (0, 1), (2,))], (0,), (2,)), "net.tflite")
    assert len(str(caught.value)) < 1000


def test_an_operator_that_makes_the_code_fail_is_blamed() -> None:
    """Whatever a contradiction makes an operator's code raise, the user sees which operator it was."""
    broken = graph([activation(0, (1, 2)), weights(1, 3), activation(2, (1, 2, 3, 3))], [], (0,), (2,))
    broken = broken.replace(operators=(operator(0, "CONV_2D", (0, 1), (2,), WINDOW),))
    with pytest.raises(ModelError, match=r"^net.tflite: operator 0 .CONV_2D."):
        check_graph(broken, "net.tflite")
