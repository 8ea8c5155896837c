# SPDX-License-Identifier: Apache-2.0
"""Which kernel calls share a C function, and its signature: what follows shape and layer (see docs/streaming.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from runnel.emit.expressions import offset, times
from runnel.emit.text import indented
from runnel.operators.base import KernelCall, Sweep

_OUTPUT = ("int8_t *", "output")
_PIXELS = ("int32_t ", "pixels")
_SCRATCH = ("void *", "scratch")


def parameters(call: KernelCall, input_types: Sequence[str], output_type: str) -> tuple[tuple[str, str], ...]:
    """(type, name) of each parameter; input_types and output_type are C types of elements."""
    inputs = tuple((f"const {kind} *", f"input_{place}") for place, kind in enumerate(input_types))
    if call.form == "pixels":
        return (*inputs, _PIXELS, _OUTPUT, _SCRATCH)
    if call.form == "window":
        where = (("const struct runnel_rows *", "input"), ("int32_t ", "row"), ("int32_t ", "column"))
        return (*where, _PIXELS, _OUTPUT, _SCRATCH)
    if call.form == "planes":
        return (("const int8_t *", "planes"), ("int32_t ", "rotation"), _PIXELS, ("void *", "output"))
    if call.form == "sums":
        if call.kernel.endswith("_finish"):
            return (("const int32_t *", "sums"), _OUTPUT)
        return (("const int8_t *", "input"), _PIXELS, ("int32_t *", "sums"))
    return (*inputs, (f"{output_type} *", "output"), _SCRATCH)


Sharing = tuple[str, tuple[tuple[str, int], ...]]
"""What calls that share a function have in common: the kernel, and the members of the shape that it is made for."""


def sharing(call: KernelCall) -> Sharing:
    return call.function, tuple((name, value) for name, value in call.shape.items() if name not in call.general)


def differing_members(calls: Iterable[KernelCall]) -> Mapping[Sharing, frozenset[str]]:
    """The members of the shape that are not the same for all calls that share a function."""
    first: dict[Sharing, KernelCall] = {}
    found: dict[Sharing, frozenset[str]] = {}
    for call in calls:
        key = sharing(call)
        other = first.setdefault(key, call)
        found[key] = found.get(key, frozenset()) | {n for n in call.general if call.shape[n] != other.shape[n]}
    return found


def sweep_arguments(sweep: Sweep, form: str, source: str, output: str) -> list[str]:
    """What follows shape and layer in the call of a row kernel on whole tensors; a call for each `row` if several."""
    several = sweep.rows > 1
    to = offset(output, times("row", sweep.output_step)) if several else output
    if form == "window":
        rows = f"&(const struct runnel_rows){{{source}, {sweep.input_height}, {sweep.input_step}, 0}}"
        return [rows, "row" if several else "0", "0", str(sweep.pixels), to]
    return [offset(source, times("row", sweep.input_step)) if several else source, str(sweep.pixels), to]


def sweep_statement(sweep: Sweep, call: str) -> str:
    """The call, in a loop over rows where there are several."""
    if sweep.rows == 1:
        return call
    return "\n".join([f"for (int32_t row = 0; row < {sweep.rows}; row++) {{", *indented([call], 1), "}"])
