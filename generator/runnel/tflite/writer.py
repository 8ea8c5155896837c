# SPDX-License-Identifier: Apache-2.0
"""Graph -> bytes of a .tflite file (schema version 3, one subgraph), the inverse of the reader.

Which options an operator has comes from its `OperatorType`; nothing here knows an operator by name except its version.
Equal graphs give equal bytes.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt

from runnel.errors import ModelError
from runnel.graph import ELEMENT_BYTES, Graph, Operator, Quantization, Tensor
from runnel.operators import operator_type
from runnel.tflite.metadata import ENTRY_NAME
from runnel.tflite.schema import accessor, enumeration, option_table_names

ALIGNMENT = 16  # of constants, in bytes from the start of the file; TensorFlow's own files have it
SCHEMA_VERSION = 3
NO_TENSOR = -1
LAST_DEPRECATED_CODE = 127  # operator numbers above it do not fit the old one-byte field, which then holds this

# The version in which TensorFlow introduced int8 for an operator; 1 for those not listed.
# LiteRT refuses versions that it does not know, TensorFlow Lite Micro ignores them.
_VERSIONS: Mapping[str, int] = {
    "CONV_2D": 3,
    "DEPTHWISE_CONV_2D": 3,
    "FULLY_CONNECTED": 4,
    "RESIZE_NEAREST_NEIGHBOR": 3,
    **dict.fromkeys(("ADD", "SUB", "MUL", "PAD", "AVERAGE_POOL_2D", "MAX_POOL_2D", "MEAN", "CONCATENATION"), 2),
    **dict.fromkeys(("TRANSPOSE", "SOFTMAX", "LOGISTIC", "TANH", "RELU", "RELU6", "LEAKY_RELU"), 2),
    **dict.fromkeys(("DEQUANTIZE", "STRIDED_SLICE", "PACK"), 2),
}


def write_tflite(graph: Graph) -> bytes:
    """Serialise `graph`. Tensors are renumbered in the order of their numbers.

    Raises UnsupportedError for an operator kind that Runnel does not know, ModelError for an attribute that the kind
    does not have and for a constant whose data does not fit its shape and type.
    """
    return _Writer(graph).write()


def _module(name: str) -> ModuleType:
    """The generated accessors of one schema table or enumeration."""
    return importlib.import_module(f"tflite.{name}")


def _number(enumeration_name: str, member: str) -> int | None:
    """The number of an enumeration's member, None where it has no such member."""
    return next((number for number, name in enumeration(enumeration_name).items() if name == member), None)


def _options_number(table: str | None) -> int | None:
    return next((number for number, name in option_table_names().items() if name == table), None)


