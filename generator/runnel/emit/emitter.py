# SPDX-License-Identifier: Apache-2.0
"""Plan -> C files. Equal plans give equal bytes: no dates, no paths."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import runnel
from runnel.emit.describe import describe_segment, title, word
from runnel.emit.edges import input_edges, output_edges
from runnel.emit.environment import c_environment
from runnel.emit.pieces import Program
from runnel.emit.program import build_program
from runnel.emit.text import comment, float_literal, short_name, string, string_of_words
from runnel.plan.plan import Buffer, Plan

API_VERSION = 2
_COLOUR_ORDERS = ("rgb", "bgr", "grey")
_INCLUDE = re.compile(r'#include "(runnel/[^"]+)"')


def emit(
    plan: Plan, include_folder: Path, selftest_crc: int | None = None, arena_section: str | None = None
) -> Mapping[str, str]:
    """File name -> text: the model's four files and the library headers that they include.

    include_folder: where `runnel/runnel.h` lies. selftest_crc: what `runnel.reference.selftest_crc` gives.
    arena_section: the linker section that the arena goes to; a valid name.
    """
    environment = c_environment()
    program = build_program(plan)
    context = {**_context(plan, program, selftest_crc), "arena_section": arena_section}
    files = {
        f"{plan.name}{suffix}": environment.get_template(template).render(context)
        for suffix, template in (
            (".h", "model.h.j2"),
            (".c", "model.c.j2"),
            ("_constants.h", "constants.h.j2"),
            ("_arena.c", "arena.c.j2"),
        )
    }
    wanted = [f"runnel/{header}.h" for header in ("runnel", "kernels/common", "profile", "selftest")]
    wanted += program.headers
    return {**files, **_library(include_folder, wanted)}


def _library(include_folder: Path, wanted: Sequence[str]) -> dict[str, str]:
    """The wanted headers and all that they include."""
    found: dict[str, str] = {}
    queue = list(wanted)
    while queue:
        name = queue.pop()
        if name not in found:
            found[name] = (include_folder / name).read_text(encoding="utf-8")
            queue.extend(_INCLUDE.findall(found[name]))
    return dict(sorted(found.items()))


def _context(plan: Plan, program: Program, selftest_crc: int | None) -> dict[str, object]:
    graph = plan.schedule.graph
    metadata = graph.metadata
    inputs, outputs = input_edges(plan), output_edges(plan)
    return {
        "plan": plan,
        "program": program,
        "name": plan.name,
        "title": comment(_title(plan)),
        "version": runnel.__version__,
        "api_version": API_VERSION,
        "inputs": inputs,
        "outputs": outputs,
        "memory_map": _memory_map(plan),
        "schedule": _schedule(plan),
        "labels": tuple(string(str(label)) for label in metadata.get("labels", ())),
        "mean": _four(metadata.get("mean"), 0.0, _channels(plan)),
        "std": _four(metadata.get("std"), 1.0, _channels(plan)),
        "colour_order": string(_colour_order(metadata.get("colour_order", ""))),
        "name_string": string(plan.name),
        "board_string": string(plan.board),
        "schedule_string": string_of_words([word(segment.segment) for segment in plan.segments]),
        "input_passes": plan.schedule.input_passes,
        "pass_restarts": _pass_restarts(plan),
        "pulled": plan.schedule.input_passes > 0,
        "selftest_crc": selftest_crc,
    }


def _title(plan: Plan) -> str:
    description = str(plan.schedule.graph.metadata.get("description", ""))
    return f"{plan.name}: {description}" if description else plan.name


def _channels(plan: Plan) -> int:
    """Of the first input; 1 where it has no dimensions."""
    graph = plan.schedule.graph
    shape = graph.tensor(graph.inputs[0]).shape if graph.inputs else ()
    return shape[-1] if shape else 1


def _colour_order(text: object) -> str:
    """As struct runnel_preprocessing has it; "" for an order that it has no word for."""
    order = str(text).lower()
    return order if order in _COLOUR_ORDERS else ""


def _pass_restarts(plan: Plan) -> str:
    """Where the rows of a further pass over a pulled input begin, in words."""
    bands = (s.streaming.bands for s in plan.schedule.segments if s.streaming is not None and s.streaming.pulled)
    return "goes back up" if max(bands, default=1) > 1 else "restarts at the top"


def _four(values: object, default: float, channels: int) -> str:
    """Values of struct runnel_preprocessing: one for each channel, or a single one that holds for all of them."""
    listed = [float(v) for v in (values if isinstance(values, (list, tuple)) else () if values is None else (values,))]
    listed *= channels if len(listed) == 1 else 1
    return ", ".join(float_literal(v) for v in (listed + [default] * 4)[:4])


def _memory_map(plan: Plan) -> list[str]:
    """One line a buffer, by address."""
    lines = [f"{'from':>8} {'to':>8} {'bytes':>8}  {'steps':>9}  buffer"]
    for placed in sorted(plan.layout.buffers, key=lambda p: (p.offset, p.buffer.first)):
        buffer = placed.buffer
        steps = f"{buffer.first}..{buffer.last}"
        lines.append(
            f"{placed.offset:8} {placed.offset + buffer.bytes:8} {buffer.bytes:8}  {steps:>9}  {_holds(plan, buffer)}"
        )
    return lines


def _holds(plan: Plan, buffer: Buffer) -> str:
    """The tensors, the store of a segment that runs by rows, or scratch."""
    if buffer.purpose == "ring":
        return f"{buffer.name} ({buffer.layout})"
    return ", ".join(short_name(plan.schedule.graph.tensor(t).name) for t in buffer.tensors) or "scratch"


def _schedule(plan: Plan) -> list[str]:
    """One line a segment, and one for each operator of a segment that streams."""
    graph = plan.schedule.graph
    lines = []
    for step, planned in enumerate(plan.segments):
        lines.append(f"{step:3}: {describe_segment(graph, planned.segment)}")
        if planned.rows is not None:
            lines += [f"       {title(graph, operator)}" for operator in planned.segment.operators]
    return lines
