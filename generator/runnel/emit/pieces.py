# SPDX-License-Identifier: Apache-2.0
"""The pieces of generated C, as text that the templates put together."""

from __future__ import annotations

from dataclasses import dataclass

from runnel.emit.text import signature


@dataclass(frozen=True)
class CArray:
    """A `static const` array in flash."""

    name: str
    type: str
    elements: int
    body: str
    note: str


@dataclass(frozen=True)
class CStruct:
    """A `static const struct`, fields as (name, initializer) pairs."""

    type: str
    name: str
    fields: tuple[tuple[str, str], ...]
    note: str


@dataclass(frozen=True)
class CFunction:
    """A kernel specialised for one shape, or for any shape when `shape` is None.

    parameters: (type, name) of what follows the shape and the layer; a type ends where the name begins.
    sizes: members of the shape that differ between its layers, which hand them over in a struct <name>_sizes.
    """

    name: str
    kernel: str
    layer_struct: str
    function: str
    parameters: tuple[tuple[str, str], ...]
    shape: tuple[tuple[str, str], ...] | None
    sizes: tuple[str, ...]
    note: str

    @property
    def signature(self) -> str:
        """The first lines of its definition, up to the brace."""
        first = []
        if self.shape is None:
            first = [f"const struct runnel_{self.kernel}_shape *shape"]
        elif self.sizes:
            first = [f"const struct {self.name}_sizes *sizes"]
        layer = f"const struct {self.layer_struct} *layer"
        following = (f"{kind}{name}" for kind, name in self.parameters)
        return signature(f"static RUNNEL_NOINLINE void {self.name}", (*first, layer, *following))


@dataclass(frozen=True)
class CTable:
    """Rows or columns of each patch: a struct of integers, and one line of values for each band or strip."""

    type: str
    struct: str
    name: str
    fields: tuple[str, ...]
    lines: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class CRows:
    """The function of a segment that runs by rows. comment: lines of its header. pulled: it takes the caller's function
    and may fail."""

    function: str
    comment: tuple[str, ...]
    tables: tuple[CTable, ...]
    declarations: tuple[str, ...]
    body: tuple[str, ...]
    pulled: bool


@dataclass(frozen=True)
class CSegment:
    """The statements of one segment of the schedule, none where it has nothing to do; `label` names it in a profile.

    rows: the function of a segment that runs by rows, which is then its only statement. results: offset in the arena
    and bytes of each tensor that it leaves.
    """

    step: int
    note: str
    label: str
    moves: tuple[str, ...]
    calls: tuple[str, ...]
    results: tuple[tuple[int, int], ...]
    rows: CRows | None = None


@dataclass(frozen=True)
class Program:
    """Everything between the header comment and the model's description."""

    arrays: tuple[CArray, ...]
    structs: tuple[CStruct, ...]
    functions: tuple[CFunction, ...]
    segments: tuple[CSegment, ...]
    headers: tuple[str, ...]
