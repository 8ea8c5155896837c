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


Form = Literal["pixels", "window", "planes", "sums"]
"""How an operator's row kernel takes its input.

pixels: each output pixel from the input pixel at the same place (times the stride), whatever the row: 1x1
convolutions, element-wise operators. window: from several rows of pixels in a ring, borders included: k x k
convolutions, pooling, resize. planes: from a ring of channel planes with margins: depthwise convolutions. sums: one
int32 a channel that rows are added to, then one output pixel: global pooling.
"""


@dataclass(frozen=True)
class RowForm:
    """How an operator runs by rows; it needs shapes only, no weights.

    window: receptive field in the inputs that are not constant. source_rows, source_columns: where an output row or
    column comes from when that is no affine function (RESIZE); `window` is then ignored along both axes.
    writes_planes: the row kernel can write channel planes for a depthwise convolution that follows.
    reads_columns: it can read the int16 columns of a depthwise convolution before it (1x1 convolution, stride 1).
    """

    form: Form
    window: Window
    source_rows: tuple[int, ...] = ()
    source_columns: tuple[int, ...] = ()
    writes_planes: bool = False
    reads_columns: bool = False


@dataclass(frozen=True)
class RowLayout:
    """Where a row kernel finds its input and puts its output. Steps in elements (bytes for int8).

    output_pixel_step, output_channel_step: from one output pixel (channel) to the next.
    plane_width, plane_bytes, ring_rows: of the channel planes that form "planes" reads: bytes from a row to the next
    one of the same channel, from a channel to the next, and rows in the ring.
    columns_out: a depthwise kernel writes int16 columns. columns_in: a 1x1 convolution reads them.
    """

    output_pixel_step: int
    output_channel_step: int
    plane_width: int = 0
    plane_bytes: int = 0
    ring_rows: int = 0
    columns_out: bool = False
    columns_in: bool = False


@dataclass(frozen=True)
class Sweep:
    """How a row kernel serves whole tensors: it is called for each of `rows`, and makes `pixels` output pixels.

    input_height: rows of the input. input_step, output_step: bytes from the input (output) of one call to the next.
    """

    rows: int
    pixels: int
    input_height: int
    input_step: int
    output_step: int


@dataclass(frozen=True)
class Footprint:
    """What an operator on whole tensors needs beside them: known from shapes, without weights.

    scratch_bytes: as in KernelCall. in_place: positions in the operator's inputs whose place the output may take.
    calls: kernel calls it lowers to; with none its output is its input under another name.
    """

    scratch_bytes: int = 0
    in_place: tuple[int, ...] = ()
    calls: int = 1


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
    general: members of shape that the kernel is hardly faster for knowing: calls that differ in nothing else share one
    function too, which takes these at run time.
    layer: integers of this call only (zero points, clamps), fields of the layer struct.
    layer_type: the layer struct, where several kernels share one; `runnel_<kernel>_layer` unless it is given.
    constants: arrays of this call, pointer fields of the layer struct.
    inputs, output: tensor numbers; a constant tensor is passed as a pointer into flash.
    scratch_bytes: arena bytes needed during the call, 4-byte aligned; NULL is passed for 0.
    in_place: positions in `inputs` whose buffer the output may start in (same first byte).
    form: "whole", or how a row kernel is called (docs/streaming.md lists the C signature of each form).
    sweep: given where a row kernel serves whole tensors.
    file: the header's name, where it is not the kernel's.
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
    form: Form | Literal["whole"] = "whole"
    sweep: Sweep | None = None
    file: str = ""
    general: tuple[str, ...] = ()

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
        return f"runnel/kernels/{folder}{self.file or self.kernel}.h"


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

    def footprint(self, graph: Graph, operator: Operator, target: Target) -> Footprint:
        """What `lower` will ask for beside the tensors. Needs no weights: the scheduler asks it thousands of times."""
        return Footprint()

    def row_form(self, graph: Graph, operator: Operator) -> RowForm | None:
        """How the operator runs by rows, or None where it needs whole tensors. Needs no weights."""
        return None

    def row_scratch_bytes(self, graph: Graph, operator: Operator, target: Target, columns_in: bool = False) -> int:
        """Scratch of the row kernel, as in KernelCall; columns_in as in RowLayout. Needs no weights."""
        return 0

    def lower_rows(self, graph: Graph, operator: Operator, target: Target, layout: RowLayout) -> tuple[KernelCall, ...]:
        """The row kernel with its constants: one call, for form "sums" two (adding a row, finishing).

        Raises NotImplementedError where `row_form` is None.
        """
        raise NotImplementedError(f"{self.kind} does not run by rows")

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
