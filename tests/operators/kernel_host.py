# SPDX-License-Identifier: Apache-2.0
"""Runs the kernel calls of one operator on the host: compiled C, no generator, no arena.

Shapes are run-time values here, so one library per kernel serves all shapes. It is built with the undefined behaviour
sanitizer, which ends the process on a report; buffers have guard bytes on both sides that are checked after each call.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from runnel.emit.functions import sweep_arguments, sweep_statement
from runnel.graph import Graph, Operator, Quantization, Tensor
from runnel.operators import operator_type
from runnel.operators.base import KernelCall, Target
from runnel.run.oracle import litert_oracle, tflm_oracle
from runnel.tflite.writer import write_tflite

Array = npt.NDArray[Any]

INCLUDE = Path(__file__).resolve().parents[2] / "zephyr_module" / "include"
WARNINGS = ("-Wall", "-Wextra", "-Werror", "-Wconversion")
SANITIZER = ("-fsanitize=undefined", "-fno-sanitize-recover=undefined")
FLAGS = ("-std=c11", "-O1", "-g", "-shared", "-fPIC", *WARNINGS, *SANITIZER)
GUARD = 64
GUARD_VALUE = 0xA5
C_TYPES = {"float32": "float"}

_SOURCE = """
#include "{header}"
void call(const int32_t *shape_values, const int32_t *layer_values, const void *const *constants, void **tensors,
          void *scratch)
{{
    const struct runnel_{kernel}_shape shape = {{ {shape} }};
    const struct {layer_struct} layer = {{ {layer} }};
    (void)layer_values; (void)constants;
    {statement}
}}
"""


def c_type(array: Array) -> str:
    return C_TYPES.get(array.dtype.name, f"{array.dtype.name}_t")


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="runnel_kernels_")


@cache
def _library(function: str, source: str) -> Any:
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("no gcc on this machine: the kernels cannot be compiled for the host")
    file = Path(_folder().name) / f"{function}_{abs(hash(source))}.c"
    file.write_text(source, encoding="ascii")
    library = file.with_suffix(".so")
    command = [compiler, *FLAGS, f"-I{INCLUDE}", str(file), "-o", str(library)]
    subprocess.run(command, check=True, timeout=120)
    return ctypes.CDLL(str(library)).call


def _source(call: KernelCall, tensors: Sequence[Array]) -> str:
    shape = [f".{name} = shape_values[{i}]" for i, name in enumerate(sorted(call.shape))]
    layer = [f".{name} = layer_values[{i}]" for i, name in enumerate(sorted(call.layer))]
    layer += [f".{constant.name} = constants[{i}]" for i, constant in enumerate(call.constants)]
    inputs = [f"(const {c_type(array)} *)tensors[{i}]" for i, array in enumerate(tensors[:-1])]
    output = f"({c_type(tensors[-1])} *)tensors[{len(tensors) - 1}]"
    arguments = sweep_arguments(call.sweep, call.form, inputs[0], output) if call.sweep else [*inputs, output]
    statement = f"{call.function}(&shape, &layer, {', '.join(arguments)}, scratch);"
    return _SOURCE.format(
        header=call.header,
        kernel=call.kernel,
        layer_struct=call.layer_struct,
        shape=", ".join(shape),
        layer=", ".join(layer),
        statement=sweep_statement(call.sweep, statement) if call.sweep else statement,
    )


class Guarded:
    """Bytes with guards before and after."""

    def __init__(self, size: int, content: bytes = b"") -> None:
        self.size = size
        self.bytes = np.full(size + 2 * GUARD, GUARD_VALUE, dtype=np.uint8)
        self.bytes[GUARD : GUARD + len(content)] = np.frombuffer(content, dtype=np.uint8)

    @property
    def address(self) -> int:
        return int(self.bytes.ctypes.data) + GUARD

    def content(self, dtype: npt.DTypeLike, count: int) -> Array:
        assert (self.bytes[:GUARD] == GUARD_VALUE).all(), "the kernel wrote before its buffer"
        assert (self.bytes[GUARD + self.size :] == GUARD_VALUE).all(), "the kernel wrote behind its buffer"
        return np.frombuffer(self.bytes[GUARD : GUARD + self.size].tobytes(), dtype=dtype)[:count].copy()


def _integers(values: Mapping[str, int]) -> Any:
    numbers = [values[name] for name in sorted(values)]
    return (ctypes.c_int32 * max(len(numbers), 1))(*numbers)


def run_call(
    call: KernelCall, inputs: Sequence[Array], output: Guarded, dtype: npt.DTypeLike, shared: int | None
) -> None:
    """One kernel call. shared: the position of the input that lies where the output does, None for none."""
    buffers = [Guarded(array.nbytes, array.tobytes()) for array in inputs]
    if shared is not None:
        content = inputs[shared].tobytes()
        output.bytes[GUARD : GUARD + len(content)] = np.frombuffer(content, dtype=np.uint8)
    addresses = [output.address if i == shared else buffer.address for i, buffer in enumerate(buffers)]
    tensors = [*inputs, np.empty(0, dtype)]
    constants = [np.ascontiguousarray(constant.data) for constant in call.constants]
    pointers = (ctypes.c_void_p * max(len(constants), 1))(*[int(array.ctypes.data) for array in constants])
    scratch = Guarded(call.scratch_bytes)
    _library(call.function, _source(call, tensors))(
        _integers(call.shape),
        _integers(call.layer),
        pointers,
        (ctypes.c_void_p * len(tensors))(*addresses, output.address),
        ctypes.c_void_p(scratch.address if call.scratch_bytes else None),
    )
    scratch.content(np.uint8, call.scratch_bytes)
    for i, (buffer, array) in enumerate(zip(buffers, inputs, strict=True)):
        if i != shared:
            assert buffer.content(array.dtype, array.size).tobytes() == array.tobytes(), "the kernel changed its input"


def run_operator(graph: Graph, values: Mapping[int, Array], in_place: bool = False) -> Array:
    """The output of the graph's only operator, flat. in_place: once for each input that allows it, all must agree."""
    operator = graph.operators[0]
    calls = operator_type(operator.kind).lower(graph, operator, Target())
    target = graph.tensor(operator.outputs[0])
    dtype = np.dtype(target.type)
    known = {**values, **{i: t.data for i, t in graph.tensors.items() if t.data is not None}}
    results = []
    for shared in calls[0].in_place if in_place else (None,):
        largest = max([target.bytes, *(known[i].nbytes for call in calls for i in call.inputs)])
        output = Guarded(largest if shared is not None else target.bytes)
        for call in calls:
            run_call(call, [known[i] for i in call.inputs], output, dtype, shared)
        results.append(output.content(dtype, target.elements))
    assert all(np.array_equal(result, results[0]) for result in results)
    return results[0]


