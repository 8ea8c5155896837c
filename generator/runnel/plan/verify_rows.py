# SPDX-License-Identifier: Apache-2.0
"""The verifier's run of a segment that streams: which step makes which row when, and what it needs, from the graph.

Which rows and columns a row of the output needs is worked out here once more, from the operators' windows. Of the
plan's geometry only what the generated code takes from it is used: where stores lie, how their rows are laid out and
which part of its output each step makes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from runnel.plan.plan import PlannedSegment
from runnel.plan.verify_arena import PlanError
from runnel.plan.verify_places import name_of, plane
from runnel.plan.verify_run import Run
from runnel.plan.verify_steps import Reach, RowMaker, reach_of
from runnel.schedule.rows import SegmentRows, Step


def run_rows(run: Run, planned: PlannedSegment) -> None:
    """Runs all patches. Raises PlanError where a byte that is read is not what it should be."""
    rows, name = planned.rows, planned.segment.name
    assert rows is not None
    _check_steps(planned, rows)
    for tensor in planned.segment.inputs:
        run.read(run.graph.tensor(tensor), f"segment {name}")
    for tensor in planned.segment.outputs:
        run.value[tensor] = run.block(tensor)
    reaches = [reach_of(run, step) for step in rows.steps]
    maker = RowMaker(run, planned, rows)
    maker.clear_sums()
    pooled = {
        place: np.zeros(plane(run, step.inputs[0].tensor), np.int32)
        for place, step in enumerate(rows.steps)
        if step.form == "sums"
    }
    for patch in range(rows.patches):
        maker.begin(patch)
        for place, row in _turns(run, rows, reaches, patch):
            maker.make(place, row, reaches[place])
            if place not in pooled:
                continue
            area = rows.steps[place].areas[patch]
            pooled[place][row, area.columns.first : area.columns.end] += 1
            if patch + 1 == rows.patches and row + 1 == area.rows.end:
                _check_pooled(pooled[place], rows.steps[place])
                maker.finish(place)
    for tensor in planned.segment.outputs:
        run.read(run.graph.tensor(tensor), f"segment {name}, at its end,")


def _check_steps(planned: PlannedSegment, rows: SegmentRows) -> None:
    """Every operator is in one step, every step has its calls, and every patch its part of every step."""
    wanted = sorted(id(operator) for operator in planned.segment.operators)
    found = sorted(id(operator) for step in rows.steps for operator in step.operators)
    if wanted != found or rows.segment is not planned.segment:
        raise PlanError(f"the steps of segment {planned.segment.name} are not its operators")
    if len(planned.step_calls) != len(rows.steps) or any(len(step.areas) != rows.patches for step in rows.steps):
        raise PlanError(f"segment {planned.segment.name} lacks calls or patches of its steps")
    for step, calls in zip(rows.steps, planned.step_calls, strict=True):
        count = {"pull": 0, "spread": 1, "sums": 2}.get(step.form, len(step.operators))
        if len(calls) != count:
            raise PlanError(f"{name_of(step)} has {len(calls)} calls and needs {count}")
        for call, operator in zip(calls, step.operators, strict=False):
            if call.output != operator.outputs[0]:
                raise PlanError(f"{name_of(step)} calls a kernel that writes tensor {call.output}")


def _check_pooled(counts: npt.NDArray[np.int32], step: Step) -> None:
    """Every pixel is in the sums once."""
    wrong = np.argwhere(counts != 1)
    if len(wrong):
        row, column = map(int, wrong[0])
        raise PlanError(f"{name_of(step)} adds pixel {column} of row {row} {counts[row, column]} times")


def _turns(run: Run, rows: SegmentRows, reaches: Sequence[Reach], patch: int) -> list[tuple[int, int]]:
    """(step, row) in the order in which the generated loop makes them: the deepest step that can go on does."""
    following = [step.areas[patch].rows.first for step in rows.steps]
    ends = [step.areas[patch].rows.end for step in rows.steps]
    waits = [_waits(run, rows, place, reach, ends) for place, reach in enumerate(reaches)]
    turns: list[tuple[int, int]] = []
    deepest_first = range(len(rows.steps) - 1, -1, -1)
    while True:
        for place in deepest_first:
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


def _waits(run: Run, rows: SegmentRows, place: int, reach: Reach, ends: Sequence[int]) -> list[tuple[int, list[int]]]:
    """For each step that another waits for: its number, and how many of its rows each row of the other needs."""
    writers = {step.output.name: number for number, step in enumerate(rows.steps)}
    waits = []
    for store in rows.steps[place].inputs:
        writer = writers.get(store.name)
        if writer is None or store.tensor in reach.whole:
            continue
        height = plane(run, store.tensor)[0]
        if rows.steps[writer].sums is not None:  # its one pixel is there when all rows are added
            waits.append((writer, [ends[writer]] * ends[place]))
        else:
            waits.append((writer, [min(height, max(reach.rows(row)) + 1) for row in range(ends[place])]))
    return waits