class _Writer:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.builder = flatbuffers.Builder(1024)
        self.numbers = {index: number for number, index in enumerate(sorted(graph.tensors))}
        self.buffers: list[bytes] = [b""]  # buffer 0 means "no data"

    def write(self) -> bytes:
        tensors = [self.tensor(self.graph.tensors[index]) for index in sorted(self.graph.tensors)]
        kinds = list(dict.fromkeys(operator.kind for operator in self.graph.operators))
        operators = [self.operator(operator, kinds) for operator in self.graph.operators]
        fields = {
            "Version": SCHEMA_VERSION,
            "OperatorCodes": self.offsets([self.operator_code(kind) for kind in kinds]),
            "Subgraphs": self.offsets([self.subgraph(tensors, operators)]),
            "Description": self.builder.CreateString(str(self.graph.metadata.get("description", ""))),
            "Metadata": self.metadata(),
        }
        fields["Buffers"] = self.offsets([self.buffer(data) for data in self.buffers])
        self.builder.Finish(self.table("Model", fields), file_identifier=b"TFL3")
        return bytes(self.builder.Output())

    def table(self, name: str, fields: Mapping[str, Any]) -> int:
        """Write one table; vectors and strings among `fields` are offsets of what is already written."""
        module = _module(name)
        getattr(module, f"{name}Start")(self.builder)
        for field, value in fields.items():
            if value is not None:
                add = getattr(module, f"{name}Add{field}", None)
                if add is None:
                    raise ModelError(f"the TFLite table {name} has no field {field}")
                add(self.builder, value)
        return int(getattr(module, f"{name}End")(self.builder))

    def offsets(self, offsets: Sequence[int]) -> int:
        self.builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self.builder.PrependUOffsetTRelative(offset)
        return int(self.builder.EndVector())

    def vector(self, values: Iterable[Any], dtype: str) -> int:
        return int(self.builder.CreateNumpyVector(np.array(list(values), dtype)))

    def buffer(self, data: bytes) -> int:
        vector = None
        if data:
            self.builder.StartVector(1, len(data), ALIGNMENT)
            self.builder.head -= len(data)
            self.builder.Bytes[self.builder.head : self.builder.head + len(data)] = data
            vector = int(self.builder.EndVector())
        return self.table("Buffer", {"Data": vector})

    def new_buffer(self, data: bytes) -> int:
        self.buffers.append(data)
        return len(self.buffers) - 1

    def tensor(self, tensor: Tensor) -> int:
        code = _number("TensorType", tensor.type.upper())
        if code is None or tensor.type not in ELEMENT_BYTES:
            raise ModelError(f"tensor '{tensor.name}' has type {tensor.type}, which cannot be written")
        fields = {
            "Shape": self.vector(tensor.shape, "int32"),
            "Type": code,
            "Buffer": 0 if tensor.data is None else self.new_buffer(_constant_bytes(tensor, tensor.data)),
            "Name": self.builder.CreateString(tensor.name),
            "Quantization": None if tensor.quantization is None else self.quantization(tensor.quantization),
            "HasRank": True,
        }
        return self.table("Tensor", fields)

    def quantization(self, quantization: Quantization) -> int:
        fields = {
            "Scale": self.vector(quantization.scales, "float32"),
            "ZeroPoint": self.vector(quantization.zero_points, "int64"),
            "QuantizedDimension": quantization.axis,
        }
        return self.table("QuantizationParameters", fields)

    def operator_code(self, kind: str) -> int:
        code = _number("BuiltinOperator", kind)
        if code is None:
            raise ModelError(f"TFLite has no operator {kind}")
        fields = {
            "DeprecatedBuiltinCode": min(code, LAST_DEPRECATED_CODE),
            "BuiltinCode": code,
            "Version": _VERSIONS.get(kind, 1),
        }
        return self.table("OperatorCode", fields)

    def operator(self, operator: Operator, kinds: Sequence[str]) -> int:
        inputs = [NO_TENSOR if index is None else self.numbers[index] for index in operator.inputs]
        table, options = self.options(operator)
        fields = {
            "OpcodeIndex": kinds.index(operator.kind),
            "Inputs": self.vector(inputs, "int32"),
            "Outputs": self.vector([self.numbers[index] for index in operator.outputs], "int32"),
            "BuiltinOptionsType": _options_number(table),
            "BuiltinOptions": options,
        }
        return self.table("Operator", fields)

    def options(self, operator: Operator) -> tuple[str | None, int | None]:
        """Name and offset of the operator's options table; (None, None) where its kind has none."""
        known = operator_type(operator.kind)
        strange = set(operator.attributes) - set(known.options)
        if strange:
            raise ModelError(f"{operator.label} has no option {', '.join(sorted(strange))}")
        if known.options_table is None:
            return None, None
        fields = {
            accessor(name): self.option(operator, name, type_name, operator.attributes[name])
            for name, type_name in known.options.items()
            if name in operator.attributes
        }
        return known.options_table, self.table(known.options_table, fields)

    def option(self, operator: Operator, name: str, type_name: str, value: Any) -> Any:
        if type_name == "int[]":
            return self.vector(value, "int32")
        if type_name in ("int", "float", "bool"):
            return {"int": int, "float": float, "bool": bool}[type_name](value)
        code = _number(type_name, str(value))
        if code is None:
            raise ModelError(f"{operator.label}: {name} is {value}, which is no {type_name}")
        return code

    def subgraph(self, tensors: Sequence[int], operators: Sequence[int]) -> int:
        fields = {
            "Tensors": self.offsets(tensors),
            "Inputs": self.vector([self.numbers[index] for index in self.graph.inputs], "int32"),
            "Outputs": self.vector([self.numbers[index] for index in self.graph.outputs], "int32"),
            "Operators": self.offsets(operators),
            "Name": self.builder.CreateString(self.graph.name),
        }
        return self.table("SubGraph", fields)

    def metadata(self) -> int | None:
        """The graph's metadata as one entry of JSON, None where there is none."""
        if not self.graph.metadata:
            return None
        text = json.dumps(dict(self.graph.metadata), sort_keys=True, separators=(",", ":"), default=list)
        fields = {"Name": self.builder.CreateString(ENTRY_NAME), "Buffer": self.new_buffer(text.encode())}
        return self.offsets([self.table("Metadata", fields)])


def _constant_bytes(tensor: Tensor, data: npt.NDArray[Any]) -> bytes:
    if data.size != tensor.elements or data.dtype.name != tensor.type:
        raise ModelError(
            f"constant '{tensor.name}' holds {data.size} values of type {data.dtype.name}, "
            f"but is declared as {tensor.type} of shape {tensor.shape}"
        )
    return np.ascontiguousarray(data).astype(data.dtype.newbyteorder("<")).tobytes()
