# SPDX-License-Identifier: Apache-2.0
"""Base of operators that map each 8-bit value to another one: a table of 256 bytes computed at compile time."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from runnel.graph import Graph, Operator
from runnel.operators.base import (
    Constant,
    Constraint,
    Footprint,
    KernelCall,
    OperatorType,
    RowForm,
    RowLayout,
    Target,
    Window,
)
from runnel.operators.checks import input_at, inputs_and_outputs, output_of, per_tensor_quantization, types
from runnel.operators.quantize_math import TYPE_RANGES
from runnel.operators.row_kernels import ONE_PIXEL, maps_to_map, output_steps

KERNELS = {
    ("int8", "int8"): "lookup",
    ("uint8", "int8"): "lookup_uint8_int8",
    ("int8", "uint8"): "lookup_int8_uint8",
}
"""The kernel for each pair of input and output types."""

SINGLE_ELEMENT = ONE_PIXEL
"""The window of operators that work element by element."""


def tabulate(function: Callable[[int], int], source: str, target: str) -> npt.NDArray[np.uint8 | np.int8]:
    """function(value) for all values of 8-bit type `source`, clamped to `target`; the value's bits are the index."""
    low, high = TYPE_RANGES[target]
    values: Iterable[int] = (int(v) for v in np.arange(256, dtype=np.uint8).astype(source))
    return np.array([min(max(function(value), low), high) for value in values], dtype=target)


class LookupOperator(OperatorType):
    """An elementwise operator of one 8-bit input. Subclasses say what one value becomes."""

    constraints: ClassVar[tuple[Constraint, ...]] = (
        inputs_and_outputs(1),
        types(0, "int8"),
        types("output", "int8"),
        per_tensor_quantization,
    )

    @abstractmethod
    def table(self, graph: Graph, operator: Operator) -> npt.NDArray[np.uint8 | np.int8]:
        """256 output values, indexed by the bits of the input value."""

    def output_shapes(self, graph: Graph, operator: Operator) -> tuple[tuple[int, ...], ...]:
        return (input_at(graph, operator, 0).shape,)

    def window(self, graph: Graph, operator: Operator) -> Window | None:
        return SINGLE_ELEMENT

    def reference(
        self, graph: Graph, operator: Operator, inputs: tuple[npt.NDArray[Any] | None, ...]
    ) -> tuple[npt.NDArray[Any], ...]:
        (data,) = inputs
        assert data is not None
        return (self.table(graph, operator)[data.view(np.uint8)],)

    def footprint(self, graph: Graph, operator: Operator, target: Target) -> Footprint:
        return Footprint(in_place=(0,))

    def row_form(self, graph: Graph, operator: Operator) -> RowForm | None:
        return RowForm("pixels", ONE_PIXEL, writes_planes=True) if maps_to_map(graph, operator) else None

    def lower_rows(self, graph: Graph, operator: Operator, target: Target, layout: RowLayout) -> tuple[KernelCall, ...]:
        source, result = input_at(graph, operator, 0), output_of(graph, operator)
        call = KernelCall(
            kernel="lookup_pixels",
            shape={"channels": source.shape[-1], **output_steps(layout)},
            layer={},
            constants=(Constant("table", self.table(graph, operator)),),
            inputs=(source.index,),
            output=result.index,
            layer_type="runnel_lookup_layer",
            form="pixels",
            file="lookup",
        )
        return (call,)

    def lower(self, graph: Graph, operator: Operator, target: Target) -> tuple[KernelCall, ...]:
        source, result = input_at(graph, operator, 0), output_of(graph, operator)
        call = KernelCall(
            kernel=KERNELS[source.type, result.type],
            shape={"elements": source.elements},
            layer={},
            constants=(Constant("table", self.table(graph, operator)),),
            inputs=(source.index,),
            output=result.index,
            in_place=self.footprint(graph, operator, target).in_place,
        )
        return (call,)
