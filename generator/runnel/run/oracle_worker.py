# SPDX-License-Identifier: Apache-2.0
"""The oracle's own process: runs models in an interpreter whose C++ may abort, without taking the caller with it.

Started by `oracle.py` as `python -m runnel.run.oracle_worker`. Requests and answers are pickles on stdin and stdout:
`(engine, model bytes, inputs)` gives `("ok", edges, outputs)` or `("error", message)`; edges are the model's
`(input types, output types)` as numpy names. The last model's interpreter is kept for the next request.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable
from typing import Any

Inputs = list[list[Any]]
Edges = tuple[list[str], list[str]]
Runner = tuple[Edges, Callable[[list[Any]], list[Any]]]

ARENA_BYTES = (1 << 20, 1 << 23, 1 << 26, 1 << 29)
"""Tried in turn: TFLM says only that the arena was too small, not by how much."""


def tflm_runner(model: bytes, input_count: int, output_count: int) -> Runner:
    """The model in TensorFlow Lite Micro. Raises RuntimeError when no arena fits or an operator is unknown."""
    from tflite_micro.python.tflite_micro import runtime

    for arena_bytes in ARENA_BYTES:
        try:
            interpreter = runtime.Interpreter.from_bytes(model, arena_size=arena_bytes)
            break
        except RuntimeError:
            if arena_bytes == ARENA_BYTES[-1]:
                raise
    details = [interpreter.get_input_details(i) for i in range(input_count)]

    def run(arrays: list[Any]) -> list[Any]:
        for position, array in enumerate(arrays):
            interpreter.set_input(array.reshape(details[position]["shape"]), position)
        interpreter.invoke()
        return [interpreter.get_output(i).copy() for i in range(output_count)]

    outputs = [interpreter.get_output_details(i) for i in range(output_count)]
    return ([d["dtype"].__name__ for d in details], [d["dtype"].__name__ for d in outputs]), run


def litert_runner(model: bytes) -> Runner:
    """The model in LiteRT with its reference kernels (XNNPACK, the default, rounds otherwise)."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        model_content=model, experimental_op_resolver_type=OpResolverType.BUILTIN_REF, num_threads=1
    )
    interpreter.allocate_tensors()
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()

    def run(arrays: list[Any]) -> list[Any]:
        for detail, array in zip(inputs, arrays, strict=True):
            interpreter.set_tensor(detail["index"], array.reshape(detail["shape"]))
        interpreter.invoke()
        return [interpreter.get_tensor(d["index"]).copy() for d in outputs]

    return ([d["dtype"].__name__ for d in inputs], [d["dtype"].__name__ for d in outputs]), run


def edge_counts(model: bytes) -> tuple[int, int]:
    """How many inputs and outputs the model has; TFLM's Python interface does not say."""
    import tflite

    subgraph = tflite.Model.GetRootAsModel(model, 0).Subgraphs(0)
    return subgraph.InputsLength(), subgraph.OutputsLength()


def make_runner(engine: str, model: bytes) -> Runner:
    if engine == "litert":
        return litert_runner(model)
    return tflm_runner(model, *edge_counts(model))


def serve(requests: Any, answers: Any) -> None:
    """Answers until stdin closes."""
    key: tuple[str, bytes] | None = None
    runner: Runner | None = None
    while True:
        try:
            engine, model, inputs = pickle.load(requests)
        except EOFError:
            return
        try:
            if runner is None or key != (engine, model):
                key, runner = (engine, model), None
                runner = make_runner(engine, model)
            edges, run = runner
            answer: tuple[Any, ...] = ("ok", edges, [run(arrays) for arrays in inputs])
        except Exception as error:  # whatever the interpreters raise becomes one message in the caller
            answer = ("error", f"{type(error).__name__}: {error}")
        pickle.dump(answer, answers, protocol=pickle.HIGHEST_PROTOCOL)
        answers.flush()


def main() -> None:
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the C++ prints must not land among the answers
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
