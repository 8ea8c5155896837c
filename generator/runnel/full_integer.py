# SPDX-License-Identifier: Apache-2.0
"""Says right after reading whether this is a full-integer model: int8 throughout, operators with all their inputs."""

from __future__ import annotations

from runnel.errors import ModelError, UnsupportedError
from runnel.graph import Graph, Operator, Tensor
from runnel.operators import operator_type

HOW_TO_CONVERT = (
    "convert with full-integer post-training quantization (a representative dataset, "
    "target_spec.supported_ops = [TFLITE_BUILTINS_INT8], inference_input_type and inference_output_type int8)"
)


def check_arity(graph: Graph, source: str) -> None:
    """Each operator is known, has as many inputs as its kind takes, and one output. Raises ModelError."""
    for operator in graph.operators:
        kind = operator_type(operator.kind)
        fewest, most = kind.input_count
        count = len(operator.inputs)
        if not fewest <= count <= most:
            expected = str(fewest) if fewest == most else f"{fewest} to {most}"
            raise ModelError(f"{source}: {operator.label} has {count} inputs; it takes {expected}")
        if None in operator.inputs[: kind.required_inputs]:
            position = operator.inputs.index(None)
            raise ModelError(f"{source}: {operator.label} lacks input {position}, which is not optional")
        if len(operator.outputs) != 1:
            raise ModelError(f"{source}: {operator.label} has {len(operator.outputs)} outputs; it has one")


def check_full_integer(graph: Graph, source: str) -> None:
    """The operators work on int8. Raises UnsupportedError that names the kind of model found and how to convert it."""
    for operator in graph.operators:
        if operator_type(operator.kind).has_weights:
            _check_weighted(graph, operator, source)
    working = [operator for operator in graph.operators if operator_type(operator.kind).role == "computes"]
    for operator in working:
        for tensor in computed_tensors(graph, operator):
            if tensor.type != "int8":
                same = sum(any(t.type == tensor.type for t in computed_tensors(graph, other)) for other in working)
                raise UnsupportedError(
                    f"{source}: {operator.label} works on {tensor.type} (tensor '{tensor.name}'; {same} of "
                    f"{len(working)} operators do); only int8 activations are supported: {HOW_TO_CONVERT}"
                )


def computed_tensors(graph: Graph, operator: Operator) -> tuple[Tensor, ...]:
    """The tensors of `operator` that are known only at run time."""
    return (*graph.activations(operator), *(graph.tensors[index] for index in operator.outputs))


def _check_weighted(graph: Graph, operator: Operator, source: str) -> None:
    tensors = graph.input_tensors(operator)
    activation = tensors[0] if tensors else None
    weights = tensors[1] if len(tensors) > 1 else None
    if activation is None or weights is None or activation.type == "int8":
        return
    found = f"{operator.label} has {activation.type} activations ('{activation.name}') and {weights.type} weights"
    producer = graph.producer(weights.index)
    if activation.type == "int16":
        text = f"{found}: a model with 16-bit activations (16x8), which is not supported; use 8-bit ones"
    elif activation.type == "uint8":
        text = f"{found}: the uint8 scheme of TensorFlow 1, which is not supported"
    elif weights.type != "float32" or (producer is not None and producer.kind == "DEQUANTIZE"):
        text = f"{found}: a dynamic-range (weights only) quantized model, which is not supported"
    else:
        text = f"{found}: a float model, which is not supported"
    raise UnsupportedError(f"{source}: {text}; {HOW_TO_CONVERT}")
