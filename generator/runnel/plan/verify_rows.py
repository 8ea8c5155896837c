# SPDX-License-Identifier: Apache-2.0
"""The verifier's run of a segment that streams: which step makes which row when, and what it needs, from the graph.

Which rows and columns a row of the output needs is worked out here once more, from the operators' windows. Of the
plan's geometry only what the generated code takes from it is used: where stores lie, how their rows are laid out and
which part of its output each step makes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from runnel.graph import Graph
from runnel.operators import operator_type
from runnel.operators.base import KernelCall, Window
from runnel.plan.plan import PlannedSegment
from runnel.plan.verify_arena import PlanError
from runnel.plan.verify_run import Run
from runnel.plan.verify_steps import RowMaker
from runnel.schedule.rows import SegmentRows, Step

_COPY = Window(1, 1, 1, 1, 1, 1, 0, 0)


@dataclass(frozen=True)
class Reach:
    """What a step reads of its inputs, from the graph.

    sources: input row (column) of each output row (column) where that is no affine function.
    whole: numbers of the inputs that are one pixel for all rows.
    """

    window: Window
    source_rows: Sequence[int] = ()
    source_columns: Sequence[int] = ()
    whole: frozenset[int] = frozenset()

    def rows(self, row: int, height: int) -> list[int]:
        """Input rows that an output row reads, in the order of the window, also those outside the image."""
        del height
        if self.source_rows:
            return [self.source_rows[row]]
        w = self.window
        return [row * w.stride_h - w.pad_top + tap * w.dilation_h for tap in range(w.kernel_h)]

    def columns(self, first: int, end: int, width: int) -> tuple[int, int]:
        """First and end of the real input columns that output columns first..end read."""
        if self.source_columns:
            taken = self.source_columns[first:end]
            return min(taken), max(taken) + 1
        w = self.window
        low = first * w.stride_w - w.pad_left
        high = (end - 1) * w.stride_w - w.pad_left + (w.kernel_w - 1) * w.dilation_w + 1
        return max(0, low), min(width, high)


def run_rows(run: Run, planned: PlannedSegment) -> None:
    """Runs all patches. Raises PlanError where a byte that is read is not what it should be."""
    rows = planned.rows
    assert rows is not None
    _check_steps(planned, rows)
    for tensor in planned.segment.inputs:
        run.read(run.graph.tensor(tensor), f"segment {planned.segment.name}")
    for tensor in planned.segment.outputs:
        run.value[tensor] = run.block(tensor)
    reaches = [_reach(run.graph, step) for step in rows.steps]
    maker = RowMaker(run, planned, rows)
    maker.clear_sums()
    pooled = {place: np.zeros(_plane(run.graph, step.inputs[0].tensor), np.int32) for place, step in _sums(rows)}
    for patch in range(rows.patches):
        maker.begin(patch, reaches)
        for place, row in _turns(run.graph, rows, reaches, patch):
            maker.make(place, row, reaches[place])
            if place in pooled:
                columns = rows.steps[place].areas[patch].columns
                pooled[place][row, columns.first : columns.end] += 1
    for place, step in _sums(rows):
        _check_pooled(pooled[place], step)
        maker.finish(place)
    for tensor in planned.segment.outputs:
        run.read(run.graph.tensor(tensor), f"segment {planned.segment.name}, at its end,")


def _check_steps(planned: PlannedSegment, rows: SegmentRows) -> None:
    """Every operator is in one step, every step has its calls, and every patch its part of every step."""
    wanted = sorted(id(operator) for operator in planned.segment.operators)
    found = sorted(id(operator) for step in rows.steps for operator in step.operators)
    if wanted != found or rows.segment is not planned.segment:
        raise PlanError(f"the steps of segment {planned.segment.name} are not its operators")
    if len(planned.step_calls) != len(rows.steps) or any(len(s.areas) != rows.patches for s in rows.steps):
        raise PlanError(f"segment {planned.segment.name} lacks calls or patches of its steps")
    for step, calls in zip(rows.steps, planned.step_calls, strict=True):
        if len(calls) != _calls_of(step):
            raise PlanError(f"{name_of(step)} has {len(calls)} calls and needs {_calls_of(step)}")
        for call, operator in zip(calls, step.operators, strict=False):
            _check_call(call, operator.outputs[0], step)


def _calls_of(step: Step) -> int:
    return {"pull": 0, "spread": 1, "sums": 2}.get(step.form, len(step.operators))


def _check_call(call: KernelCall, output: int, step: Step) -> None:
    if call.output != output:
        raise PlanError(f"{name_of(step)} calls a kernel that writes tensor {call.output}, not {output}")


def _sums(rows: SegmentRows) -> list[tuple[int, Step]]:
    return [(place, step) for place, step in enumerate(rows.steps) if step.form == "sums"]


def _check_pooled(counts: npt.NDArray[np.int32], step: Step) -> None:
    if (counts != 1).any():
        row, column = (int(axis[0]) for axis in np.nonzero(counts != 1))
        raise PlanError(f"{name_of(step)} adds pixel {column} of row {row} {counts[row, column]} times")


# --- what reads what ----------------------------------------------------------------------------------------------


def name_of(step: Step) -> str:
    return step.operators[-1].label if step.operators else f"the {step.form} of tensor {step.output.tensor}"


def _plane(graph: Graph, tensor: int) -> tuple[int, int]:
    shape = graph.tensor(tensor).shape
    return (shape[-3], shape[-2]) if len(shape) >= 3 else (1, 1)


def _reach(graph: Graph, step: Step) -> Reach:
    """From the step's (first) operator. Raises PlanError where it cannot run in the step's form."""
    if step.form in ("pull", "spread"):
        return Reach(_COPY)
    operator = step.operators[0]
    if step.form == "sums":
        return Reach(_COPY)
    if step.row_form.source_rows:
        return Reach(_COPY, step.row_form.source_rows, step.row_form.source_columns)
    inputs = [tensor.index for tensor in graph.activations(operator)]
    height_width = _plane(graph, operator.outputs[0])
    whole = frozenset(t for t in inputs if len(inputs) > 1 and _plane(graph, t) != height_width)
    window = operator_type(operator.kind).window(graph, operator)
    if window is None and not whole:
        raise PlanError(f"{operator.label} needs whole tensors and cannot run by rows")
    window = window or _COPY
    if step.form == "pixels" and (window.kernel_h, window.kernel_w, window.pad_top, window.pad_left) != (1, 1, 0, 0):
        raise PlanError(f"{operator.label} reads more than the pixels at its own place")
    return Reach(window, whole=whole)


def _turns(graph: Graph, rows: SegmentRows, reaches: Sequence[Reach], patch: int) -> list[tuple[int, int]]:
    """(step, row) in the order in which the generated loop makes them: the deepest step that can go on does."""
    writer = {step.output.name: place for place, step in enumerate(rows.steps) if step.form != "sums"}
    following = [step.areas[patch].rows.first for step in rows.steps]
    waits: list[list[tuple[int, list[int]]]] = []
    for step, reach in zip(rows.steps, reaches, strict=True):
        end = step.areas[patch].rows.end
        here = [s for s in step.inputs if s.name in writer and s.tensor not in reach.whole]
        heights = [_plane(graph, store.tensor)[0] for store in here]
        needs = [
            [max(0, min(height, max(reach.rows(row, height)) + 1)) for row in range(end)] for height in heights
        ]
        waits.append([(writer[store.name], need) for store, need in zip(here, needs, strict=True)])
    turns: list[tuple[int, int]] = []
    ends = [step.areas[patch].rows.end for step in rows.steps]
    places = range(len(rows.steps) - 1, -1, -1)
    while True:
        for place in places:
            row = following[place]
            if row < ends[place] and all(following[other] >= need[row] for other, need in waits[place]):
                break
        else:
            break
        turns.append((place, row))
        following[place] = row + 1
    for place, step in enumerate(rows.steps):
        if following[place] < ends[place]:
            raise PlanError(f"{name_of(step)} waits for rows that nobody makes")
    return turns
