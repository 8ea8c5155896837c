# SPDX-License-Identifier: Apache-2.0
"""Operators and segments in words, for comments, profiles and the model's own description."""

from __future__ import annotations

from runnel.emit.text import dimensions, short_name
from runnel.graph import Graph, Operator
from runnel.operators.base import Window, operator_type
from runnel.schedule.schedule import Segment, Streaming


def describe(graph: Graph, operator: Operator) -> str:
    """One line for comments: number, kind, window, shapes and the model's own name of the result."""
    output = graph.tensor(operator.outputs[0])
    shapes = ", ".join(dimensions(t.shape) for t in graph.activations(operator))
    return f"{title(graph, operator)}: {shapes} -> {dimensions(output.shape)}  {short_name(output.name)}"


def title(graph: Graph, operator: Operator) -> str:
    """Number, kind and window."""
    kind = operator_type(operator.kind)
    window = kind.window(graph, operator)
    if window is not None and not kind.has_weights and (window.kernel_h, window.kernel_w) == (1, 1):
        window = None  # element by element
    return f"operator {operator.index} {operator.kind}{_window_text(window)}"


def _window_text(window: Window | None) -> str:
    if window is None:
        return ""
    stride = f"{window.stride_h}" if window.stride_h == window.stride_w else f"{window.stride_h}x{window.stride_w}"
    return f" {window.kernel_h}x{window.kernel_w} stride {stride}"


def how(streaming: Streaming) -> str:
    """How a segment streams: "by rows", "by rows in 3 strips", "by rows in 4x4 patches"; what is pulled."""
    words = "by rows"
    if streaming.bands > 1:
        words += f" in {streaming.bands}x{streaming.strips} patches"
    elif streaming.strips > 1:
        words += f" in {streaming.strips} strips"
    return f"{words}, input pulled" if streaming.pulled else words


def describe_segment(graph: Graph, segment: Segment) -> str:
    """One line for comments: the operator, or the operators of a segment that streams."""
    if segment.streaming is None:
        return describe(graph, segment.operators[0])
    first, last = segment.operators[0], segment.operators[-1]
    output = graph.tensor(last.outputs[0])
    source = dimensions(graph.tensor(first.inputs[0]).shape)
    several = f"operators {first.index} to {last.index}" if len(segment.operators) > 1 else f"operator {first.index}"
    words = f"{several} {how(segment.streaming)}"
    return f"{words}: {source} -> {dimensions(output.shape)}  {short_name(output.name)}"


def profile_name(graph: Graph, segment: Segment) -> str:
    """The operator (or first and last) and the result: what a segment is called in a profile."""
    kinds = [operator.kind for operator in segment.operators]
    words = kinds[0] if len(kinds) == 1 else f"{kinds[0]}..{kinds[-1]}"
    return f"{words} {short_name(graph.tensor(segment.operators[-1].outputs[0]).name)}"


def word(segment: Segment) -> str:
    """One word: conv_2d, or conv_2d..add for several operators, then :rows, :rows3 (strips), :rows4x4 (patches)."""
    kinds = [operator.kind.lower() for operator in segment.operators]
    text = kinds[0] if len(kinds) == 1 else f"{kinds[0]}..{kinds[-1]}"
    streaming = segment.streaming
    if streaming is None:
        return text
    if streaming.bands > 1:
        return f"{text}:rows{streaming.bands}x{streaming.strips}"
    return f"{text}:rows{streaming.strips}" if streaming.strips > 1 else f"{text}:rows"
