# SPDX-License-Identifier: Apache-2.0
"""The inputs and outputs of a model as its C API shows them."""

from __future__ import annotations

from dataclasses import dataclass

from runnel.emit.text import c_type, comment, dimensions, float_literal, short_name, string
from runnel.graph import Tensor
from runnel.plan.plan import Plan
from runnel.schedule.areas import plane

_ENUMS = {"int8": "RUNNEL_INT8", "uint8": "RUNNEL_UINT8", "int32": "RUNNEL_INT32", "float32": "RUNNEL_FLOAT32"}


@dataclass(frozen=True)
class Edge:
    """One input or output: its access function, C type, place in the arena and description (all C text).

    offset: None for an input that is pulled row by row. height, width, pixel: rows, pixels of a row, elements of a
    pixel, as the caller of <model>_run_rows() is asked for them.
    """

    function: str
    type: str
    enum: str
    fill: str
    offset: int | None
    elements: int
    bytes: int
    label: str
    rank: int
    dimensions: str
    scale: str
    zero_point: int
    comment: str
    height: int
    width: int
    pixel: int


def input_edges(plan: Plan) -> tuple[Edge, ...]:
    step = None if plan.schedule.input_passes else -1
    return _edges(plan, plan.schedule.graph.inputs, "input", step)


def output_edges(plan: Plan) -> tuple[Edge, ...]:
    return _edges(plan, plan.schedule.graph.outputs, "output", len(plan.segments))


def _edges(plan: Plan, tensors: tuple[int, ...], word: str, step: int | None) -> tuple[Edge, ...]:
    suffixes = [""] if len(tensors) == 1 else [f"_{i}" for i in range(len(tensors))]
    graph = plan.schedule.graph
    return tuple(
        _edge(plan, graph.tensor(index), f"{plan.name}_{word}{suffix}", step)
        for index, suffix in zip(tensors, suffixes, strict=True)
    )


def _edge(plan: Plan, tensor: Tensor, function: str, step: int | None) -> Edge:
    """step: when the caller reads or writes it, None for an input that is pulled."""
    quantization = tensor.quantization
    scale = quantization.scale if quantization else 0.0
    zero_point = quantization.zero_point if quantization else 0
    height, width = plane(plan.schedule.graph, tensor.index)
    meaning = f", real = {scale:g} * {_centred(zero_point)}" if quantization else ""
    return Edge(
        function=function,
        type=c_type(tensor.type),
        enum=_ENUMS[tensor.type],
        fill=tensor.type,
        offset=None if step is None else plan.placed(tensor.index, step).offset,
        elements=tensor.elements,
        bytes=tensor.bytes,
        label=string(tensor.name),
        rank=len(tensor.shape),
        dimensions=", ".join(map(str, tensor.shape)) or "0",
        scale=float_literal(scale),
        zero_point=zero_point,
        comment=comment(f"{dimensions(tensor.shape)} {c_type(tensor.type)} ({short_name(tensor.name)}){meaning}"),
        height=height,
        width=width,
        pixel=tensor.elements // (height * width),
    )


def _centred(zero_point: int) -> str:
    if zero_point == 0:
        return "value"
    return f"(value - {zero_point})" if zero_point > 0 else f"(value + {-zero_point})"
