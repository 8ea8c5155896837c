# SPDX-License-Identifier: Apache-2.0
"""The part of the harness that knows the model: a C file written for each build."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass

from runnel.errors import BuildError

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_EDGE_TYPES = ("int8_t", "uint8_t", "int16_t", "int32_t", "float")


@dataclass(frozen=True)
class EdgeBuffer:
    """An input or output of the generated API: `c_type *function(void)`, `bytes` long."""

    function: str
    c_type: str
    bytes: int

    def __post_init__(self) -> None:
        if self.c_type not in _EDGE_TYPES:
            raise BuildError(f"{self.function}: an edge of type {self.c_type!r}; known: {', '.join(_EDGE_TYPES)}")
        if _IDENTIFIER.fullmatch(self.function) is None or self.bytes <= 0:
            raise BuildError(f"{self.function!r} with {self.bytes} bytes is not an edge of a model")


@dataclass(frozen=True)
class InputRows:
    """The input of a model that asks for rows of it (`<name>_run_rows()`): rows, bytes of a row and of a pixel."""

    height: int
    row_bytes: int
    pixel_bytes: int

    def __post_init__(self) -> None:
        if self.height <= 0 or self.pixel_bytes <= 0 or self.row_bytes <= 0 or self.row_bytes % self.pixel_bytes:
            raise BuildError(f"{self.height} rows of {self.row_bytes} bytes are no input of a model")

    @property
    def bytes(self) -> int:
        return self.height * self.row_bytes


@dataclass(frozen=True)
class HarnessModel:
    """What the harness must know of a generated model. `selftest`: also call `<name>_selftest()` at the end.

    A record is the bytes of all inputs, or outputs, one behind the other. rows: the input is given row by row, from
    a record in the harness's own memory; there are no `inputs` then.
    """

    name: str
    inputs: tuple[EdgeBuffer, ...]
    outputs: tuple[EdgeBuffer, ...]
    selftest: bool = False
    rows: InputRows | None = None

    def __post_init__(self) -> None:
        if _IDENTIFIER.fullmatch(self.name) is None:
            raise BuildError(f"model name {self.name!r} is not a C identifier")
        if bool(self.inputs) == (self.rows is not None) or not self.outputs:
            raise BuildError(f"model {self.name}: the harness needs at least one input and one output")

    @property
    def input_bytes(self) -> int:
        """Bytes of one input record."""
        return self.rows.bytes if self.rows is not None else sum(edge.bytes for edge in self.inputs)

    @property
    def output_bytes(self) -> int:
        """Bytes of one output record."""
        return sum(edge.bytes for edge in self.outputs)

    def split_outputs(self, record: bytes) -> tuple[bytes, ...]:
        """The outputs in one output record, in the model's order."""
        parts = []
        start = 0
        for edge in self.outputs:
            parts.append(record[start : start + edge.bytes])
            start += edge.bytes
        return tuple(parts)


def _accessor(edge: EdgeBuffer, name: str, qualifier: str) -> str:
    # The typed local makes the compiler check that the header agrees with what we were told.
    return (
        f"static {qualifier}uint8_t *{name}(void)\n"
        "{\n"
        f"\t{qualifier}{edge.c_type} *pointer = {edge.function}();\n"
        f"\treturn ({qualifier}uint8_t *)pointer;\n"
        "}\n"
    )


def _edges(edges: tuple[EdgeBuffer, ...], kind: str, qualifier: str) -> str:
    accessors = "\n".join(_accessor(edge, f"{kind}_{i}", qualifier) for i, edge in enumerate(edges))
    rows = "".join(f"\t{{{kind}_{i}, {edge.bytes}u}},\n" for i, edge in enumerate(edges))
    return f"{accessors}\nstatic const struct harness_{kind} {kind}s[] = {{\n{rows}}};\n"


_ROWS = """/* The input of one run, which the model asks for row by row. */
static uint8_t record[{bytes}];

static uint8_t *input_0(void)
{{
	return record;
}}

static const struct harness_input inputs[] = {{
	{{input_0, {bytes}u}},
}};

static int read_row(void *context, int32_t y, int32_t x, int32_t columns, void *destination)
{{
	(void)context;
	if (y < 0 || y >= {height} || x < 0 || columns < 0 || x + columns > {columns}) {{
		return HARNESS_NO_SUCH_ROW;
	}}
	harness_copy(destination, record + y * {row_bytes} + x * {pixel_bytes}, (uint32_t)(columns * {pixel_bytes}));
	return 0;
}}

static int run(void)
{{
	return {name}_run_rows(read_row, NULL);
}}
"""


def _inputs(model: HarnessModel) -> str:
    rows = model.rows
    if rows is None:
        return _edges(model.inputs, "input", "")
    columns = rows.row_bytes // rows.pixel_bytes
    return _ROWS.format(name=model.name, columns=columns, bytes=rows.bytes, **asdict(rows))


def harness_model_source(model: HarnessModel, guard_bytes: int) -> str:
    """harness_model.c for `model`, its arena between `guard_bytes` bytes of guard on each side (0: none)."""
    arena = f"{model.name}_arena_guarded"
    guard = f"extern uint8_t {arena}[];\nextern const uint32_t {arena}_bytes;\n\n" if guard_bytes else ""
    return f"""/* SPDX-License-Identifier: Apache-2.0 */
/* Written by runnel/build/harness.py for the model {model.name}. */
#include "harness.h"

#include <stddef.h>

#include "{model.name}.h"

{guard}{_inputs(model)}
{_edges(model.outputs, "output", "const ")}
const struct harness_model harness_model = {{
	.name = "{model.name}",
	.inputs = inputs,
	.outputs = outputs,
	.input_count = {len(model.inputs) or 1}u,
	.output_count = {len(model.outputs)}u,
	.run = {f"{model.name}_run" if model.rows is None else "run"},
	.selftest = {f"{model.name}_selftest" if model.selftest else "NULL"},
	.guarded = {arena if guard_bytes else "NULL"},
	.guarded_bytes = {f"&{arena}_bytes" if guard_bytes else "NULL"},
	.guard_bytes = {guard_bytes}u,
}};
"""
