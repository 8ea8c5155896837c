# SPDX-License-Identifier: Apache-2.0
"""Runs many models as one firmware and compares every byte with the oracle.

A compiler and an emulator take longer to start than a small model takes to run. So the models of a batch are linked
together behind a `batch_run()` that runs one after the other; the harness sees one model with many edges.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from random_models.builder import with_scale
from runnel.boards import Board, load_board
from runnel.build import BuildOptions, HarnessModel, build_firmware
from runnel.build.from_plan import harness_model
from runnel.compiler import Options, load_bytes, plan_model
from runnel.emit.emitter import emit
from runnel.errors import BuildError, RunError
from runnel.graph import Graph
from runnel.plan.plan import Plan
from runnel.resources import resource_root
from runnel.run import run_firmware
from runnel.run.inputs import random_inputs
from runnel.run.oracle import compare, tflm_oracle
from runnel.tflite.writer import write_tflite

Array = npt.NDArray[Any]

INFERENCES = 8
"""Inputs for each random model: one of each kind that random_inputs makes."""

MakeInputs = Callable[[Graph], list[list[Array]]]


def host(dsp: bool) -> Board:
    """The host; with `dsp` it runs the DSP kernels on C twins of the instructions."""
    return dataclasses.replace(load_board("host"), dsp=dsp)


@dataclass(frozen=True, eq=False)
class Case:
    """A model as a file; `label` says how to make it again. All cases of a batch have as many inputs."""

    label: str
    model: bytes
    options: Options
    make_inputs: MakeInputs | None = None


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a case gave. `problem` is None when all bytes are the oracle's."""

    case: Case
    problem: str | None
    expected: list[list[Array]]
    has_dsp: bool = False


@dataclass(frozen=True, eq=False)
class _Prepared:
    case: Case
    plan: Plan
    inputs: list[list[Array]]
    expected: list[list[Array]]

    @property
    def graph(self) -> Graph:
        return self.plan.schedule.graph


def make_case(label: str, graph: Graph, original_edges: bool = False, small: bool = False) -> Case:
    """`small`: with the objective of least flash, under which kernels get their shapes at run time."""
    options = Options("flash" if small else "sram", edges="original" if original_edges else "int8")
    return Case(label, write_tflite(graph), options)


def run_cases(
    cases: Sequence[Case], board: Board, folder: Path, build: BuildOptions, seed: int = 0, dsp_only: bool = False
) -> list[Outcome]:
    """Compiles, runs and compares all cases; a batch that fails as a whole is run again one by one.

    dsp_only: leave out cases that have no DSP kernel (they are the same C as without DSP).
    """
    prepared = [_prepare(case, board, number, seed) for number, case in enumerate(cases)]
    if dsp_only:
        prepared = [p for p in prepared if _has_dsp(p.plan)]
    if not prepared:
        return []
    try:
        outputs = _run(prepared, board, folder, build)
    except (BuildError, RunError):
        return [_run_alone(p, board, folder / p.plan.name, build) for p in prepared]
    return [_judge(p, o) for p, o in zip(prepared, outputs, strict=True)]


def _has_dsp(plan: Plan) -> bool:
    return any(call.variant == "dsp" for segment in plan.segments for call in segment.calls)


def _prepare(case: Case, board: Board, number: int, seed: int) -> _Prepared:
    graph = load_bytes(case.model, case.label, case.options)
    plan = plan_model(graph, board, case.options, f"m{number}")
    if case.make_inputs is not None:
        inputs = case.make_inputs(graph)
    else:
        inputs = random_inputs([with_scale(graph, i) for i in graph.inputs], INFERENCES, seed + number)
    return _Prepared(case, plan, inputs, tflm_oracle(case.model, graph).run(inputs))


def _run_alone(prepared: _Prepared, board: Board, folder: Path, build: BuildOptions) -> Outcome:
    try:
        return _judge(prepared, _run([prepared], board, folder, build)[0])
    except (BuildError, RunError) as error:
        return Outcome(prepared.case, f"{prepared.plan.name}: {error}", prepared.expected, _has_dsp(prepared.plan))


