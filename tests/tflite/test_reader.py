# SPDX-License-Identifier: Apache-2.0
"""Sound files: real models, what the writer wrote, and the oddities of real files that must be accepted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bad_files import Fields, convolution_file, quantization, serialise, sound_graph
from runnel.graph import Graph, Quantization, Tensor
from runnel.tflite.reader import read_tflite
from runnel.tflite.writer import write_tflite

# operators in the file, then shape and type of the first input and the first output
MODELS: dict[str, tuple[int, tuple[int, ...], str, tuple[int, ...], str]] = {
    "mcunet-in3": (122, (1, 176, 176, 3), "int8", (1, 1000), "int8"),
    "mcunet-vww1": (63, (1, 80, 80, 3), "float32", (1, 2), "float32"),
    "mlperf_kws_ref_model": (13, (1, 49, 10, 1), "int8", (1, 12), "int8"),
    "mlperf_vww_96_int8": (31, (1, 96, 96, 3), "int8", (1, 2), "int8"),
    "tflm_hello_world_int8": (3, (1, 1), "int8", (1, 1), "int8"),
    "tflm_micro_speech_quantized": (4, (1, 1960), "int8", (1, 4), "int8"),
    "tflm_person_detect": (31, (1, 96, 96, 1), "int8", (1, 2), "int8"),
    "wv_cezar": (22, (1, 50, 50, 3), "uint8", (1, 2), "uint8"),
    "wv_mcunet-5fps_vww": (106, (1, 80, 80, 3), "uint8", (1, 2), "uint8"),
    "wv_ymac": (22, (1, 50, 50, 3), "uint8", (1, 2), "uint8"),
}


@pytest.mark.parametrize("name", MODELS)
def test_real_models(testdata: Path, name: str) -> None:
    path = testdata / "models" / f"{name}.tflite"
    graph = read_tflite(path.read_bytes(), path.name)
    first, last = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]
    assert (len(graph.operators), first.shape, first.type, last.shape, last.type) == MODELS[name]
    assert graph.name == name
    assert len({tensor.name for tensor in graph.tensors.values()}) == len(graph.tensors)
    for tensor in graph.tensors.values():
        assert tensor.data is None or (tensor.data.shape, tensor.data.dtype.name) == (tensor.shape, tensor.type)


def test_every_model_there_is_in_the_list(testdata: Path) -> None:
    assert {path.stem for path in (testdata / "models").glob("*.tflite")} <= set(MODELS)


def test_a_real_model_in_detail(testdata: Path) -> None:
    graph = read_tflite((testdata / "models" / "mlperf_vww_96_int8.tflite").read_bytes(), "vww.tflite")
    first = graph.operators[0]
    assert dict(first.attributes) == {
        "padding": "SAME",
        "stride_w": 2,
        "stride_h": 2,
        "fused_activation_function": "RELU",
        "dilation_w_factor": 1,
        "dilation_h_factor": 1,
    }
    weights = graph.tensor(first.inputs[1])
    assert weights.shape == (8, 3, 3, 3) and weights.quantization is not None
    assert weights.quantization.axis == 0 and len(weights.quantization.scales) == 8


def assert_equal_tensors(one: Tensor, other: Tensor) -> None:
    assert (one.name, one.shape, one.type) == (other.name, other.shape, other.type)
    expected = one.quantization
    if expected is not None and not expected.per_channel:
        expected = replace(expected, axis=0)  # with one scale, the axis means nothing
    assert expected == other.quantization
    if one.data is None or other.data is None:
        assert one.data is other.data
    else:
        np.testing.assert_array_equal(one.data, other.data)


def numbered(graph: Graph) -> Graph:
    """Tensors numbered in their order, as the writer stores them."""
    numbers = {index: number for number, index in enumerate(sorted(graph.tensors))}
    operators = tuple(
        operator.replace(
            inputs=tuple(None if i is None else numbers[i] for i in operator.inputs),
            outputs=tuple(numbers[i] for i in operator.outputs),
        )
        for operator in graph.operators
    )
    return graph.replace(
        tensors={numbers[i]: replace(tensor, index=numbers[i]) for i, tensor in graph.tensors.items()},
        operators=operators,
        inputs=tuple(numbers[i] for i in graph.inputs),
        outputs=tuple(numbers[i] for i in graph.outputs),
    )


@pytest.mark.parametrize("number", range(20))
def test_what_was_written_is_read(seed: int, number: int) -> None:
    before = numbered(sound_graph(seed, number))
    after = read_tflite(write_tflite(before), "folder/random.tflite")
    assert (after.name, after.inputs, after.outputs) == ("random", before.inputs, before.outputs)
    for one, other in zip(before.operators, after.operators, strict=True):
        assert (one.index, one.kind, one.inputs, one.outputs) == (other.index, other.kind, other.inputs, other.outputs)
        for name, value in one.attributes.items():
            expected = tuple(value) if isinstance(value, list) else value
            assert other.attributes[name] == (pytest.approx(value, rel=1e-6) if isinstance(value, float) else expected)
    used = {i for o in before.operators for i in (*o.inputs, *o.outputs) if i is not None} | {*before.inputs}
    assert set(after.tensors) == used
    for index in used:
        assert_equal_tensors(before.tensors[index], after.tensors[index])


def tensors(model: Fields) -> list[Fields]:
    return model["Subgraphs"][0]["Tensors"]  # type: ignore[no-any-return]


def read(model: Fields) -> Graph:
    return read_tflite(serialise(model), "odd.tflite")


def test_metadata() -> None:
    values = {"labels": ["cat", "döner"], "mean": [0.5], "std": 2, "colour_order": "RGB", "description": "x"}
    graph = replace(numbered(sound_graph(1)), metadata=values)
    assert read_tflite(write_tflite(graph), "x.tflite").metadata == values


def test_other_metadata_is_ignored() -> None:
    model = convolution_file()
    model["Metadata"] = [Fields("Metadata", Name="min_runtime_version", Buffer=99)]
    assert read(model).metadata == {}


def test_operators_out_of_order_are_sorted() -> None:
    model = convolution_file()
    model["Subgraphs"][0]["Operators"].reverse()
    graph = read(model)
    assert [(o.kind, o.index) for o in graph.operators] == [("CONV_2D", 1), ("ADD", 0)]


def test_operators_that_are_in_order_stay_so() -> None:
    graph = numbered(sound_graph(7))
    read_back = read_tflite(write_tflite(graph), "x.tflite")
    assert [o.index for o in read_back.operators] == list(range(len(graph.operators)))


def test_unused_tensors_are_neither_read_nor_checked() -> None:
    model = convolution_file()
    tensors(model).append(Fields("Tensor", Name="junk", Shape=np.asarray([-1], np.int32), Type=99, Buffer=77))
    assert set(read(model).tensors) == {0, 1, 2, 3, 4}


def test_repeated_and_missing_names_become_unique() -> None:
    model = convolution_file()
    for index, name in ((0, "same"), (1, "same"), (2, None), (3, "same_1"), (4, "a\nb\x00")):
        tensors(model)[index]["Name"] = name
    names = [tensor.name for tensor in read(model).tensors.values()]
    assert names == ["same", "same_1", "tensor_2", "same_1_3", "a?b?"]


def test_long_names_are_shortened() -> None:
    model = convolution_file()
    tensors(model)[0]["Name"] = "model/" + "x" * 1000 + "/end"
    name = read(model).tensors[0].name
    assert len(name) < 200 and name.startswith("model/x") and name.endswith("x/end")


def test_a_name_that_is_not_utf_8() -> None:
    model = convolution_file()
    tensors(model)[0]["Name"] = b"\xff\xfeok"
    assert read(model).tensors[0].name.endswith("ok")


def test_an_open_batch_of_size_1() -> None:
    model = convolution_file()
    tensors(model)[0]["ShapeSignature"] = np.asarray([-1, 4, 4, 2], np.int32)
    assert read(model).tensors[0].shape == (1, 4, 4, 2)


@pytest.mark.parametrize("fields", [{"BuiltinCode": 0}, {"DeprecatedBuiltinCode": 0}])
def test_either_field_may_hold_the_operator_code(fields: Any) -> None:
    """Old files fill only the one-byte field; CONV_2D is 3 in both."""
    model = convolution_file()
    model["OperatorCodes"][0].update(fields)
    assert read(model).operators[0].kind == "CONV_2D"


def test_missing_options_have_the_schemas_defaults() -> None:
    model = convolution_file()
    model["Subgraphs"][0]["Operators"][1].update(BuiltinOptionsType=None, BuiltinOptions=None)
    assert read(model).operators[1].attributes["fused_activation_function"] == "NONE"


def test_versions_are_not_believed() -> None:
    model = convolution_file()
    model["OperatorCodes"][0]["Version"] = 10_000
    assert read(model).operators[0].kind == "CONV_2D"


def test_a_missing_bias_is_none() -> None:
    model = convolution_file()
    model["Subgraphs"][0]["Operators"][0]["Inputs"] = np.asarray([0, 1, -1], np.int32)
    assert read(model).operators[0].inputs == (0, 1, None)


@pytest.mark.parametrize(
    ("index", "stored", "expected"),
    [
        (0, quantization([0.5], [7], 3), Quantization((0.5,), (7,))),
        (0, Fields("QuantizationParameters", Scale=np.asarray([0.5], np.float32)), Quantization((0.5,), (0,))),
        (2, quantization([0.1, 0.2, 0.3], [0, 0, 0], 3), None),
        (2, quantization([0.1, 0.2], [0, 0]), None),
        (1, quantization([0.25, -0.5, 1.0], [0, 0, 0]), Quantization((0.25, -0.5, 1.0), (0, 0, 0))),
        (0, quantization([], []), None),
    ],
    ids=["axis of one scale", "no zero points", "axis of a bias", "scales of a bias", "dead channel", "empty"],
)
def test_odd_quantization_of_real_files(index: int, stored: Fields, expected: Quantization | None) -> None:
    model = convolution_file()
    tensors(model)[index]["Quantization"] = stored
    assert read(model).tensors[index].quantization == expected
