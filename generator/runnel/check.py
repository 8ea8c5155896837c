# SPDX-License-Identifier: Apache-2.0
"""Says whether a graph is one that Runnel compiles, and if not what was found and what to do.

For the graph after the passes; what can be said right after reading is in full_integer.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from runnel.errors import ModelError, RunnelError, UnsupportedError
from runnel.full_integer import HOW_TO_CONVERT, check_arity, check_full_integer, computed_tensors
from runnel.graph import Graph, Operator, Tensor
from runnel.operators import OperatorType, operator_type

ACTIVATIONS_LIMIT = 2**31 - 1

_EDGE_TYPES = ("int8", "uint8", "float32")
_FUSED = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")

# Sizes and steps of windows: more makes no sense on a microcontroller's images, and 2^31 would overflow later.
_STEPS: Mapping[str, int] = MappingProxyType(
    {
        "stride_h": 1024,
        "stride_w": 1024,
        "dilation_h_factor": 1024,
        "dilation_w_factor": 1024,
        "filter_height": 4096,
        "filter_width": 4096,
    }
)
_TEXT_LENGTH = 600
_CONTRADICTION = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError, MemoryError)


def check_graph(graph: Graph, source: str) -> None:
    """The graph, as it is after the passes, can be compiled: kinds, options, types, shapes, sizes.

    Raises ModelError where the file contradicts itself, UnsupportedError where an operator's constraint is violated;
    the text names the operator, what was found, and what is supported.
    """
    check_arity(graph, source)
    check_full_integer(graph, source)
    for operator in graph.operators:
        with _blaming(operator, source):
            kind = operator_type(operator.kind)
            _check_folded(operator)
            _check_fused(operator)
            _check_steps(operator)
            _check_quantized(graph, operator)
            _check_constraints(graph, operator, kind)
            _check_shapes(graph, operator, kind)
            _check_bias(graph, operator)
    _check_edges(graph, source)
    _check_total(graph, source)


@contextmanager
def _blaming(operator: Operator, source: str) -> Iterator[None]:
    """Puts the file's name before messages; turns what contradictions make code raise into ModelError."""
    try:
        yield
    except RunnelError as error:
        prefix = "" if operator.label in str(error) else f"{operator.label}: "
        raise type(error)(f"{source}: {prefix}{_short(str(error))}") from error
    except _CONTRADICTION as error:
        raise ModelError(
            f"{source}: {operator.label}: its inputs, options and shapes contradict each other "
            f"({type(error).__name__}: {_short(str(error))}); the file is damaged"
        ) from error


def _short(text: str) -> str:
    """Messages may quote long constants."""
    return text if len(text) <= _TEXT_LENGTH else f"{text[: _TEXT_LENGTH // 2]} ... {text[-_TEXT_LENGTH // 2 :]}"


def _check_folded(operator: Operator) -> None:
    if operator_type(operator.kind).role == "folds":
        raise UnsupportedError(
            f"{operator.label} computes a value that depends on the input; it is supported only where its result is "
            "known when compiling (fixed shapes): give the model a fixed input shape before converting it"
        )


def _check_fused(operator: Operator) -> None:
    fused = operator.attributes.get("fused_activation_function", "NONE")
    if fused not in _FUSED:
        raise UnsupportedError(
            f"{operator.label}: fused activation {fused} is not supported; supported are {', '.join(_FUSED)}"
        )


def _check_steps(operator: Operator) -> None:
    for name, most in _STEPS.items():
        value = operator.attributes.get(name, 1)
        if not 1 <= value <= most:
            raise UnsupportedError(f"{operator.label}: {name} is {value}; supported are 1 to {most}")


def _check_quantized(graph: Graph, operator: Operator) -> None:
    if operator_type(operator.kind).role == "renames":
        return
    for tensor in computed_tensors(graph, operator):
        _check_activation(operator, tensor)


def _check_activation(operator: Operator, tensor: Tensor) -> None:
    if tensor.type in ("int8", "uint8"):
        if tensor.quantization is None:
            raise UnsupportedError(f"{operator.label}: '{tensor.name}' ({tensor.type}) has no scale; {HOW_TO_CONVERT}")
        if tensor.quantization.per_channel:
            raise UnsupportedError(
                f"{operator.label}: activation '{tensor.name}' has {len(tensor.quantization.scales)} scales; "
                "only weights may be quantized per channel"
            )
    if len(tensor.shape) == 4 and tensor.shape[0] != 1:
        raise UnsupportedError(
            f"{operator.label}: '{tensor.name}' has shape {list(tensor.shape)}, batch {tensor.shape[0]}; "
            "only batch 1 is supported: convert the model with batch size 1"
        )


def _check_constraints(graph: Graph, operator: Operator, kind: OperatorType) -> None:
    for constraint in kind.constraints:
        found = constraint(graph, operator)
        if found is not None:
            raise UnsupportedError(f"{operator.label}: {found}; supported: {_supported(constraint)}")


def _supported(constraint: Callable[..., str | None]) -> str:
    return " ".join((constraint.__doc__ or "see 'runnel operators'").split()).rstrip(".")


def _check_shapes(graph: Graph, operator: Operator, kind: OperatorType) -> None:
    expected = kind.output_shapes(graph, operator)
    for index, shape in zip(operator.outputs, expected, strict=True):
        tensor = graph.tensors[index]
        if tuple(shape) != tensor.shape:
            raise ModelError(
                f"{operator.label}: its output '{tensor.name}' has shape {list(tensor.shape)} in the file, but its "
                f"inputs and options give {list(shape)}; the file is damaged or was written by a faulty tool"
            )


def _check_bias(graph: Graph, operator: Operator) -> None:
    if not operator_type(operator.kind).has_weights or len(operator.inputs) < 3 or operator.inputs[2] is None:
        return
    bias, channels = graph.tensor(operator.inputs[2]), graph.tensors[operator.outputs[0]].shape[-1]
    if bias.elements != channels:
        raise ModelError(
            f"{operator.label}: bias '{bias.name}' has {bias.elements} values for {channels} output channels; "
            "there must be one for each"
        )


def _check_edges(graph: Graph, source: str) -> None:
    for index in (*graph.inputs, *graph.outputs):
        tensor = graph.tensors[index]
        what = f"{source}: {'input' if index in graph.inputs else 'output'} '{tensor.name}'"
        if tensor.type not in _EDGE_TYPES:
            raise UnsupportedError(f"{what} is {tensor.type}; supported are {', '.join(_EDGE_TYPES)}: {HOW_TO_CONVERT}")
        if tensor.type != "float32" and (tensor.quantization is None or tensor.quantization.per_channel):
            raise UnsupportedError(f"{what} ({tensor.type}) does not have one scale and zero point; {HOW_TO_CONVERT}")
    for index in graph.outputs:
        tensor = graph.tensors[index]
        if tensor.is_constant:
            raise UnsupportedError(f"{source}: output '{tensor.name}' is constant; there is nothing to compute")
        if index in graph.inputs:
            raise UnsupportedError(f"{source}: output '{tensor.name}' is an input; there is nothing to compute")


def _check_total(graph: Graph, source: str) -> None:
    computed = [tensor for tensor in graph.tensors.values() if not tensor.is_constant]
    total = sum(tensor.bytes for tensor in computed)
    if total > ACTIVATIONS_LIMIT:
        largest = max(computed, key=lambda tensor: tensor.bytes)
        raise UnsupportedError(
            f"{source}: the activations add up to {total} bytes; at most {ACTIVATIONS_LIMIT} are supported. "
            f"The largest is '{largest.name}', shape {list(largest.shape)}"
        )
