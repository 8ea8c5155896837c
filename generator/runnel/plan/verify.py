# SPDX-License-Identifier: Apache-2.0
"""The independent verifier: does every byte that a kernel reads still hold what it should?

It believes neither the lifetimes nor the `shares` of the buffers. It runs the plan on an arena of owner numbers: what
is written takes its bytes over, what is read must still own all of its bytes. Only the offsets, the graph and the
kernel calls count. Lifetimes are then compared with what was seen, because the lower bound stands on them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from runnel.graph import Graph, Operator, Tensor
from runnel.operators.base import KernelCall
from runnel.plan.plan import ALIGNMENT, PlacedBuffer, Plan, PlannedSegment

_NOBODY = -1
_SCRATCH = -2


class PlanError(RuntimeError):
    """The plan is wrong: a bug in the planner (or a replayed plan that was changed), not a fault of the model."""


def verify(plan: Plan) -> None:
    """Raises PlanError when running the plan would read a byte that something else has overwritten.

    Also for offsets off the alignment or outside the arena, for operators left out, and for lifetimes that do not
    cover every use of a buffer.
    """
    graph = plan.schedule.graph
    places = _check_layout(plan)
    _check_operators(plan)
    run = _Run(graph, places, plan.arena_bytes)
    run.fill_inputs()
    for step, segment in enumerate(plan.segments):
        run.step = step
        run.run_segment(segment, _scratch_of(plan, segment))
    run.step = len(plan.segments)
    for tensor in _activations(graph, graph.outputs):
        run.read(tensor, "the caller, after the run")


def _check_layout(plan: Plan) -> Mapping[int, PlacedBuffer]:
    """Alignment, bounds and sizes; returns the one place of every tensor that is not constant."""
    layout, graph = plan.layout, plan.schedule.graph
    places: dict[int, PlacedBuffer] = {}
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
            if number in places:
                raise PlanError(f"tensor {number} is in two buffers: {places[number].buffer.name} and {buffer.name}")
            if graph.tensor(number).bytes > buffer.bytes:
                raise PlanError(f"buffer {buffer.name} is smaller than its tensor {number}")
            places[number] = placed
    if layout.arena_bytes > sum(placed.buffer.aligned_bytes for placed in layout.buffers):
        raise PlanError(f"the arena of {layout.arena_bytes} bytes is larger than all its buffers together")
    if layout.lower_bound_bytes > layout.arena_bytes:
        raise PlanError(f"the lower bound {layout.lower_bound_bytes} is above the arena of {layout.arena_bytes} bytes")
    return places


def _check_operators(plan: Plan) -> None:
    """Every operator of the graph is run exactly once, in the segments of the schedule."""
    wanted = sorted(id(operator) for operator in plan.schedule.graph.operators)
    planned = sorted(id(operator) for planned in plan.segments for operator in planned.segment.operators)
    scheduled = sorted(id(operator) for segment in plan.schedule.segments for operator in segment.operators)
    if not wanted == planned == scheduled:
        raise PlanError("the segments do not run every operator of the graph exactly once")


def _scratch_of(plan: Plan, segment: PlannedSegment) -> PlacedBuffer | None:
    if segment.scratch is None:
        return None
    for placed in plan.layout.buffers:
        if placed.buffer.name == segment.scratch:
            return placed
    raise PlanError(f"segment {segment.segment.name} names a scratch buffer that is not there: {segment.scratch}")


def _activations(graph: Graph, numbers: tuple[int | None, ...]) -> list[Tensor]:
    tensors = [graph.tensor(number) for number in numbers if number is not None]
    return [tensor for tensor in tensors if not tensor.is_constant]


class _Run:
    """The arena while the plan runs. `owner` holds for each byte whose value it is.

    value: the owner number of each tensor; a reshape's output has its input's, so both stay readable.
    """

    def __init__(self, graph: Graph, places: Mapping[int, PlacedBuffer], arena_bytes: int) -> None:
        self.graph, self.places = graph, places
        self.owner = np.full(arena_bytes, _NOBODY, dtype=np.int32)
        self.value: dict[int, int] = {}
        self.step = -1

    def fill_inputs(self) -> None:
        """The caller fills all inputs, in any order, before the run starts: so all must be there at once."""
        inputs = _activations(self.graph, self.graph.inputs)
        for tensor in inputs:
            self.write(tensor)
        for tensor in inputs:
            self.read(tensor, "the caller, before the run")

    def run_segment(self, planned: PlannedSegment, scratch: PlacedBuffer | None) -> None:
        left = list(planned.calls)
        for operator in planned.segment.operators:
            calls = [call for call in left if call.output in operator.outputs]
            left = [call for call in left if call.output not in operator.outputs]
            for call in calls:
                self.run_call(operator, call, scratch)
            for output in _activations(self.graph, operator.outputs):
                if not any(call.output == output.index for call in calls):
                    self.alias(operator, output)
                self.read(output, f"{operator.label}, after its calls")
        if left:
            raise PlanError(f"segment {planned.segment.name} writes tensor {left[0].output}, not one of its own")

    def run_call(self, operator: Operator, call: KernelCall, scratch: PlacedBuffer | None) -> None:
        """One kernel: reads its inputs, uses scratch, writes its output.

        A call may write only a part of the output (CONCATENATION): then all of it is taken, which is stricter.
        """
        inputs = [self.graph.tensor(number) for number in call.inputs]
        output = self.graph.tensor(call.output)
        here = self.place(output, operator.label)
        for position, tensor in enumerate(inputs):
            if tensor.is_constant:
                continue
            self.read(tensor, operator.label)
            there = self.place(tensor, operator.label)
            in_place = position in call.in_place and there.offset == here.offset
            if tensor.index != output.index and _overlap(_span(there, tensor.bytes), _span(here)) and not in_place:
                raise PlanError(f"{operator.label} writes tensor {output.index} over its input {tensor.index}")
        if call.scratch_bytes:
            self.use_scratch(operator, call, scratch)
        self.write(output)

    def use_scratch(self, operator: Operator, call: KernelCall, scratch: PlacedBuffer | None) -> None:
        if scratch is None or scratch.buffer.bytes < call.scratch_bytes:
            raise PlanError(f"{operator.label} needs {call.scratch_bytes} bytes of scratch and has not got them")
        self.check_lifetime(scratch, operator.label)
        span = (scratch.offset, scratch.offset + call.scratch_bytes)
        for number in (*call.inputs, call.output):
            tensor = self.graph.tensor(number)
            if not tensor.is_constant and _overlap(span, _span(self.place(tensor, operator.label), tensor.bytes)):
                raise PlanError(f"scratch of {operator.label} lies over its tensor {number}")
        self.owner[span[0] : span[1]] = _SCRATCH

    def alias(self, operator: Operator, output: Tensor) -> None:
        """An operator without calls: its output is an input under another name, in the same bytes."""
        here = self.place(output, operator.label)
        for tensor in _activations(self.graph, operator.inputs):
            if tensor.bytes == output.bytes and self.place(tensor, operator.label).offset == here.offset:
                self.read(tensor, operator.label)
                self.value[output.index] = self.value[tensor.index]
                return
        raise PlanError(f"no call of {operator.label} writes its output {output.index}")

    def write(self, tensor: Tensor) -> None:
        """Takes the whole aligned buffer: kernels may store whole words at the end of a row."""
        placed = self.place(tensor, "a write")
        self.check_lifetime(placed, f"tensor {tensor.index}")
        self.value[tensor.index] = tensor.index
        self.owner[placed.offset : placed.end] = tensor.index

    def read(self, tensor: Tensor, reader: str) -> None:
        placed = self.place(tensor, reader)
        self.check_lifetime(placed, reader)
        if tensor.index not in self.value:
            raise PlanError(f"{reader} reads tensor {tensor.index} before it is written")
        held = self.owner[placed.offset : placed.offset + tensor.bytes]
        wrong = np.flatnonzero(held != self.value[tensor.index])
        if wrong.size:
            byte, by = placed.offset + int(wrong[0]), int(held[wrong[0]])
            culprit = {_SCRATCH: "scratch", _NOBODY: "nobody"}.get(by, f"tensor {by}")
            raise PlanError(
                f"{reader} reads tensor {tensor.index} ({placed.buffer.name}) at step {self.step}, but byte {byte} "
                f"of the arena was overwritten by {culprit}"
            )

    def place(self, tensor: Tensor, reader: str) -> PlacedBuffer:
        placed = self.places.get(tensor.index)
        if placed is None:
            raise PlanError(f"tensor {tensor.index} of {reader} has no place in the arena")
        return placed

    def check_lifetime(self, placed: PlacedBuffer, reader: str) -> None:
        buffer = placed.buffer
        if not buffer.first <= self.step <= buffer.last:
            raise PlanError(
                f"buffer {buffer.name} is used at step {self.step} by {reader}, outside its lifetime "
                f"{buffer.first} to {buffer.last}"
            )


def _span(placed: PlacedBuffer, size: int | None = None) -> tuple[int, int]:
    return placed.offset, placed.end if size is None else placed.offset + size


def _overlap(a: tuple[int, int], b: tuple[int, int]) -> bool:
    return a[0] < b[1] and b[0] < a[1]
