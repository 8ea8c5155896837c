# SPDX-License-Identifier: Apache-2.0
"""The independent verifier: does every byte that a kernel reads still hold what it should?

It believes neither the lifetimes nor the `shares` of the buffers, nor the sizes of rings. It runs the plan on an arena
of owner numbers: what is written takes its bytes over, what is read must still own all of its bytes. Only the offsets,
the graph and the kernel calls count. Lifetimes are then compared with what was seen, because the lower bound stands on
them. Segments that stream are run row by row (plan/verify_rows.py).
"""

from __future__ import annotations

from itertools import pairwise

from runnel.graph import Operator, Tensor
from runnel.operators.base import KernelCall
from runnel.plan.plan import Plan, PlannedSegment
from runnel.plan.verify_arena import SCRATCH, PlanError, run_of
from runnel.plan.verify_rows import run_rows
from runnel.plan.verify_run import Run, activations, check_moves, pieces_of
from runnel.schedule.rows import ALIGNMENT

__all__ = ["PlanError", "verify"]


def verify(plan: Plan) -> None:
    """Raises PlanError when running the plan would read a byte that something else has overwritten.

    Also for offsets off the alignment or outside the arena, for operators left out, and for lifetimes that do not
    cover every use of a buffer.
    """
    _check_layout(plan)
    _check_operators(plan)
    check_moves(plan)
    run = Run(plan)
    run.fill_inputs()
    for step, segment in enumerate(plan.segments):
        run.step = step
        run.make_moves()
        if segment.rows is not None:
            run_rows(run, segment)
        else:
            _run_segment(run, segment)
    run.step = len(plan.segments)
    for tensor in activations(plan.schedule.graph, plan.schedule.graph.outputs):
        run.read(tensor, "the caller, after the run,")


def _check_layout(plan: Plan) -> None:
    """Alignment, bounds and sizes; every tensor is in one buffer at a time."""
    layout, graph = plan.layout, plan.schedule.graph
    names: set[str] = set()
    for placed in layout.buffers:
        buffer = placed.buffer
        if buffer.name in names:
            raise PlanError(f"two buffers are called {buffer.name}")
        names.add(buffer.name)
        if placed.offset % ALIGNMENT:
            raise PlanError(f"buffer {buffer.name} starts at {placed.offset}, not a multiple of {ALIGNMENT}")
        if placed.offset < 0 or placed.end > layout.arena_bytes:
            raise PlanError(
                f"buffer {buffer.name} lies at {placed.offset} to {placed.end}, outside the arena of "
                f"{layout.arena_bytes} bytes"
            )
        for number in buffer.tensors:
            if graph.tensor(number).bytes > buffer.bytes:
                raise PlanError(f"buffer {buffer.name} is smaller than its tensor {number}")
    for number, pieces in pieces_of(plan).items():
        for one, other in pairwise(pieces):
            if other.buffer.first <= one.buffer.last:
                raise PlanError(f"tensor {number} is in two buffers: {one.buffer.name} and {other.buffer.name}")
    if layout.arena_bytes > sum(placed.buffer.aligned_bytes for placed in layout.buffers):
        raise PlanError(f"the arena of {layout.arena_bytes} bytes is larger than all its buffers together")
    if layout.lower_bound_bytes > layout.arena_bytes:
        raise PlanError(f"the lower bound {layout.lower_bound_bytes} is above the arena of {layout.arena_bytes} bytes")


def _check_operators(plan: Plan) -> None:
    """Every operator of the graph is run exactly once, in the segments of the schedule."""
    wanted = sorted(id(operator) for operator in plan.schedule.graph.operators)
    planned = sorted(id(operator) for planned in plan.segments for operator in planned.segment.operators)
    scheduled = sorted(id(operator) for segment in plan.schedule.segments for operator in segment.operators)
    if not wanted == planned == scheduled:
        raise PlanError("the segments do not run every operator of the graph exactly once")
    for segment in plan.segments:
        if (segment.rows is None) != (segment.segment.streaming is None):
            raise PlanError(f"segment {segment.segment.name} streams in the schedule or in the plan, not in both")


# --- segments on whole tensors --------------------------------------------------------------------------------------


def _run_segment(run: Run, planned: PlannedSegment) -> None:
    left = list(planned.calls)
    for operator in planned.segment.operators:
        calls = [call for call in left if call.output in operator.outputs]
        left = [call for call in left if call.output not in operator.outputs]
        for call in calls:
            _run_call(run, operator, call, planned.scratch)
        for output in activations(run.graph, operator.outputs):
            if not any(call.output == output.index for call in calls):
                _alias(run, operator, output)
            run.read(output, f"{operator.label}, after its calls,")
    if left:
        raise PlanError(f"segment {planned.segment.name} writes tensor {left[0].output}, not one of its own")


def _run_call(run: Run, operator: Operator, call: KernelCall, scratch: str | None) -> None:
    """One kernel: reads its inputs, uses scratch, writes its output.

    A call may write only a part of the output (CONCATENATION): then all of it is taken, which is stricter.
    """
    inputs = [run.graph.tensor(number) for number in call.inputs]
    output = run.graph.tensor(call.output)
    here = run.place(output, operator.label)
    for position, tensor in enumerate(inputs):
        if tensor.is_constant:
            continue
        run.read(tensor, operator.label)
        there = run.place(tensor, operator.label)
        in_place = position in call.in_place and there.offset == here.offset
        apart = there.offset + tensor.bytes <= here.offset or here.end <= there.offset
        if tensor.index != output.index and not apart and not in_place:
            raise PlanError(f"{operator.label} writes tensor {output.index} over its input {tensor.index}")
    if call.scratch_bytes:
        _use_scratch(run, operator, call, scratch)
    run.write(output)


def _use_scratch(run: Run, operator: Operator, call: KernelCall, name: str | None) -> None:
    if name is None:
        raise PlanError(f"{operator.label} needs {call.scratch_bytes} bytes of scratch and has not got them")
    scratch = run.inner(name, call.scratch_bytes, operator.label)
    for number in (*call.inputs, call.output):
        tensor = run.graph.tensor(number)
        if tensor.is_constant:
            continue
        placed = run.place(tensor, operator.label)
        if scratch.offset < placed.offset + tensor.bytes and placed.offset < scratch.end:
            raise PlanError(f"scratch of {operator.label} lies over its tensor {number}")
    run.arena.write(run_of(scratch.offset, call.scratch_bytes), SCRATCH, scratch, operator.label)


def _alias(run: Run, operator: Operator, output: Tensor) -> None:
    """An operator without calls: its output is an input under another name, in the same bytes."""
    here = run.place(output, operator.label)
    for tensor in activations(run.graph, operator.inputs):
        if tensor.bytes == output.bytes and run.place(tensor, operator.label).offset == here.offset:
            run.read(tensor, operator.label)
            run.value[output.index] = run.value[tensor.index]
            return
    raise PlanError(f"no call of {operator.label} writes its output {output.index}")
