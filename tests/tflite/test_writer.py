# SPDX-License-Identifier: Apache-2.0
"""What the writer makes is read by both reference interpreters and means what the Graph said."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import tflite
from runnel.errors import ModelError, UnsupportedError
from runnel.graph import Graph, Operator, Quantization, Tensor
from runnel.run.oracle import litert_oracle, tflm_oracle
from runnel.tflite.reader import read_tflite
from runnel.tflite.writer import write_tflite

ACTIVATION = Quantization((0.05,), (3,))
CONVOLUTION = {
    "padding": "SAME",
    "stride_h": 2,
    "stride_w": 1,
    "dilation_h_factor": 1,
    "dilation_w_factor": 1,
    "fused_activation_function": "RELU6",
}


def activation(index: int, *shape: int) -> Tensor:
    return Tensor(index, f"t{index}", shape, "int8", ACTIVATION)


def constant(index: int, data: npt.NDArray[Any], quantization: Quantization | None = None) -> Tensor:
    return Tensor(index, f"c{index}", data.shape, data.dtype.name, quantization, data)


def graph_of(tensors: list[Tensor], operators: list[Operator], inputs: tuple[int, ...], *outputs: int) -> Graph:
    return Graph("test", {t.index: t for t in tensors}, tuple(operators), inputs, outputs)


def convolution_graph() -> Graph:
    """A per-channel CONV_2D; tensor numbers have gaps, as after a pass."""
    random = np.random.default_rng(5)
    weight_scales, zeros = (0.01, 0.02, 0.03, 0.04), (0, 0, 0, 0)
    weights = random.integers(-127, 128, (4, 3, 3, 2)).astype(np.int8)
    bias = random.integers(-99, 99, 4).astype(np.int32)
    tensors = [
        activation(3, 1, 6, 6, 2),
        constant(7, weights, Quantization(weight_scales, zeros, 0)),
        constant(8, bias, Quantization(tuple(0.05 * s for s in weight_scales), zeros, 0)),
        activation(20, 1, 3, 6, 4),
    ]
    graph = graph_of(tensors, [Operator(0, "CONV_2D", (3, 7, 8), (20,), CONVOLUTION)], (3,), 20)
    metadata = {"labels": ["no", "yes"], "mean": (0.0,), "std": (255.0,), "colour_order": "RGB", "description": "é"}
    return graph.replace(metadata=metadata)


def two_ended_graph() -> Graph:
    """Two inputs, two outputs; a FULLY_CONNECTED without bias."""
    weights = np.arange(-6, 6, dtype=np.int8).reshape(3, 4)
    tensors = [activation(0, 1, 4), activation(1, 1, 4), activation(2, 1, 4), activation(3, 1, 3)]
    tensors.append(constant(4, weights, Quantization((0.1,), (0,))))
    attributes = {"fused_activation_function": "NONE"}
    operators = [
        Operator(0, "ADD", (0, 1), (2,), attributes),
        Operator(1, "FULLY_CONNECTED", (2, 4, None), (3,), {**attributes, "keep_num_dims": False}),
    ]
    return graph_of(tensors, operators, (0, 1), 3, 2)


@pytest.mark.usefixtures("tflm")
@pytest.mark.parametrize("make", [convolution_graph, two_ended_graph])
def test_both_interpreters_accept_and_agree(make: Callable[[], Graph]) -> None:
    graph = make()
    random = np.random.default_rng(1)
    inputs = [[random.integers(-128, 128, graph.tensor(i).shape).astype(np.int8) for i in graph.inputs]]
    model = write_tflite(graph)
    (expected,), (got,) = litert_oracle(model).run(inputs), tflm_oracle(model).run(inputs)
    assert [o.shape for o in got] == [graph.tensor(i).shape for i in graph.outputs]
    for one, other in zip(expected, got, strict=True):
        assert one.any()
        np.testing.assert_array_equal(one, other)


def test_equal_graphs_give_equal_bytes() -> None:
    assert write_tflite(convolution_graph()) == write_tflite(convolution_graph())
    graph = convolution_graph()
    operator = graph.operators[0]
    turned = operator.replace(attributes=dict(reversed(operator.attributes.items())))
    assert write_tflite(graph.replace(operators=(turned,))) == write_tflite(graph)


def test_the_file_holds_what_the_graph_said() -> None:
    graph = convolution_graph()
    content = write_tflite(graph)
    assert content[4:8] == b"TFL3"
    model = tflite.Model.GetRootAs(content, 0)
    subgraph = model.Subgraphs(0)
    assert (model.Version(), model.SubgraphsLength(), subgraph.Name()) == (3, 1, b"test")
    assert list(subgraph.InputsAsNumpy()) == [0] and list(subgraph.OutputsAsNumpy()) == [3]
    code = model.OperatorCodes(0)
    expected = tflite.BuiltinOperator.CONV_2D
    assert (code.BuiltinCode(), code.DeprecatedBuiltinCode()) == (expected, expected)
    weights = subgraph.Tensors(1)
    assert weights.Quantization().QuantizedDimension() == 0
    np.testing.assert_array_equal(weights.Quantization().ScaleAsNumpy(), np.float32([0.01, 0.02, 0.03, 0.04]))
    data = model.Buffers(weights.Buffer()).DataAsNumpy()
    assert graph.tensors[7].data is not None
    np.testing.assert_array_equal(data.view(np.int8).reshape(4, 3, 3, 2), graph.tensors[7].data)
    options = tflite.Conv2DOptions()
    options.Init(subgraph.Operators(0).BuiltinOptions().Bytes, subgraph.Operators(0).BuiltinOptions().Pos)
    assert (options.Padding(), options.StrideH(), options.StrideW()) == (tflite.Padding.SAME, 2, 1)
    assert options.FusedActivationFunction() == tflite.ActivationFunctionType.RELU6


def test_constants_are_aligned_to_16_bytes() -> None:
    content = write_tflite(convolution_graph())
    model = tflite.Model.GetRootAs(content, 0)
    assert model.Buffers(0).DataLength() == 0
    for number in range(1, model.BuffersLength()):
        data = model.Buffers(number).DataAsNumpy().tobytes()
        assert content.index(data) % 16 == 0


def test_metadata_is_json_in_an_entry_named_runnel() -> None:
    graph = convolution_graph()
    model = tflite.Model.GetRootAs(write_tflite(graph), 0)
    entry = model.Metadata(0)
    assert entry.Name() == b"runnel"
    stored = json.loads(model.Buffers(entry.Buffer()).DataAsNumpy().tobytes())
    assert stored == {**graph.metadata, "mean": [0.0], "std": [255.0]}
    assert model.Description() == "é".encode()
    assert tflite.Model.GetRootAs(write_tflite(graph.replace(metadata={})), 0).MetadataLength() == 0


@pytest.mark.parametrize("make", [convolution_graph, two_ended_graph])
def test_the_reader_gets_back_what_was_written(make: Callable[[], Graph]) -> None:
    """Up to the numbers of the tensors, which the file cannot keep where they have gaps."""
    graph = make()
    number = {index: place for place, index in enumerate(sorted(graph.tensors))}
    back = read_tflite(write_tflite(graph), "test")
    assert back.inputs == tuple(number[i] for i in graph.inputs)
    assert back.outputs == tuple(number[i] for i in graph.outputs)
    assert dict(back.metadata) == json.loads(json.dumps(dict(graph.metadata)))
    for index, tensor in graph.tensors.items():
        found = back.tensors[number[index]]
        assert (found.name, found.shape, found.type) == (tensor.name, tensor.shape, tensor.type)
        assert found.quantization is None or tensor.quantization is not None
        if tensor.data is not None:
            assert found.data is not None
            np.testing.assert_array_equal(found.data, tensor.data)
    for one, other in zip(back.operators, graph.operators, strict=True):
        assert one.kind == other.kind
        assert one.inputs == tuple(None if i is None else number[i] for i in other.inputs)
        assert {name: one.attributes[name] for name in other.attributes} == dict(other.attributes)


def test_a_missing_optional_input_is_minus_one() -> None:
    subgraph = tflite.Model.GetRootAs(write_tflite(two_ended_graph()), 0).Subgraphs(0)
    assert list(subgraph.Operators(1).InputsAsNumpy()) == [2, 4, -1]


def test_what_cannot_be_written_is_refused() -> None:
    graph = convolution_graph()
    operator = graph.operators[0]
    with pytest.raises(UnsupportedError, match="NO_SUCH"):
        write_tflite(graph.replace(operators=(operator.replace(kind="NO_SUCH"),)))
    for attributes, message in (
        ({"colour": 1}, "no option colour"),
        ({"padding": "WIDE"}, "WIDE, which is no Padding"),
    ):
        with pytest.raises(ModelError, match=message):
            write_tflite(graph.replace(operators=(operator.replace(attributes=attributes),)))
    for change in ({"data": np.zeros(3, np.int8)}, {"data": np.zeros((4, 3, 3, 2), np.int16)}):
        broken = replace(graph.tensors[7], **change)
        with pytest.raises(ModelError, match="c7"):
            write_tflite(graph.replace(tensors={**graph.tensors, 7: broken}))