def refusals(graph: Graph) -> list[str]:
    """What the constraints of the graph's only operator object to."""
    operator = graph.operators[0]
    found = [constraint(graph, operator) for constraint in operator_type(operator.kind).constraints]
    return [text for text in found if text is not None]


def single_operator(
    kind: str,
    inputs: Sequence[Tensor],
    output: Tensor,
    attributes: Mapping[str, Any] | None = None,
) -> Graph:
    """A graph with one operator; tensors without data are the model's inputs."""
    tensors = {tensor.index: tensor for tensor in (*inputs, output)}
    operator = Operator(0, kind, tuple(t.index for t in inputs), (output.index,), attributes or {})
    model_inputs = tuple(dict.fromkeys(t.index for t in inputs if not t.is_constant))
    return Graph(kind.lower(), tensors, (operator,), model_inputs, (output.index,))


def tensor(index: int, shape: Sequence[int], scale: float = 1.0, zero_point: int = 0, kind: str = "int8") -> Tensor:
    quantization = None if kind in ("float32", "int32") else Quantization((float(np.float32(scale)),), (zero_point,))
    return Tensor(index, f"t{index}", tuple(shape), kind, quantization)


def constant(index: int, data: Array, quantization: Quantization | None = None) -> Tensor:
    return Tensor(index, f"c{index}", data.shape, data.dtype.name, quantization, data)


def integers(index: int, *values: int) -> Tensor:
    return constant(index, np.array(values, dtype=np.int32))


def random_values(graph: Graph, seed: int) -> dict[int, Array]:
    """Random data for the model's inputs: all of the type's range."""
    random = np.random.default_rng(seed)
    values = {}
    for index in graph.inputs:
        kind, shape = graph.tensor(index).type, graph.tensor(index).shape
        info = np.iinfo(kind)
        values[index] = random.integers(info.min, info.max + 1, shape).astype(kind)
    return values


def check_against_oracle(graph: Graph, values: Mapping[int, Array], engine: str = "tflm") -> Array:
    """Asserts that the kernel and reference give the oracle's bytes, the kernel in place too where allowed."""
    assert refusals(graph) == []
    operator = graph.operators[0]
    kind = operator_type(operator.kind)
    assert kind.output_shapes(graph, operator) == tuple(graph.tensor(i).shape for i in operator.outputs)
    make = {"tflm": tflm_oracle, "litert": litert_oracle}[engine]
    expected = make(write_tflite(graph)).run([[values[i] for i in graph.inputs]])[0][0].reshape(-1)
    operands = tuple(None if i is None else values.get(i, graph.tensor(i).data) for i in operator.inputs)
    (reference,) = kind.reference(graph, operator, operands)
    assert reference.shape == graph.tensor(operator.outputs[0]).shape
    np.testing.assert_array_equal(reference.reshape(-1), expected)
    actual = run_operator(graph, values)
    np.testing.assert_array_equal(actual, expected)
    if kind.lower(graph, operator, Target())[0].in_place:
        np.testing.assert_array_equal(run_operator(graph, values, in_place=True), expected)
    return expected
