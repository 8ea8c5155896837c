# SPDX-License-Identifier: Apache-2.0
"""Graph: operators in topological order over tensors. Everything later reads it, nothing changes it.

Shapes are NHWC with batch 1; sizes are in elements unless a name says bytes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy.typing as npt

ELEMENT_BYTES: Mapping[str, int] = MappingProxyType(
    {"int8": 1, "uint8": 1, "bool": 1, "int16": 2, "int32": 4, "float32": 4, "int64": 8}
)


@dataclass(frozen=True)
class Quantization:
    """Affine quantization: real = scale * (quantized - zero_point).

    `scales` are float32 values held as Python floats; one, or one per index along `axis`.
    """

    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int = 0

    @property
    def scale(self) -> float:
        """The only scale of a per-tensor quantization."""
        return self.scales[0]

    @property
    def zero_point(self) -> int:
        """The only zero point of a per-tensor quantization."""
        return self.zero_points[0]

    @property
    def per_channel(self) -> bool:
        return len(self.scales) > 1


@dataclass(frozen=True, eq=False)
class Tensor:
    """A value of the graph: an activation, or a constant when `data` is set.

    `index` is the number of the tensor in the model file (new tensors made by a pass get unused numbers).
    """

    index: int
    name: str
    shape: tuple[int, ...]
    type: str
    quantization: Quantization | None = None
    data: npt.NDArray[Any] | None = None

    @property
    def is_constant(self) -> bool:
        return self.data is not None

    @property
    def elements(self) -> int:
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        return self.elements * ELEMENT_BYTES[self.type]


@dataclass(frozen=True, eq=False)
class Operator:
    """One TFLite operator. `kind` is TFLite's name ("CONV_2D"); `index` its place in the model file.

    `inputs` and `outputs` are tensor numbers; a missing optional input is None.
    `attributes` holds the operator's options under TFLite's own names in snake case
    (for example `stride_h`, `padding`, `fused_activation_function`), enumerations as their upper-case names.
    """

    index: int
    kind: str
    inputs: tuple[int | None, ...]
    outputs: tuple[int, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """How messages name this operator."""
        return f"operator {self.index} ({self.kind})"

    def replace(self, **changes: Any) -> Operator:
        return replace(self, **changes)


@dataclass(frozen=True, eq=False)
class Graph:
    """Operators in topological order; `inputs` and `outputs` are tensor numbers in the model's order.

    `metadata` is what the model says of itself: `labels`, `mean`, `std`, `colour_order`, `description`;
    `source` is the file it was read from, for messages.
    """

    name: str
    tensors: Mapping[int, Tensor]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""

    def tensor(self, index: int | None) -> Tensor:
        if index is None:
            raise KeyError("a missing optional input has no tensor")
        return self.tensors[index]

    def input_tensors(self, operator: Operator) -> tuple[Tensor | None, ...]:
        return tuple(None if i is None else self.tensors[i] for i in operator.inputs)

    def activations(self, operator: Operator) -> tuple[Tensor, ...]:
        """The inputs of `operator` that are computed at run time."""
        return tuple(t for t in self.input_tensors(operator) if t is not None and not t.is_constant)

    def producer(self, tensor: int) -> Operator | None:
        return next((o for o in self.operators if tensor in o.outputs), None)

    def consumers(self, tensor: int) -> tuple[Operator, ...]:
        return tuple(o for o in self.operators if tensor in o.inputs)

    def replace(self, **changes: Any) -> Graph:
        return replace(self, **changes)
