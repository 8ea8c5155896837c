# SPDX-License-Identifier: Apache-2.0
"""The pipeline in one place: read -> passes -> schedule -> plan -> emit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from runnel.boards import Board, Memory
from runnel.check import check_graph
from runnel.emit.emitter import emit
from runnel.errors import BudgetError, ModelError, RunnelError
from runnel.graph import Graph
from runnel.operators import Target, operator_type
from runnel.passes import optimise
from runnel.plan.plan import Plan
from runnel.plan.planner import make_plan
from runnel.plan.replay import plan_from_json
from runnel.plan.serialise import PlanFileError, plan_to_json
from runnel.plan.verify import verify
from runnel.report.front import Front, FrontPoint
from runnel.report.html import render_html
from runnel.report.peak import explain_peak
from runnel.resources import resource_root
from runnel.schedule.schedule import Objective
from runnel.schedule.search import Request, find_schedule
from runnel.schedule.search_front import pareto
from runnel.schedule.search_needs import why_not_pulled
from runnel.schedule.search_network import read_network
from runnel.tflite.reader import read_tflite

LARGEST_MODEL_BYTES = 64 * 1024 * 1024

_TRIED_OVERHEADS = (0.1, 0.2)
_TRIED_PASSES = (2, 4)
"""Shares of recomputed MACs and passes over the input that are tried for a plan which does not fit."""

_CYCLES = {"cortex-m7": 1 / 1.4}
_OTHER_CYCLES = 1.2
"""Cycles of one predicted instruction: on the M7 as TinyEngine's published latencies say, on the others as a pipeline
model (llvm-mca) says of a Cortex-M4 in the inner loop of the convolution."""


@dataclass(frozen=True)
class Options:
    """How to compile. sram and flash: budgets in bytes, the board's where None. edges: types of inputs and outputs.

    input: whether the caller writes the whole input before the run or the run asks for its rows, input_passes times at
    most; None: as saved_plan has it, else stored. max_overhead: multiply-accumulates that may be computed a second
    time, as a part of the model's own.
    layers: no streaming, one operator after the other.
    sram_from, flash_from: where a budget came from, for the message that it is too small.
    saved_plan: a plan.json of the same model and board, whose schedule and memory map are used again.
    """

    objective: Objective = "sram"
    sram: int | None = None
    flash: int | None = None
    sram_from: str | None = None
    flash_from: str | None = None
    edges: Literal["int8", "original"] = "int8"
    input: Literal["stored", "pulled"] | None = None
    input_passes: int = 1
    max_overhead: float = 0.0
    layers: bool = False
    saved_plan: Path | None = None


def load_model(path: Path, options: Options | None = None) -> Graph:
    """Reads, rewrites and checks a .tflite file. Raises ModelError."""
    try:
        size = path.stat().st_size
        if size > LARGEST_MODEL_BYTES:
            raise ModelError(f"{path}: {size} bytes; models up to {LARGEST_MODEL_BYTES} bytes are read")
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror or error}") from error
    return load_bytes(data, str(path), options)


def load_bytes(data: bytes, source: str, options: Options | None = None) -> Graph:
    """As `load_model`, for a model in memory; `source` is the name that messages use."""
    edges = (options or Options()).edges
    graph = optimise(read_tflite(data, source), edges)
    check_graph(graph, source)
    return graph


def plan_model(graph: Graph, board: Board, options: Options, name: str) -> Plan:
    """Schedules and places `graph` for `board`, verified. Raises BudgetError where it does not fit."""
    request = schedule_request(graph, board, options)
    if options.saved_plan is not None:
        plan = _replay(options.saved_plan, graph, board, name)
        if request.pulled and not plan.schedule.input_passes:
            raise PlanFileError(f"{options.saved_plan}: this plan stores the input; leave out --input pulled or --plan")
        if options.input == "stored" and plan.schedule.input_passes:
            raise PlanFileError(f"{options.saved_plan}: this plan pulls the input; leave out --input stored or --plan")
    else:
        schedule = find_schedule(graph, request)
        if request.pulled and not schedule.input_passes:
            raise RunnelError(_not_pulled(graph, request, options))
        plan = make_plan(schedule, name, board.name, request.target)
    _check_budget(plan, board, options)  # before verifying, which takes memory by the size of the arena
    verify(plan)
    return plan


def _not_pulled(graph: Graph, request: Request, options: Options) -> str:
    reason = why_not_pulled(read_network(graph, request.target)) or "its first operators cannot run by rows together"
    remedy = "leave the option out for this model"
    if options.edges == "original":
        remedy += ", or use --edges int8"
    return f"{graph.source or graph.name}: --input pulled is not possible: {reason}; {remedy}"


def schedule_request(graph: Graph, board: Board, options: Options) -> Request:
    """What the scheduler is asked for. Raises RunnelError for options that exclude each other."""
    pulled = options.input == "pulled"
    if options.input_passes > 1 and not pulled:
        raise RunnelError(f"--input-passes {options.input_passes} needs --input pulled: a stored input is written once")
    if options.layers and (pulled or options.max_overhead):
        given = " and ".join(["--input pulled"] * pulled + ["--max-overhead"] * bool(options.max_overhead))
        raise RunnelError(f"--layers stores the input and computes nothing twice; leave out --layers, or {given}")
    if pulled and options.objective == "flash":
        raise RunnelError("--objective flash runs layer by layer with the input stored; leave out --input pulled")
    if pulled and (len(graph.inputs) != 1 or len(graph.tensor(graph.inputs[0]).shape) != 4):
        raise RunnelError(
            f"{graph.source or graph.name}: --input pulled needs a model with one image as its input (height, width, "
            "channels); leave it out for this model"
        )
    return Request(
        objective=options.objective,
        sram=board.sram_bytes if options.sram is None else options.sram,
        pulled=pulled,
        input_passes=options.input_passes,
        max_overhead=options.max_overhead,
        layers_only=options.layers,
        target=Target(dsp=board.dsp, mve=board.mve),
    )


def _replay(path: Path, graph: Graph, board: Board, name: str) -> Plan:
    """The schedule and the memory map of a plan.json; verified again. Raises PlanFileError."""
    target = Target(dsp=board.dsp, mve=board.mve)
    try:
        return plan_from_json(path.read_text(encoding="utf-8"), graph, name, board.name, target)
    except PlanFileError as error:
        raise PlanFileError(f"{path}: {error}") from error
    except UnicodeDecodeError as error:
        raise PlanFileError(f"{path}: is no plan file; give a plan.json that `runnel compile` wrote") from error
    except OSError as error:
        raise PlanFileError(f"{path}: cannot be read: {error.strerror or error}") from error


def _check_budget(plan: Plan, board: Board, options: Options) -> None:
    sram = board.sram_bytes if options.sram is None else options.sram
    flash = board.flash_bytes if options.flash is None else options.flash
    if plan.arena_bytes > sram:
        source = _source(board, options.sram, options.sram_from, "--sram", board.sram)
        raise BudgetError(
            f"{plan.name} does not fit: it needs an arena of {plan.arena_bytes:,} bytes of SRAM, "
            f"{plan.arena_bytes - sram:,} more than the {sram:,} bytes {source}. "
            f"{explain_peak(plan, _remedies(plan, board, options, sram))}"
        )
    if plan.constants_bytes > flash:
        source = _source(board, options.flash, options.flash_from, "--flash", board.flash)
        raise BudgetError(
            f"{plan.name} does not fit: its constants take {plan.constants_bytes:,} bytes of flash, "
            f"{plan.constants_bytes - flash:,} more than the {flash:,} bytes {source}. What would help: a model with "
            "fewer weights, or a board with more flash"
        )


def _remedies(plan: Plan, board: Board, options: Options, sram: int) -> list[str]:
    """The mildest other options with which the plan fits into `sram` bytes, or those with which it takes least."""
    graph = plan.schedule.graph
    best, least = "", plan.arena_bytes
    for changed in _other_options(options):
        with suppress(RunnelError):
            request = schedule_request(graph, board, changed)
            schedule = find_schedule(graph, request)
            needed = schedule.predicted_bytes
            if needed is None or needed >= least or (request.pulled and not schedule.input_passes):
                continue
            best, least = _options_text(options, changed), needed
            if least <= sram:
                return [f"{best} ({least:,} bytes, which fit)"]
    if not best:
        return []
    tried = "--input, --max-overhead and --input-passes"
    return [f"nothing that was tried with {tried} fits, the least is {least:,} bytes with {best}"]


def _other_options(options: Options) -> Iterator[Options]:
    """What to try for less SRAM, the mildest change first: rows that are asked for, work done twice, more passes."""
    free = replace(options, objective="sram", layers=False, saved_plan=None)
    small, large = (max(share, options.max_overhead) for share in _TRIED_OVERHEADS)
    few, many = (max(passes, options.input_passes) for passes in _TRIED_PASSES)
    pulled = replace(free, input="pulled")
    yield from (free, pulled)
    if options.input != "pulled":
        yield replace(free, max_overhead=small)
    yield replace(pulled, max_overhead=small)
    yield replace(pulled, max_overhead=small, input_passes=few)
    yield replace(pulled, max_overhead=large, input_passes=many)


def _options_text(options: Options, changed: Options) -> str:
    """`changed` as it is written on the command line, with what has to go from there."""
    words = ["--input pulled"] if changed.input == "pulled" else []
    words += [f"--max-overhead {100 * changed.max_overhead:g}"] if changed.max_overhead else []
    words += [f"--input-passes {changed.input_passes}"] if changed.input_passes > 1 else []
    gone = ["--layers"] if options.layers else []
    gone += ["--plan"] if options.saved_plan is not None else []
    gone += ["--objective flash"] if options.objective == "flash" else []
    left_out = [f"leaving out {' and '.join(gone)}"] if gone else []
    return ", with ".join([*left_out, *([" ".join(words)] if words else [])]) or "--objective sram"


def _source(board: Board, budget: int | None, source: str | None, option: str, memory: Memory) -> str:
    """Where a budget came from, to stand behind its bytes."""
    if budget is None:
        return f"that {board.name} has in one piece ({memory.name} at 0x{memory.address:08x})"
    return f"that the limit allows ({source})" if source else f"that {option} allows"


def write_sources(
    plan: Plan, folder: Path, selftest_crc: int | None = None, arena_section: str | None = None
) -> tuple[str, ...]:
    """Writes C sources, headers, plan.json and report.html into `folder`; returns their names.

    arena_section: the linker section that the arena goes to, .bss where None.
    """
    files = dict(emit(plan, resource_root() / "zephyr_module" / "include", selftest_crc, arena_section))
    files["plan.json"] = plan_to_json(plan)
    files["report.html"] = render_html(plan, None)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tuple(files)


def plan_front(graph: Graph, board: Board, options: Options, name: str) -> Front:
    """All schedules of which none beats another in SRAM and in work at once, within the options' limits."""
    request = schedule_request(graph, board, options)
    nominal = sum(operator_type(operator.kind).macs(graph, operator) for operator in graph.operators)
    per_instruction = _CYCLES.get(board.core, _OTHER_CYCLES)
    points = tuple(
        FrontPoint(
            sram=found.predicted_bytes,
            macs=round(nominal * (1 + found.overhead)),
            overhead=found.overhead,
            cycles=round(found.cycles * per_instruction),
            segments=len(found.schedule.segments),
            input_passes=found.schedule.input_passes,
        )
        for found in pareto(graph, request)
    )
    return Front(name, board.name, points)
