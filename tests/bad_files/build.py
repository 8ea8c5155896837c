# SPDX-License-Identifier: Apache-2.0
"""Writes flatbuffers from nested fields without checking anything, which the real writer would refuse to do."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import flatbuffers
import numpy as np

OPTIONS = {"Conv2DOptions": 1, "AddOptions": 11, "ReshapeOptions": 17, "Pool2DOptions": 5}
TYPES = {
    "float32": 0, "float16": 1, "int32": 2, "uint8": 3, "int64": 4, "string": 5, "bool": 6, "int16": 7, "int8": 9,
    "resource": 13, "int4": 17,
}  # fmt: skip
KINDS = {"ADD": 0, "CONV_2D": 3, "DEQUANTIZE": 6, "RESHAPE": 22, "CUSTOM": 32, "WHILE": 119, "DIV": 42}


class Fields(dict[str, Any]):
    """A flatbuffer table: its name and its fields, under the names of the generated code ("ShapeSignature")."""

    def __init__(self, table: str, **fields: Any) -> None:
        super().__init__(fields)
        self.table = table


def serialise(model: Fields) -> bytes:
    builder = flatbuffers.Builder(1024)
    builder.Finish(_table(builder, model), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _table(builder: Any, table: Fields) -> int:
    values = {name: _value(builder, value) for name, value in table.items() if value is not None}
    module = importlib.import_module(f"tflite.{table.table}")
    getattr(module, f"{table.table}Start")(builder)
    for name, value in values.items():
        getattr(module, f"{table.table}Add{name}")(builder, value)
    return int(getattr(module, f"{table.table}End")(builder))


def _value(builder: Any, value: Any) -> Any:
    if isinstance(value, Fields):
        return _table(builder, value)
    if isinstance(value, str | bytes):
        return builder.CreateString(value)
    if isinstance(value, np.ndarray):
        return builder.CreateNumpyVector(value)
    if isinstance(value, list):
        offsets = [_value(builder, item) for item in value]
        builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            builder.PrependUOffsetTRelative(offset)
        return builder.EndVector()
    return value


def quantization(scales: Sequence[float], zero_points: Sequence[int], axis: int = 0) -> Fields:
    return Fields(
        "QuantizationParameters",
        Scale=np.asarray(scales, np.float32),
        ZeroPoint=np.asarray(zero_points, np.int64),
        QuantizedDimension=axis,
    )


def tensor(name: str, shape: Sequence[int], kind: str = "int8", buffer: int = 0, scale: Any = 0.5) -> Fields:
    """scale: one number, or the quantization itself, or None for no quantization."""
    stored = quantization([scale], [0]) if isinstance(scale, float) else scale
    return Fields(
        "Tensor", Name=name, Shape=np.asarray(shape, np.int32), Type=TYPES[kind], Buffer=buffer, Quantization=stored
    )


def operator(code: int, inputs: Sequence[int], outputs: Sequence[int], options: Fields | None = None) -> Fields:
    return Fields(
        "Operator",
        OpcodeIndex=code,
        Inputs=np.asarray(inputs, np.int32),
        Outputs=np.asarray(outputs, np.int32),
        BuiltinOptionsType=None if options is None else OPTIONS[options.table],
        BuiltinOptions=options,
    )


def code(kind: str, **fields: Any) -> Fields:
    number = KINDS[kind]
    return Fields("OperatorCode", BuiltinCode=number, DeprecatedBuiltinCode=min(number, 127), Version=1, **fields)


def convolution_file() -> Fields:
    """int8 [1, 4, 4, 2] -> CONV_2D 3x3 SAME -> ADD with itself -> [1, 4, 4, 3]; sound as it is.

    Tensors: 0 input, 1 weights, 2 bias, 3 between, 4 output. Operator codes: 0 CONV_2D, 1 ADD.
    """
    random = np.random.default_rng(1)
    weights = random.integers(-127, 128, 54).astype(np.int8).view(np.uint8)
    bias = random.integers(-500, 500, 3).astype("<i4").view(np.uint8)
    convolution = Fields("Conv2DOptions", Padding=0, StrideW=1, StrideH=1, DilationWFactor=1, DilationHFactor=1)
    subgraph = Fields(
        "SubGraph",
        Tensors=[
            tensor("input", [1, 4, 4, 2]),
            tensor("weights", [3, 3, 3, 2], buffer=1, scale=quantization([0.1, 0.2, 0.3], [0, 0, 0])),
            tensor("bias", [3], "int32", buffer=2, scale=quantization([0.05, 0.1, 0.15], [0, 0, 0])),
            tensor("between", [1, 4, 4, 3]),
            tensor("output", [1, 4, 4, 3]),
        ],
        Inputs=np.asarray([0], np.int32),
        Outputs=np.asarray([4], np.int32),
        Operators=[operator(0, [0, 1, 2], [3], convolution), operator(1, [3, 3], [4], Fields("AddOptions"))],
        Name="main",
    )
    return Fields(
        "Model",
        Version=3,
        OperatorCodes=[code("CONV_2D"), code("ADD")],
        Subgraphs=[subgraph],
        Description="made for a test",
        Buffers=[Fields("Buffer"), Fields("Buffer", Data=weights), Fields("Buffer", Data=bias)],
    )
