# SPDX-License-Identifier: Apache-2.0
"""Seeded lies in a graph, which the writer then stores faithfully: they reach deeper than damage to bytes does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from random_models.builder import GraphBuilder
from random_models.graphs import BLOCKS, convolution, finish, head, start
from random_models.source import SeededSource
from runnel.errors import ModelError
from runnel.graph import ELEMENT_BYTES, Graph, Operator, Quantization, Tensor
from runnel.operators import known_operators
from runnel.tflite.writer import write_tflite

_Random = np.random.Generator
_NUMBERS = (-(2**31), -1000, -2, -1, 0, 1, 2, 3, 4, 5, 7, 100, 255, 2**16, 2**24, 2**31 - 1)
_SCALES = (1e-45, 1e-30, 1e-6, 0.1, 1.0, 3e4, 1e30, 3e38, 0.0, -1.0, float("nan"), float("inf"))
_WORDS = ("SAME", "VALID", "NONE", "RELU", "RELU6", "RELU_N1_TO_1", "TANH", "SIGN_BIT", "DEFAULT", "SHUFFLED4X16INT8")


def sound_graph(*seed: int) -> Graph:
    """A random graph of the blocks of random_models, without asking an oracle whether its values vary."""
    source = SeededSource(*seed)
    builder = GraphBuilder(source)
    ends = source.choice(("int8", "int8", "float32", "uint8"))
    data = start(builder, (1, source.integer(2, 10), source.integer(2, 10), source.integer(1, 6)), ends)
    for _ in range(source.integer(1, 5)):
        data = source.choice(BLOCKS)(builder, data)
    data = head(builder, data)
    data = convolution(builder, data) if data in builder.inputs else data
    return builder.finish((finish(builder, data, ends),), "random_graph")


def lying_file(seed: int) -> bytes:
    """The file of a random sound graph with one to three lies; equal seeds give equal bytes."""
    random = np.random.default_rng(seed)
    sound = sound_graph(seed)
    for _ in range(20):  # some lies are such that the writer cannot store them
        graph = sound
        try:
            for _ in range(random.integers(1, 4)):
                graph = _LIES[random.integers(len(_LIES))](graph, random)
            return write_tflite(graph)
        except (ModelError, ArithmeticError, LookupError, TypeError, ValueError):
            continue
    return write_tflite(sound)


def _pick(random: _Random, values: Any) -> Any:
    return values[random.integers(len(values))]


def _with_tensor(graph: Graph, tensor: Tensor) -> Graph:
    return graph.replace(tensors={**graph.tensors, tensor.index: tensor})


def _with_operator(graph: Graph, old: Operator, new: Operator) -> Graph:
    return graph.replace(operators=tuple(new if operator is old else operator for operator in graph.operators))


def _shape(graph: Graph, random: _Random) -> Graph:
    tensor = _pick(random, list(graph.tensors.values()))
    shape = list(tensor.shape)
    action = random.integers(4)
    if action == 0 and shape:
        shape[random.integers(len(shape))] = int(_pick(random, _NUMBERS))
    elif action == 1 and shape:
        del shape[random.integers(len(shape))]
    elif action == 2:
        shape.insert(int(random.integers(len(shape) + 1)), int(random.integers(1, 4)))
    else:
        shape = [shape[i] for i in random.permutation(len(shape))]
    data = tensor.data
    if data is not None and data.size:
        data = np.resize(data, [min(abs(size), 4096) for size in shape])
        shape = list(data.shape)
    return _with_tensor(graph, replace(tensor, shape=tuple(shape), data=data))


def _type(graph: Graph, random: _Random) -> Graph:
    tensor = _pick(random, list(graph.tensors.values()))
    kind = _pick(random, list(ELEMENT_BYTES))
    data = None if tensor.data is None else tensor.data.astype(kind)
    return _with_tensor(graph, replace(tensor, type=kind, data=data))


def _quantization(graph: Graph, random: _Random) -> Graph:
    tensor = _pick(random, list(graph.tensors.values()))
    if random.random() < 0.2:
        return _with_tensor(graph, replace(tensor, quantization=None))
    count = int(_pick(random, (1, 1, 1, 2, *tensor.shape[:4]))) if tensor.shape else 1
    count = min(max(count, 1), 64)
    scales = tuple(float(_pick(random, _SCALES[:8] if random.random() < 0.8 else _SCALES)) for _ in range(count))
    zeros = tuple(int(random.integers(-130, 130)) if random.random() < 0.5 else 0 for _ in range(count))
    return _with_tensor(graph, replace(tensor, quantization=Quantization(scales, zeros, int(random.integers(-1, 5)))))


def _data(graph: Graph, random: _Random) -> Graph:
    """Other numbers in a constant: paddings, axes, shapes, biases."""
    constants = [tensor for tensor in graph.tensors.values() if tensor.data is not None and tensor.data.size]
    if not constants:
        return graph
    tensor = _pick(random, constants)
    data = tensor.data.copy()
    for _ in range(random.integers(1, 4)):
        data.reshape(-1)[random.integers(data.size)] = np.asarray(_pick(random, _NUMBERS)).astype(data.dtype)
    return _with_tensor(graph, replace(tensor, data=data))


def _constness(graph: Graph, random: _Random) -> Graph:
    tensor = _pick(random, list(graph.tensors.values()))
    if tensor.data is not None:
        return _with_tensor(graph, replace(tensor, data=None))
    return _with_tensor(graph, replace(tensor, data=np.zeros(tensor.shape, tensor.type)))


def _input(graph: Graph, random: _Random) -> Graph:
    operator = _pick(random, graph.operators)
    inputs = list(operator.inputs)
    action = random.integers(3)
    if action == 0 and inputs:
        inputs[random.integers(len(inputs))] = _pick(random, [None, *graph.tensors])
    elif action == 1 and inputs:
        del inputs[random.integers(len(inputs))]
    else:
        inputs.insert(int(random.integers(len(inputs) + 1)), _pick(random, [None, *graph.tensors]))
    return _with_operator(graph, operator, operator.replace(inputs=tuple(inputs)))


def _output(graph: Graph, random: _Random) -> Graph:
    operator = _pick(random, graph.operators)
    outputs = (_pick(random, list(graph.tensors)),) if random.random() < 0.8 else ()
    return _with_operator(graph, operator, operator.replace(outputs=outputs))


def _attribute(graph: Graph, random: _Random) -> Graph:
    operator = _pick(random, graph.operators)
    attributes = dict(operator.attributes)
    if not attributes:
        return graph
    name = _pick(random, sorted(attributes))
    value = attributes[name]
    if isinstance(value, str):
        attributes[name] = _pick(random, _WORDS)
    elif isinstance(value, bool):
        attributes[name] = not value
    elif isinstance(value, float):
        attributes[name] = float(_pick(random, _SCALES))
    elif isinstance(value, int):
        attributes[name] = int(_pick(random, _NUMBERS))
    else:
        del attributes[name]
    return _with_operator(graph, operator, operator.replace(attributes=attributes))


def _kind(graph: Graph, random: _Random) -> Graph:
    operator = _pick(random, graph.operators)
    kind = _pick(random, sorted(known_operators()))
    options = known_operators()[kind].options
    attributes = {name: value for name, value in operator.attributes.items() if name in options}
    return _with_operator(graph, operator, operator.replace(kind=kind, attributes=attributes))


def _edge(graph: Graph, random: _Random) -> Graph:
    chosen = tuple(int(i) for i in random.choice(list(graph.tensors), random.integers(1, 4)))
    return graph.replace(inputs=chosen) if random.random() < 0.3 else graph.replace(outputs=chosen)


def _order(graph: Graph, random: _Random) -> Graph:
    return graph.replace(operators=tuple(graph.operators[i] for i in random.permutation(len(graph.operators))))


_LIES: tuple[Callable[[Graph, _Random], Graph], ...] = (
    _shape, _shape, _type, _quantization, _quantization, _data, _data, _constness, _input, _output, _attribute,
    _attribute, _kind, _edge, _order,
)  # fmt: skip
