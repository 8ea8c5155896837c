# SPDX-License-Identifier: Apache-2.0
"""What a model must answer: TensorFlow Lite Micro's own kernels, and LiteRT's reference kernels beside them.

An oracle runs the model file as it is. Where the compiled model has other edges (int8 instead of the file's uint8 or
float32 behind QUANTIZE and DEQUANTIZE), the arrays are converted on the way in and out without losing a bit, so that
callers only ever see the compiled model's types.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

import runnel
from runnel.errors import RunError
from runnel.graph import Graph, Tensor

Array = npt.NDArray[Any]
Engine = Literal["tflm", "litert"]

NAMES: dict[Engine, str] = {"tflm": "TensorFlow Lite Micro", "litert": "LiteRT reference kernels"}
_PACKAGES: dict[Engine, tuple[str, str]] = {
    "tflm": ("tflite_micro", "tflite-micro"),
    "litert": ("ai_edge_litert", "ai-edge-litert"),
}


class Oracle(Protocol):
    """One model in one reference interpreter."""

    @property
    def name(self) -> str: ...

    def run(self, inputs: Sequence[Sequence[Array]]) -> list[list[Array]]:
        """inputs[n] holds one array per model input of inference n; the answer one per model output."""
        ...


class _Worker:
    """The process that runs the interpreters; started when first needed, and again after a crash."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.messages = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the worker)

    def start(self) -> subprocess.Popen[bytes]:
        if self.process is None:
            package = str(Path(runnel.__file__).parent.parent)  # found by the worker even where it is not installed
            paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
            self.process = subprocess.Popen(
                [sys.executable, "-m", "runnel.run.oracle_worker"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.messages,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            )  # fmt: skip
        return self.process

    def ask(self, request: tuple[Any, ...]) -> tuple[Any, ...]:
        """Sends one request. Raises RunError when the interpreter refuses the model or dies of it."""
        process = self.start()
        assert process.stdin is not None and process.stdout is not None
        self.messages.seek(0)
        self.messages.truncate()
        try:
            pickle.dump(request, process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
            process.stdin.flush()
            answer: tuple[Any, ...] = pickle.load(process.stdout)
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            code = process.wait()
            self.process = None
            raise RunError(f"{NAMES[request[0]]} crashed on this model (exit code {code}){self.said()}") from None
        if answer[0] == "error":
            raise RunError(f"{NAMES[request[0]]} cannot run this model: {answer[1]}{self.said()}")
        return answer[1:]

    def said(self) -> str:
        """The last lines of what the interpreter printed."""
        self.messages.seek(0)
        lines = [line for line in self.messages.read().decode(errors="replace").splitlines() if line.strip()]
        return "; it said: " + " | ".join(lines[-3:]) if lines else ""

    def stop(self) -> None:
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()
            self.process.wait()
            self.process = None
        self.messages.close()


@cache
def _worker() -> _Worker:
    worker = _Worker()
    atexit.register(worker.stop)
    return worker


@dataclass(frozen=True)
class InterpreterOracle:
    """A model file in an interpreter of the worker; `graph` is the compiled model whose edges callers speak."""

    engine: Engine
    model: bytes = field(repr=False)
    graph: Graph | None = None

    @property
    def name(self) -> str:
        return NAMES[self.engine]

    def run(self, inputs: Sequence[Sequence[Array]]) -> list[list[Array]]:
        """See Oracle.run. Raises RunError when the interpreter cannot run the model."""
        if self.graph is None:
            _, outputs = _worker().ask((self.engine, self.model, [list(arrays) for arrays in inputs]))
            return list(outputs)
        graph = self.graph
        (input_types, _), _ = _worker().ask((self.engine, self.model, []))
        edges = [graph.tensor(i) for i in graph.inputs]
        converted = [
            [to_file(array, edge, kind) for array, edge, kind in zip(arrays, edges, input_types, strict=True)]
            for arrays in inputs
        ]
        _, outputs = _worker().ask((self.engine, self.model, converted))
        edges = [graph.tensor(i) for i in graph.outputs]
        return [[from_file(a, e) for a, e in zip(arrays, edges, strict=True)] for arrays in outputs]


def _oracle(engine: Engine, model: bytes, graph: Graph | None) -> Oracle:
    module, package = _PACKAGES[engine]
    if importlib.util.find_spec(module) is None:
        raise RunError(
            f"comparing with {NAMES[engine]} needs the package {package} (wheels for Linux on x86-64): "
            "pip install 'runnel[oracle]'"
        )
    return InterpreterOracle(engine, model, graph)


def tflm_oracle(model: bytes, graph: Graph | None = None) -> Oracle:
    """TensorFlow Lite Micro on the bytes of a .tflite file; bit for bit what Runnel must give.

    With `graph` (the compiled model) inputs and outputs have that graph's types; without it, the file's.
    Raises RunError when the package is missing.
    """
    return _oracle("tflm", model, graph)


def litert_oracle(model: bytes, graph: Graph | None = None) -> Oracle:
    """LiteRT's BUILTIN_REF kernels; they agree with TFLM except for FULLY_CONNECTED (single rounding there)."""
    return _oracle("litert", model, graph)


def dequantized(edge: Tensor) -> npt.NDArray[np.float32]:
    """The float32 that TFLM's DEQUANTIZE gives for each int8 value -128..127 of `edge`; shape (256,)."""
    if edge.quantization is None:
        raise RunError(f"tensor '{edge.name}' has no quantization to convert its values with")
    steps = np.arange(-128, 128, dtype=np.float64) - edge.quantization.zero_point
    return (edge.quantization.scale * steps).astype(np.float32)


def quantizable(edge: Tensor) -> npt.NDArray[np.float32]:
    """For each int8 value -128..127 of `edge` a float32 that TFLM's QUANTIZE maps to it; shape (256,).

    Step times scale may round across no boundary: QUANTIZE divides in float32 and rounds to nearest, so the quotient
    is within 2^-23 of the step. The only danger is a scale so small that the product underflows: an error says so.
    """
    floats = dequantized(edge)
    assert edge.quantization is not None
    quotient = floats / np.float32(edge.quantization.scale)
    back = np.round(quotient) + edge.quantization.zero_point
    if not np.array_equal(back, np.arange(-128, 128)):
        raise RunError(f"the scale {edge.quantization.scale} of input '{edge.name}' is too small for float32")
    return floats


def to_file(array: Array, edge: Tensor, file_type: str) -> Array:
    """An input of the compiled model as the model file wants it; the shape stays."""
    if edge.type == file_type:
        return array
    if edge.type == "int8" and file_type == "uint8":
        return array.view(np.uint8) ^ np.uint8(0x80)
    if edge.type == "int8" and file_type == "float32":
        return quantizable(edge)[array.astype(np.int64) + 128]
    raise RunError(f"input '{edge.name}' is {edge.type} here and {file_type} in the model file")


def from_file(array: Array, edge: Tensor) -> Array:
    """An output of the model file as the compiled model gives it. Raises RunError when a value has no counterpart."""
    if edge.type == array.dtype.name:
        return array
    if edge.type == "int8" and array.dtype == np.uint8:
        return (array ^ np.uint8(0x80)).view(np.int8)
    if edge.type == "int8" and array.dtype == np.float32:
        floats = dequantized(edge)
        position = np.clip(np.searchsorted(floats, array), 0, 255)
        if not np.array_equal(floats[position], array):
            raise RunError(f"output '{edge.name}' of the oracle is no multiple of its scale: conversion is not exact")
        return (position - 128).astype(np.int8)
    raise RunError(f"output '{edge.name}' is {edge.type} here and {array.dtype.name} in the model file")


def compare(compiled: Sequence[Sequence[Array]], oracle: Sequence[Sequence[Array]]) -> int:
    """Bytes that differ over all inferences and outputs; shapes may differ, types and sizes may not."""
    mismatches = 0
    for ours, theirs in zip(compiled, oracle, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            if a.dtype != b.dtype or a.size != b.size:
                raise RunError(f"cannot compare {a.dtype}{a.shape} with {b.dtype}{b.shape}")
            left = np.frombuffer(a.tobytes(), np.uint8)
            mismatches += int(np.count_nonzero(left != np.frombuffer(b.tobytes(), np.uint8)))
    return mismatches
