# SPDX-License-Identifier: Apache-2.0
"""How the commands print: tables on stdout, progress on stderr and only where somebody watches."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click
import numpy.typing as npt
from rich.console import Console
from rich.text import Text

from runnel.boards import Board, Memory
from runnel.figures import run_figures
from runnel.graph import Tensor
from runnel.inference import Inference
from runnel.plan.plan import Plan
from runnel.report.tables import memory_table, schedule_table
from runnel.report.text import input_text, kilobytes, name_text
from runnel.report.view import plan_view

Array = npt.NDArray[Any]

SHOWN_ANSWERS = 20
SHOWN_VALUES = 5

# Piped output is read by tools: no wrapping at 80 columns there.
console = Console(width=None if sys.stdout.isatty() else 200)


def print_json(figures: Mapping[str, Any]) -> None:
    """One object, a line for each key: readable, and the outputs of a run do not fill the screen."""
    lines = (f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in figures.items())
    click.echo("{\n" + ",\n".join(lines) + "\n}")


def plain(text: str) -> str:
    """Text of a model or file, unable to move the cursor or to colour the terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)


@contextmanager
def progress(quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """A spinner while the block runs, when stderr is a terminal; the block calls it with what is being done."""
    if quiet or not sys.stderr.isatty():
        yield lambda doing: None
        return
    with Console(stderr=True).status("starting ...") as status:
        yield lambda doing: status.update(f"{doing} ...")


def print_plan(plan: Plan, board: Board, details: bool) -> None:
    """What the plan needs and what the board has; with `details` also the schedule and the memory map."""
    if details:
        view = plan_view(plan)
        console.print(schedule_table(view))
        console.print(memory_table(view))
    sram, flash = ("", "") if board.is_host else (_share(board.sram), _share(board.flash))
    bound, passes = plan.arena_lower_bound_bytes, plan.schedule.input_passes
    proof = "no layout is smaller" if plan.arena_bytes == bound else f"lower bound {bound:,}"
    if plan.layout.optimal and plan.arena_bytes != bound:
        proof += ", proved the smallest possible"
    predicted = plan.schedule.predicted_bytes
    if predicted is not None:
        same = predicted == plan.arena_bytes
        proof += "; as the scheduler predicted" if same else f"; the scheduler predicted {predicted:,}"
    overhead = f", {plan.macs_overhead:.1%} of the model's own computed again (halos)" if plan.macs_overhead else ""
    console.print(
        two_columns(
            [
                ("model", f"{plan.name} for {board.name}: {board.description}"),
                ("arena", f"{plan.arena_bytes:,} bytes ({kilobytes(plan.arena_bytes)}{sram}); {proof}"),
                ("constants", f"{plan.constants_bytes:,} bytes of flash ({kilobytes(plan.constants_bytes)}{flash})"),
                ("MACs", f"{plan.macs:,}{overhead}"),
                ("segments", _segments_text(plan)),
                ("input_passes", f"{passes} ({input_text(passes)})"),
            ]
        )
    )


def _segments_text(plan: Plan) -> str:
    streamed = [s.segment for s in plan.segments if s.segment.streaming is not None]
    operators = sum(len(s.segment.operators) for s in plan.segments)
    inside = sum(len(segment.operators) for segment in streamed)
    return f"{len(plan.segments)} for {operators} operators; {len(streamed)} stream, with {inside} operators inside"


def _share(memory: Memory) -> str:
    return f" of {kilobytes(memory.bytes)} {memory.name}"


def two_columns(rows: Sequence[tuple[str, str]]) -> Text:
    """Rows with their second parts below each other."""
    width = max(len(name) for name, _ in rows)
    return Text("\n".join(f"{name:<{width}}  {value}" for name, value in rows))


def print_run(inference: Inference, inputs: Sequence[str]) -> None:
    """Answers, figures and the comparison; inputs are their names, in order."""
    graph = inference.plan.schedule.graph
    edges = [graph.tensor(i) for i in graph.outputs]
    width = max(map(len, inputs))
    for name, arrays in zip(inputs[:SHOWN_ANSWERS], inference.outputs, strict=False):
        for array, edge in zip(arrays, edges, strict=True):
            label = f"{name:<{width}}" + (f"  {name_text(edge)}" if len(edges) > 1 else "")
            console.print(f"{label}  {answer_text(array, edge, graph.metadata)}", highlight=False, markup=False)
    if len(inputs) > SHOWN_ANSWERS:
        console.print(f"… and {len(inputs) - SHOWN_ANSWERS} more; --json prints all", highlight=False)
    console.print()
    console.print(measured_text(run_figures(inference)))
    console.print(verdict(inference), highlight=False)


def answer_text(array: Array, edge: Tensor, metadata: Mapping[str, Any]) -> str:
    """The largest values of an output with their labels, as the real numbers they stand for."""
    flat = array.reshape(-1)
    real = flat.astype(float)
    if edge.quantization is not None and edge.type != "float32":
        real = (real - edge.quantization.zero_point) * edge.quantization.scale
    labels = [plain(label) for label in metadata.get("labels", ())]
    if len(labels) != len(flat):
        labels = [f"[{i}]" for i in range(len(flat))]
    best = sorted(range(len(flat)), key=lambda i: (-real[i], i))[:SHOWN_VALUES]
    more = " …" if len(flat) > SHOWN_VALUES else ""
    return "  ".join(f"{labels[i]} {real[i]:.3f}" for i in best) + more


def measured_text(figures: Mapping[str, Any]) -> Text:
    """The figures of run_figures as people read them; what a board does not tell is left out."""
    rows: list[tuple[str, str]] = []
    if figures["sram_bytes"] is not None:
        parts = f"arena {figures['arena_bytes']:,}, stack {figures['stack_bytes']:,}"
        rows.append(("peak SRAM", f"{kilobytes(figures['sram_bytes'])} ({parts} bytes)"))
    else:
        rows.append(("arena", f"{figures['arena_bytes']:,} bytes"))
    if figures["flash_bytes"] is not None:
        parts = f"constants {figures['constants_bytes']:,}, code {figures['code_bytes']:,}"
        rows.append(("flash", f"{kilobytes(figures['flash_bytes'])} ({parts} bytes)"))
    rows.append(("MACs", f"{figures['macs']:,}"))
    if figures["instructions"] is not None:
        per_mac = f" ({figures['instructions'] / figures['macs']:.2f} per MAC)" if figures["macs"] else ""
        rows.append(("executed instructions", f"{figures['instructions']:,}{per_mac}"))
    if figures["cycles"] is not None:
        rows.append(("cycles", f"{figures['cycles']:,} ({figures['milliseconds']:.2f} ms)"))
    return two_columns(rows)


def verdict(inference: Inference) -> str:
    """The line that says whether the output is the oracle's."""
    if inference.mismatches is None:
        return "output not compared (--oracle none)"
    if inference.mismatches == 0:
        return f"output equals {inference.oracle}"
    total = sum(array.nbytes for arrays in inference.outputs for array in arrays)
    return f"OUTPUT DIFFERS from {inference.oracle}: {inference.mismatches} of {total} bytes"
