# SPDX-License-Identifier: Apache-2.0
"""The C signature of each form of kernel: what follows shape and layer (docs/streaming.md lists them)."""

from __future__ import annotations

from collections.abc import Sequence

from runnel.operators.base import KernelCall

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
