# SPDX-License-Identifier: Apache-2.0
"""Models that are damaged, lie, or are of a kind that Runnel does not compile: one clear error, quickly, always."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from bad_files import Fields, convolution_file, operator, quantization, serialise, tensor
from bad_files.build import KINDS, code
from runnel.check import check_graph
from runnel.errors import ModelError, UnsupportedError
from runnel.graph import Graph
from runnel.passes import optimise
from runnel.tflite.reader import read_tflite

Change = Callable[[Fields], object]


def accept(content: bytes) -> Graph:
    graph = optimise(read_tflite(content, "bad.tflite"), "int8")
    check_graph(graph, "bad.tflite")
    return graph


def subgraph(model: Fields) -> Fields:
    return model["Subgraphs"][0]  # type: ignore[no-any-return]


def tensors(model: Fields) -> list[Fields]:
    return subgraph(model)["Tensors"]  # type: ignore[no-any-return]


def operators(model: Fields) -> list[Fields]:
    return subgraph(model)["Operators"]  # type: ignore[no-any-return]


def integers(*values: int) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    return np.asarray(values, np.int32)


def set_tensor(index: int, **fields: object) -> Change:
    return lambda model: tensors(model)[index].update(fields)


def set_operator(index: int, **fields: object) -> Change:
    return lambda model: operators(model)[index].update(fields)


def set_option(index: int, **fields: object) -> Change:
    return lambda model: operators(model)[index]["BuiltinOptions"].update(fields)


def set_edges(**fields: object) -> Change:
    return lambda model: subgraph(model).update(fields)


def set_kind(kind: str, **fields: object) -> Change:
    return lambda model: model["OperatorCodes"].__setitem__(1, code(kind, **fields))


def add_tensor(model: Fields, **fields: object) -> int:
    tensors(model).append(tensor("added", [1, 4, 4, 3]))
    tensors(model)[-1].update(fields)
    return len(tensors(model)) - 1


def make_float(model: Fields) -> None:
    for index in (0, 3, 4):
        tensors(model)[index].update(Type=0, Quantization=None)


def make_float_weights(model: Fields) -> None:
    make_float(model)
    tensors(model)[1].update(Type=0, Quantization=None)
    model["Buffers"][1]["Data"] = np.zeros(54 * 4, np.uint8)


def make_16_bit(model: Fields) -> None:
    for index in (0, 3, 4):
        tensors(model)[index].update(Type=7)


def write_to_input(model: Fields) -> None:
    operators(model).append(operator(1, [3, 3], [0]))


def add_cycle(model: Fields) -> None:
    """2 reads what 3 writes and the other way round; the output needs neither."""
    first, second = add_tensor(model), add_tensor(model)
    operators(model).append(operator(1, [3, first], [second]))
    operators(model).append(operator(1, [3, second], [first]))


def read_what_nothing_writes(model: Fields) -> None:
    operators(model)[1]["Inputs"] = integers(3, add_tensor(model))


def write_twice(model: Fields) -> None:
    operators(model).append(operator(1, [3, 3], [4]))


def set_metadata(content: bytes, buffer: int = 3) -> Change:
    def change(model: Fields) -> None:
        model["Buffers"].append(Fields("Buffer", Data=np.frombuffer(content, np.uint8)))
        model["Metadata"] = [Fields("Metadata", Name="runnel", Buffer=buffer)]

    return change


def add_sparsity(model: Fields) -> None:
    tensors(model)[1]["Sparsity"] = Fields("SparsityParameters")


def outside_buffer(offset: int, size: int) -> Change:
    return lambda model: model["Buffers"].__setitem__(1, Fields("Buffer", Offset=offset, Size=size))


def huge(model: Fields) -> None:
    for index in (0, 3, 4):
        tensors(model)[index]["Shape"] = integers(1, 20_000, 20_000, 3 if index else 2)


DAMAGED: dict[str, tuple[Change, str]] = {
    "negative dimension": (set_tensor(0, Shape=integers(1, -4, 4, 2)), r"'input' has shape \[1, -4, 4, 2\]"),
    "dimension 0": (set_tensor(3, Shape=integers(1, 0, 4, 3)), "every dimension must be at least 1"),
    "2^31 elements": (set_tensor(0, Shape=integers(1, 2**16, 2**15, 2)), "at most 2147483647"),
    "2^60 elements": (set_tensor(0, Shape=integers(1, 2**30, 2**30, 2)), "at most 2147483647"),
    "nine dimensions": (set_tensor(0, Shape=integers(*[1] * 9)), "9 entries in 'shape'; at most 8"),
    "unknown type": (set_tensor(0, Type=99), "unknown element type 99"),
    "short buffer": (lambda m: m["Buffers"][1].update(Data=np.zeros(53, np.uint8)), "53 bytes.*takes 54"),
    "long buffer": (lambda m: m["Buffers"][1].update(Data=np.zeros(55, np.uint8)), "55 bytes.*takes 54"),
    "buffer number": (set_tensor(1, Buffer=9), "buffer 9 of .*'weights'.*has 3 buffers"),
    "data outside the file": (outside_buffer(10**6, 54), "outside the file"),
    "data of 2^63 bytes": (outside_buffer(64, 2**63), "outside the file"),
    "scale 0": (set_tensor(0, Quantization=quantization([0.0], [0])), "'input' has scale 0.0"),
    "scale not a number": (set_tensor(0, Quantization=quantization([float("nan")], [0])), "has scale nan"),
    "scale infinite": (set_tensor(0, Quantization=quantization([float("inf")], [0])), "has scale inf"),
    "scale negative": (set_tensor(0, Quantization=quantization([-0.5], [0])), "has scale -0.5"),
    "zero point": (set_tensor(0, Quantization=quantization([0.5], [128])), "zero point 128; int8 allows -128 to 127"),
    "zero points": (set_tensor(0, Quantization=quantization([0.5], [0, 0])), "1 scales but 2 zero points"),
    "scales": (set_tensor(1, Quantization=quantization([0.1, 0.2], [0, 0])), "2 scales for 3 channels"),
    "axis": (set_tensor(1, Quantization=quantization([0.1] * 3, [0] * 3, 7)), "along dimension 7"),
    "negative axis": (set_tensor(1, Quantization=quantization([0.1] * 3, [0] * 3, -1)), "along dimension -1"),
    "tensor number": (set_operator(1, Inputs=integers(3, 77)), "tensor 77, but the file has 5 tensors"),
    "negative tensor number": (set_operator(1, Inputs=integers(3, -7)), "tensor -7"),
    "input missing": (set_operator(1, Inputs=integers(3, -1)), r"operator 1 \(ADD\) lacks input 1"),
    "inputs too few": (set_operator(0, Inputs=integers(0)), r"operator 0 \(CONV_2D\) has 1 inputs; it takes 2 to 3"),
    "inputs too many": (set_operator(1, Inputs=integers(3, 3, 3)), "3 inputs and 1 outputs; supported: 2 inputs"),
    "outputs none": (set_operator(1, Outputs=integers()), "is not computed by any operator"),
    "operator code": (set_operator(1, OpcodeIndex=5), "operator code 5, but the file has 2"),
    "operator unknown": (lambda m: m["OperatorCodes"][1].update(BuiltinCode=9999), "builtin code 9999"),
    "options of another": (set_operator(0, BuiltinOptionsType=11), "options AddOptions, expected Conv2DOptions"),
    "options unknown": (set_operator(0, BuiltinOptionsType=200), "options type 200, expected Conv2DOptions"),
    "padding unknown": (set_option(0, Padding=7), "padding has the unknown value 7"),
    "output shape": (set_tensor(4, Shape=integers(1, 4, 4, 2)), r"\[1, 4, 4, 2\] in the file.*give \[1, 4, 4, 3\]"),
    "no operators": (set_edges(Operators=[]), "the subgraph has no operators"),
    "no inputs": (set_edges(Inputs=integers()), "no inputs"),
    "no outputs": (set_edges(Outputs=integers()), "no outputs"),
    "output twice": (set_edges(Outputs=integers(4, 4)), "the same tensor twice among its outputs"),
    "constant input": (set_edges(Inputs=integers(0, 1)), "input 'weights' holds constant data"),
    "output not computed": (set_edges(Outputs=integers(4, 0)), "output 'input' of the model is not computed"),
    "input written": (write_to_input, r"operator 2 \(ADD\) writes 'input', which is an input"),
    "constant written": (set_operator(1, Outputs=integers(1)), "writes 'weights', which holds constant data"),
    "written twice": (write_twice, r"'output' is written twice, by operator 1 \(ADD\) and operator 2 \(ADD\)"),
    "never written": (read_what_nothing_writes, r"operator 1 \(ADD\) reads 'added', which nothing writes"),
    "cycle": (add_cycle, r"cycle: operator 2 \(ADD\) waits for its own result"),
    "own result": (set_operator(1, Inputs=integers(3, 4)), "cycle"),
    "no subgraphs": (lambda m: m.update(Subgraphs=[]), "no subgraphs"),
    "no operator codes": (lambda m: m.update(OperatorCodes=[]), "no operator codes"),
    "metadata not JSON": (set_metadata(b"{labels"), "metadata 'runnel' is not JSON"),
    "metadata not text": (set_metadata(b"\xff\xfe"), "metadata 'runnel' is not JSON"),
    "metadata not an object": (set_metadata(b"[1]"), "must be a JSON object, found list"),
    "metadata of a wrong type": (set_metadata(b'{"labels": "cat"}'), "wrong 'labels': expected a list of texts"),
    "metadata not a number": (set_metadata(b'{"mean": NaN}'), "wrong 'mean'"),
    "metadata with strange colours": (set_metadata(b'{"colour_order": "CMYK"}'), "wrong 'colour_order'"),
    "metadata nested": (set_metadata(b"[" * 100_000), "metadata 'runnel' is not JSON"),
    "metadata buffer": (set_metadata(b"{}", 99), "buffer 99 of the metadata 'runnel'"),
    "long name": (set_tensor(0, Name="x" * 5000), "has 5000 bytes; at most 4096"),
}

UNSUPPORTED: dict[str, tuple[Change, str]] = {
    "control flow": (lambda m: m["Subgraphs"].append(subgraph(m)), "2 subgraphs .control flow.*one subgraph"),
    "custom operator": (set_kind("CUSTOM", CustomCode="Magic"), "operator 1 is the custom operator 'Magic'"),
    "operator": (set_kind("DIV"), r"operator 1 \(DIV\).*not supported; supported are: .*CONV_2D"),
    "float": (make_float_weights, "float32 activations .* a float model, .*full-integer post-training"),
    "dynamic range": (make_float, "a dynamic-range .* quantized model, .*full-integer post-training"),
    "16-bit activations": (make_16_bit, "16-bit activations"),
    "float16": (set_tensor(1, Type=1), "'weights' has element type FLOAT16; .*full-integer"),
    "int4": (set_tensor(1, Type=17), "INT4"),
    "text": (set_tensor(0, Type=5), "STRING"),
    "resource": (set_tensor(0, Type=13), "variables and resources"),
    "mixed": (set_tensor(4, Type=0), r"operator 1 \(ADD\) works on float32 \(tensor 'output'; 1 of 2 operators"),
    "dynamic shape": (set_tensor(0, Shape=integers(1, -1, 4, 2)), r"dynamic shape \[1, -1, 4, 2\]"),
    "dynamic signature": (set_tensor(0, ShapeSignature=integers(1, -1, 4, 2)), r"dynamic shape \[1, -1, 4, 2\]"),
    "batch": (set_tensor(0, Shape=integers(2, 4, 4, 2)), "batch 2; only batch 1"),
    "variable": (set_tensor(0, IsVariable=True), "is a variable"),
    "sparse": (add_sparsity, "sparse"),
    "no scale": (set_tensor(3, Quantization=None), "'between' .int8. has no (scale|quantization)"),
    "activation scales": (set_tensor(4, Quantization=quantization([0.1] * 3, [0] * 3, 3)), "'output' has 3 scales"),
    "fused activation": (set_option(0, FusedActivationFunction=4), r"operator 0 \(CONV_2D\): fused activation TANH"),
    "stride 0": (set_option(0, StrideH=0), r"operator 0 \(CONV_2D\): stride_h is 0; .* 1 to 1024"),
    "dilation 2^31": (set_option(0, DilationWFactor=2**31 - 1), "dilation_w_factor is 2147483647"),
    "4 GB of activations": (huge, "activations add up to"),
}  # fmt: skip


def test_the_file_is_sound_without_the_lies() -> None:
    assert [o.kind for o in accept(serialise(convolution_file())).operators] == ["CONV_2D", "ADD"]


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged(name: str) -> None:
    change, message = DAMAGED[name]
    model = convolution_file()
    change(model)
    with pytest.raises(ModelError, match=f"^bad.tflite: (?s:.*){message}"):
        accept(serialise(model))


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_unsupported(name: str) -> None:
    change, message = UNSUPPORTED[name]
    model = convolution_file()
    change(model)
    with pytest.raises(UnsupportedError, match=f"^bad.tflite: (?s:.*){message}"):
        accept(serialise(model))


def test_the_stated_kinds_are_those_of_the_schema() -> None:
    from tflite import BuiltinOperator

    assert {kind: getattr(BuiltinOperator, kind) for kind in KINDS} == KINDS


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it has 0 bytes"),
        (b"TFL3", "it has 4 bytes"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "not a TensorFlow Lite model.*'TFL3'"),
        (b"\x1c\0\0\0TFL2" + bytes(100), "not a TensorFlow Lite model"),
        (b"\xff\xff\xff\xffTFL3" + bytes(100), "damaged"),
        (b"\x08\0\0\0TFL3" + b"\xff" * 100, "damaged"),
        (b"\x08\0\0\0TFL3" + bytes(100), "damaged|no subgraphs|no operator codes"),
    ],
)
def test_not_a_model(content: bytes, message: str) -> None:
    with pytest.raises(ModelError, match=f"^bad.tflite: .*({message})"):
        read_tflite(content, "bad.tflite")


def test_every_truncation_of_a_file() -> None:
    content = serialise(convolution_file())
    for length in range(len(content)):
        try:
            accept(content[:length])
        except ModelError as error:
            assert str(error).startswith("bad.tflite: ")


def absurd_lengths(content: bytes) -> Iterator[bytes]:
    """The file with each of its words in turn replaced by lengths that no file has."""
    for place in range(8, len(content) - 3, 4):
        for length in (2**31 - 1, 2**32 - 1, len(content)):
            yield content[:place] + struct.pack("<I", length) + content[place + 4 :]


def test_absurd_lengths_and_offsets() -> None:
    for content in absurd_lengths(serialise(convolution_file())):
        try:
            accept(content)
        except ModelError as error:
            assert str(error).startswith("bad.tflite: ")


def test_a_folder_of_random_bytes() -> None:
    random = np.random.default_rng(4)
    for size in (20, 100, 1000, 100_000):
        for start in (b"", b"\x10\0\0\0TFL3"):
            with pytest.raises(ModelError):
                accept(start + random.bytes(size))


def test_external_buffers_are_read() -> None:
    """Files above 2 GB keep their constants behind the flatbuffer, at an offset from the file's start."""
    model = convolution_file()
    weights = model["Buffers"][1]["Data"].tobytes()
    outside_buffer(1000, 54)(model)
    shell = len(serialise(model))
    outside_buffer(shell, 54)(model)
    content = serialise(model) + weights
    read = read_tflite(content, "bad.tflite").tensors[1].data
    assert read is not None and read.tobytes() == weights