def _judge(prepared: _Prepared, outputs: list[list[Array]]) -> Outcome:
    mismatches = compare(outputs, prepared.expected)
    problem = None
    if mismatches:
        total = sum(a.nbytes for arrays in outputs for a in arrays)
        problem = f"{mismatches} of {total} bytes differ from TensorFlow Lite Micro"
    return Outcome(prepared.case, problem, prepared.expected, _has_dsp(prepared.plan))


def _run(batch: Sequence[_Prepared], board: Board, folder: Path, build: BuildOptions) -> list[list[list[Array]]]:
    """outputs[model][inference][output]."""
    sources = folder / "sources"
    model = _write_sources(batch, sources)
    firmware = build_firmware(sources, model, board, folder / "firmware", build)
    records = [
        b"".join(array.tobytes() for prepared in batch for array in prepared.inputs[n])
        for n in range(len(batch[0].inputs))
    ]
    result = run_firmware(firmware, records, count_instructions=False)
    outputs: list[list[list[Array]]] = [[] for _ in batch]
    for record in result.outputs:
        parts = iter(model.split_outputs(record))
        for prepared, arrays in zip(batch, outputs, strict=True):
            edges = [prepared.graph.tensor(i) for i in prepared.graph.outputs]
            arrays.append([np.frombuffer(next(parts), edge.type).reshape(edge.shape) for edge in edges])
    return outputs


def _write_sources(batch: Sequence[_Prepared], sources: Path) -> HarnessModel:
    include = resource_root() / "zephyr_module" / "include"
    models = [harness_model(prepared.plan) for prepared in batch]
    files: dict[str, str] = {}
    for prepared in batch:
        files.update(emit(prepared.plan, include))
    arenas = [name for name in files if name.endswith("_arena.c")]
    for name in arenas:  # one file to compile instead of many
        files[name.replace(".c", ".inc")] = files.pop(name)
    files["arenas.c"] = "".join(f'#include "{name.replace(".c", ".inc")}"\n' for name in arenas)
    files["batch.h"] = "".join(f'#include "{m.name}.h"\n' for m in models) + "int batch_run(void);\n"
    files["batch.c"] = _batch_source([(p.plan, m) for p, m in zip(batch, models, strict=True)])
    for name, text in files.items():
        path = sources / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    edges = [edge for m in models for edge in m.inputs], [edge for m in models for edge in m.outputs]
    return HarnessModel("batch", tuple(edges[0]), tuple(edges[1]))


_SPOIL = """
static void spoil(uint8_t *arena, size_t bytes)
{
	uint32_t state = 12345u;

	for (size_t i = 0; i < bytes; i++) {
		state = state * 1664525u + 1013904223u;
		arena[i] = (uint8_t)(state >> 24);
	}
}

"""


def _batch_source(batch: Sequence[tuple[Plan, HarnessModel]]) -> str:
    """batch_run(): each model starts with noise in all of its arena but the inputs, as after another use of it."""
    largest = max(model.input_bytes for _, model in batch)
    parts = ["#include <string.h>\n", '#include "batch.h"\n\n', f"static uint8_t saved[{largest}];\n", _SPOIL]
    parts += [f"extern uint8_t {plan.name}_arena[{plan.arena_bytes}];\n" for plan, _ in batch]
    parts.append("\nint batch_run(void)\n{\n\tint status = 0;\n")
    for plan, model in batch:
        save, restore, offset = "", "", 0
        for edge in model.inputs:
            save += f"\tmemcpy(saved + {offset}, {edge.function}(), {edge.bytes});\n"
            restore += f"\tmemcpy({edge.function}(), saved + {offset}, {edge.bytes});\n"
            offset += edge.bytes
        parts.append(f"\n{save}\tspoil({plan.name}_arena, {plan.arena_bytes});\n")
        parts.append(f"{restore}\tstatus |= {plan.name}_run();\n")
    return "".join(parts) + "\treturn status;\n}\n"
