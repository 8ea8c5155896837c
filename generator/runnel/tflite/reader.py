# SPDX-License-Identifier: Apache-2.0
"""Reads a .tflite file into a Graph. Source: tensorflow/lite/schema/schema.fbs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePath

from runnel.errors import ModelError, UnsupportedError
from runnel.full_integer import check_arity, check_full_integer
from runnel.graph import Graph, Operator, Tensor
from runnel.operators import operator_type
from runnel.tflite.connections import check_edges, in_order
from runnel.tflite.flatbuffer import Table, reading
from runnel.tflite.metadata import read_metadata
from runnel.tflite.options import read_options
from runnel.tflite.schema import enumeration, table_class
from runnel.tflite.tensors import read_tensor

OPERATORS_LIMIT = 2_048
"""A microcontroller's model has some hundred; passes may take time quadratic in this."""

TENSORS_OF_OPERATOR_LIMIT = 256
EDGES_LIMIT = 64

_IDENTIFIER = b"TFL3"
_SMALLEST_FILE = 20
_BUILTIN_CODE_SLOT = 10


def read_tflite(data: bytes, source: str) -> Graph:
    """The graph in the bytes of a .tflite file; `source` is the file's name for messages.

    Only tensors in use are in the graph. Shapes are NHWC, batch 1. Operators are in topological order; each keeps its
    place in the file as `index`. Raises ModelError for damaged or contradictory files, UnsupportedError for sound
    files of a kind that Runnel does not compile.
    """
    with reading(source, "the file"):
        model = _open(data, source)
        subgraph = _only_subgraph(model)
        metadata = read_metadata(model)
        codes = _operator_codes(model)
        operators = tuple(
            _read_operator(subgraph, index, codes)
            for index in range(_limited(subgraph, "operators", OPERATORS_LIMIT, "operators"))
        )
        inputs = subgraph.integers("inputs", most=EDGES_LIMIT)
        outputs = subgraph.integers("outputs", most=EDGES_LIMIT)
        tensors = _read_tensors(model, subgraph, operators, (*inputs, *outputs), data)
        check_edges(source, tensors, inputs, outputs)
        ordered = in_order(source, tensors, operators, inputs, outputs)
    graph = Graph(PurePath(source).stem or "model", tensors, ordered, inputs, outputs, metadata, source)
    check_full_integer(graph, source)
    check_arity(graph, source)
    return graph


def _open(data: bytes, source: str) -> Table:
    if len(data) < _SMALLEST_FILE or data[4:8] != _IDENTIFIER:
        found = f"bytes 4..7 are {data[4:8]!r}" if len(data) >= _SMALLEST_FILE else f"it has {len(data)} bytes"
        raise ModelError(
            f"{source}: not a TensorFlow Lite model: {found}, expected the identifier 'TFL3'; "
            "give the .tflite file that the converter wrote"
        )
    return Table(table_class("Model").GetRootAs(data), len(data), source, "the model")


def _limited(table: Table, field: str, limit: int, what: str) -> int:
    count = table.count(field, 4, limit)
    if count == 0:
        raise ModelError(f"{table.source}: {table.what} has no {what}; the file is damaged or empty")
    return count


def _only_subgraph(model: Table) -> Table:
    count = _limited(model, "subgraphs", 65_536, "subgraphs")
    if count != 1:
        raise UnsupportedError(
            f"{model.source}: the model has {count} subgraphs (control flow such as IF, WHILE or CALL, or several "
            "signatures); one subgraph is supported: convert a single function without control flow"
        )
    return model.entry("subgraphs", 0, "the subgraph")


def _operator_codes(model: Table) -> tuple[str, ...]:
    """The kind of each operator code; "CUSTOM:name" for custom operators."""
    kinds = []
    for index in range(_limited(model, "operator_codes", OPERATORS_LIMIT, "operator codes")):
        table = model.entry("operator_codes", index, f"operator code {index}")
        # Old files fill only the 8-bit field, new ones both; the larger is right (schema_utils.cc). The package's
        # BuiltinCode() gives the 8-bit field for small numbers, whatever the other says.
        number = max(table.stored_int32(_BUILTIN_CODE_SLOT), int(table.get("deprecated_builtin_code")))
        kind = enumeration("BuiltinOperator").get(number, f"UNKNOWN:{number}")
        kinds.append(f"CUSTOM:{table.text('custom_code')}" if kind == "CUSTOM" else kind)
    return tuple(kinds)


def _kind(subgraph: Table, index: int, codes: tuple[str, ...], table: Table) -> str:
    code = int(table.get("opcode_index"))
    where = f"{subgraph.source}: operator {index}"
    if not 0 <= code < len(codes):
        raise ModelError(f"{where} refers to operator code {code}, but the file has {len(codes)}; the file is damaged")
    form, _, name = codes[code].partition(":")
    if form == "CUSTOM":
        raise UnsupportedError(
            f"{where} is the custom operator '{name}'; custom operators are not supported: "
            "convert the model with builtin operators only (allow_custom_ops off)"
        )
    if form == "UNKNOWN":
        raise ModelError(f"{where} has builtin code {name}, which TensorFlow Lite's schema does not define")
    return form


def _read_operator(subgraph: Table, index: int, codes: tuple[str, ...]) -> Operator:
    table = subgraph.entry("operators", index, f"operator {index}")
    kind = _kind(subgraph, index, codes, table)
    table = replace(table, what=f"operator {index} ({kind})")
    inputs = table.integers("inputs", most=TENSORS_OF_OPERATOR_LIMIT)
    outputs = table.integers("outputs", most=TENSORS_OF_OPERATOR_LIMIT)
    return Operator(
        index,
        kind,
        tuple(None if i == -1 else i for i in inputs),
        outputs,
        _options(table, kind),
    )


def _options(table: Table, kind: str) -> Mapping[str, object]:
    try:
        described = operator_type(kind)
    except UnsupportedError as error:
        raise UnsupportedError(f"{table.source}: {table.what}: {error}") from None
    return read_options(table, described)


def _read_tensors(
    model: Table, subgraph: Table, operators: tuple[Operator, ...], edges: tuple[int, ...], data: bytes
) -> dict[int, Tensor]:
    used = {i for operator in operators for i in (*operator.inputs, *operator.outputs) if i is not None} | {*edges}
    tensors: dict[int, Tensor] = {}
    names: set[str] = set()
    for index in sorted(used):
        tensor = read_tensor(model, subgraph, index, data)
        name = tensor.name
        while name in names:
            name = f"{name}_{index}"
        names.add(name)
        tensors[index] = replace(tensor, name=name)
    return tensors
