# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from runnel.graph import Graph, Quantization
from runnel.passes import remove_edge_quantize
from small_graphs import activation, assert_consistent, graph, kinds, operator

INT8 = Quantization((0.5,), (3,))
UINT8 = Quantization((0.5,), (131,))
OTHER_ZERO = Quantization((0.5,), (130,))
OTHER_SCALE = Quantization((0.25,), (131,))


def edges(kind: str, quantization: Quantization | None) -> Graph:
    """QUANTIZE, TANH, and the way back, with edges of this type."""
    back = "DEQUANTIZE" if kind == "float32" else "QUANTIZE"
    tensors = [
        activation(0, (1, 4), quantization, kind),
        activation(1, (1, 4), INT8),
        activation(2, (1, 4), INT8),
        activation(3, (1, 4), quantization, kind),
    ]
    operators = [
        operator(0, "QUANTIZE", (0,), (1,)),
        operator(1, "TANH", (1,), (2,)),
        operator(2, back, (2,), (3,)),
    ]
    return graph(tensors, operators, (0,), (3,))


def test_float_and_lossless_uint8_edges_become_int8() -> None:
    for before in (edges("float32", None), edges("uint8", UINT8)):
        after = remove_edge_quantize.run(before)
        assert kinds(after) == ["TANH"]
        assert (after.inputs, after.outputs) == ((1,), (2,))
        assert [after.tensors[i].name for i in (1, 2)] == ["t0", "t3"], "edges keep their names"
        assert after.tensors[1].type == "int8" and after.tensors[1].quantization == INT8
        assert_consistent(after)


def test_uint8_edges_that_would_lose_values_stay() -> None:
    for quantization in (OTHER_ZERO, OTHER_SCALE):
        assert len(remove_edge_quantize.run(edges("uint8", quantization)).operators) == 3


def test_shapes_that_contradict_each_other_stay() -> None:
    before = edges("uint8", UINT8)
    wrong = {i: activation(i, (1, 2, 2), UINT8, "uint8") for i in (0, 3)}
    assert len(remove_edge_quantize.run(before.replace(tensors={**before.tensors, **wrong})).operators) == 3


def test_int8_to_int8_stays() -> None:
    assert len(remove_edge_quantize.run(edges("int8", Quantization((0.25,), (3,)))).operators) == 3


def test_an_input_that_feeds_something_else_too_stays() -> None:
    tensors = [activation(0, (1, 4), None, "float32"), activation(1, (1, 4)), activation(2, (1, 4))]
    operators = [operator(0, "QUANTIZE", (0,), (1,)), operator(1, "QUANTIZE", (0,), (2,))]
    before = graph(tensors, operators, (0,), (1, 2))
    assert remove_edge_quantize.run(before).inputs == (0,)


def test_quantize_straight_to_an_output_stays() -> None:
    before = graph(
        [activation(0, (1, 4), None, "float32"), activation(1, (1, 4))],
        [operator(0, "QUANTIZE", (0,), (1,))],
        (0,),
        (1,),
    )
    assert kinds(remove_edge_quantize.run(before)) == ["QUANTIZE"]


def test_one_tensor_cannot_become_two_outputs() -> None:
    tensors = [
        activation(0, (1, 4)),
        activation(1, (1, 4)),
        *(activation(i, (1, 4), None, "float32") for i in (2, 3)),
    ]
    operators = [
        operator(0, "TANH", (0,), (1,)),
        operator(1, "DEQUANTIZE", (1,), (2,)),
        operator(2, "DEQUANTIZE", (1,), (3,)),
    ]
    after = remove_edge_quantize.run(graph(tensors, operators, (0,), (2, 3)))
    assert after.outputs == (1, 3) and kinds(after) == ["TANH", "DEQUANTIZE"]
    assert_consistent(after)


def test_an_output_that_is_read_stays() -> None:
    tensors = [
        activation(0, (1, 4)),
        activation(1, (1, 4)),
        activation(2, (1, 4), None, "float32"),
        activation(3, (1, 4)),
    ]
    operators = [
        operator(0, "TANH", (0,), (1,)),
        operator(1, "DEQUANTIZE", (1,), (2,)),
        operator(2, "QUANTIZE", (2,), (3,)),
    ]
    after = remove_edge_quantize.run(graph(tensors, operators, (0,), (2, 3)))
    assert after.outputs == (2, 3)


def test_several_edges_keep_their_order() -> None:
    tensors = [
        activation(0, (1, 4), None, "float32"),
        activation(1, (1, 4)),
        activation(2, (1, 4), None, "float32"),
        activation(3, (1, 4)),
        activation(4, (1, 4)),
        activation(5, (1, 4), None, "float32"),
    ]
    operators = [
        operator(0, "QUANTIZE", (0,), (1,)),
        operator(1, "QUANTIZE", (2,), (3,)),
        operator(2, "ADD", (1, 3), (4,), {"fused_activation_function": "NONE"}),
        operator(3, "DEQUANTIZE", (4,), (5,)),
    ]
    after = remove_edge_quantize.run(graph(tensors, operators, (2, 0), (5,)))
    assert (after.inputs, after.outputs, kinds(after)) == ((3, 1), (4,), ["ADD"])
    assert_consistent(after)
