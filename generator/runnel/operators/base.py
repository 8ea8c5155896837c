# SPDX-License-Identifier: Apache-2.0
"""What every supported operator states about itself. One file per operator kind implements `OperatorType`.

Adding an operator touches one Python file here and one C file in zephyr_module/include/runnel/kernels.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from runnel.errors import UnsupportedError
from runnel.graph import Graph, Operator

Constraint = Callable[[Graph, Operator], str | None]
"""Returns None when the operator is fine, else what was found. Its docstring says what is supported."""


@dataclass(frozen=True)
class Target:
    """What lowering may use of a core."""

    dsp: bool = False
    mve: bool = False


@dataclass(frozen=True)
class Window:
    """Receptive field of one output element in its input, in elements, and where it lies.

    Output row r reads input rows r * stride_h - pad_top + dilation_h * i for i in 0..kernel_h - 1;
    columns likewise. Rows and columns outside the input read the zero point (or are left out by pooling).
    """

    kernel_h: int
    kernel_w: int
    stride_h: int
    stride_w: int
    dilation_h: int
    dilation_w: int
    pad_top: int
    pad_left: int


@dataclass(frozen=True, eq=False)
class Constant:
    """An array that one kernel call reads from flash; `name` is a field of the kernel's layer struct."""

    name: str
    data: npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class KernelCall:
    """One call of a C kernel: `runnel_<kernel>` (or `runnel_<kernel>_dsp` when `variant` is "dsp").

    The C signature is always
    `(const struct runnel_<kernel>_shape *, const struct runnel_<kernel>_layer *, inputs..., output, void *scratch)`.

    shape: integers known at compile time; calls with equal kernel, variant and shape share one C function.
    layer: integers of this call only (zero points, clamps), fields of the layer struct.
    layer_type: the layer struct, where several kernels share one; `runnel_<kernel>_layer` unless it is given.
    constants: arrays of this call, pointer fields of the layer struct.
    inputs, output: tensor numbers; a constant tensor is passed as a pointer into flash.
    scratch_bytes: arena bytes needed during the call, 4-byte aligned; NULL is passed for 0.
    in_place: positions in `inputs` whose buffer the output may start in (same first byte).
    """

    kernel: str
    shape: Mapping[str, int]
    layer: Mapping[str, int]
    constants: tuple[Constant, ...]
    inputs: tuple[int, ...]
    output: int
    scratch_bytes: int = 0
    in_place: tuple[int, ...] = ()
    variant: Literal["portable", "dsp", "mve"] = "portable"
    layer_type: str = ""

    @property
    def layer_struct(self) -> str:
        return self.layer_type or f"runnel_{self.kernel}_layer"

    @property
    def function(self) -> str:
        suffix = "" if self.variant == "portable" else f"_{self.variant}"
        return f"runnel_{self.kernel}{suffix}"

    @property
    def header(self) -> str:
        folder = "" if self.variant == "portable" else f"{self.variant}/"
        return f"runnel/kernels/{folder}{self.kernel}.h"


MOST_INPUTS = 256
"""Of one operator."""

Role = Literal["computes", "converts", "renames", "folds"]
"""computes: int8 to int8. converts: between types. renames: dimensions of the same bytes, whatever the type.
folds: exists only to be evaluated at compile time."""


class OperatorType(ABC):
    """The knowledge about one kind of TFLite operator. Instances hold no state.

    input_count: fewest and most inputs; those from number `required_inputs` on may be missing (None).
    has_weights: input 1 holds weights, input 2 a bias.

    options_table and options tell the reader and the writer how TFLite stores the operator's options: the name of
    the flatbuffer table ("Conv2DOptions") and, for each attribute in snake case, "int", "float", "bool", "int[]" or
    the name of a TFLite enumeration ("Padding"). An enumeration's value in `Operator.attributes` is its upper-case
    name.
    """

    kind: ClassVar[str]
    summary: ClassVar[str]
    role: ClassVar[Role] = "computes"
    has_weights: ClassVar[bool] = False
    input_count: ClassVar[tuple[int, int]] = (1, MOST_INPUTS)
    required_inputs: ClassVar[int] = MOST_INPUTS
    options_table: ClassVar[str | None] = None
    options: ClassVar[Mapping[str, str]] = {}
    constraints: ClassVar[tuple[Constraint, ...]] = ()

    @abstractmethod
    def output_shapes(self, graph: Graph, operator: Operator) -> tuple[tuple[int, ...], ...]:
        """The shapes that the outputs must have; the checker compares them with the file's."""

    def macs(self, graph: Graph, operator: Operator) -> int:
        """Nominal multiply-accumulates (padded taps counted)."""
        return 0

    def window(self, graph: Graph, operator: Operator) -> Window | None:
        """The receptive field, for operators that work on rows; None for those that need whole tensors."""
        return None

    def reference(
        self, graph: Graph, operator: Operator, inputs: tuple[npt.NDArray[Any] | None, ...]
    ) -> tuple[npt.NDArray[Any], ...]:
        """The outputs as TensorFlow Lite Micro computes them, in numpy, from the operator's definition.

        inputs: one array per input of the operator, constants included, None where an optional one is missing.
        Written apart from the C kernels and from `lower`'s folding, so that the two check each other.
        """
        raise NotImplementedError(f"{self.kind} has no reference")

    @abstractmethod
    def lower(self, graph: Graph, operator: Operator, target: Target) -> tuple[KernelCall, ...]:
        """The kernel calls that compute this operator, with all their constants. An alias lowers to ()."""


@dataclass
class _Registry:
    types: dict[str, OperatorType] = field(default_factory=dict)


_REGISTRY = _Registry()


def register(cls: type[OperatorType]) -> type[OperatorType]:
    """Class decorator: makes the operator known under its kind."""
    _REGISTRY.types[cls.kind] = cls()
    return cls


def known_operators() -> Mapping[str, OperatorType]:
    return _REGISTRY.types


def operator_type(kind: str) -> OperatorType:
    """Raises UnsupportedError for a kind that no file here implements."""
    found = _REGISTRY.types.get(kind)
    if found is None:
        raise UnsupportedError(
            f"operator {kind} is not supported; supported are: {', '.join(sorted(_REGISTRY.types))}. "
            "Run 'runnel operators' for their constraints"
        )
    return found


def int32(values: Any) -> npt.NDArray[np.int32]:
    return np.asarray(values, dtype=np.int64).astype(np.int32)
