# SPDX-License-Identifier: Apache-2.0
"""When a step may make its next row, as a C condition. The same rule as schedule/rings.py."""

from __future__ import annotations

from runnel.emit.expressions import plus, times
from runnel.emit.rows_places import Places, made_rows, next_row, step_name
from runnel.schedule.areas import plane, row_inputs
from runnel.schedule.rows import SegmentRows, Step, Store


def inputs_by_rows(places: Places, step: Step) -> list[Store]:
    """The stores that a step reads row by row; others hold one pixel for all rows."""
    if not step.operators or step.form != "pixels":
        return list(step.inputs)
    by_rows = row_inputs(places.graph, step.operators[0])
    return [store for store in step.inputs if store.tensor in by_rows]


def needed_array(places: Places, step: Step) -> str:
    """The C array of what each row waits for, where that is no affine function (RESIZE); "" where there is none."""
    sources = step.row_form.source_rows
    makers = [made_rows(places.rows, store) for store in inputs_by_rows(places, step)]
    if not sources or all(maker is None or maker.sums is not None for maker in makers):
        return ""
    values = ", ".join(str(row + 1) for row in sources)
    return f"static const int16_t needed_{step_name(places.rows, step)}[{len(sources)}] = {{{values}}};"


def condition(places: Places, step: Step, looped: bool) -> str:
    """C text that is true when the step's next row can be made. looped: it is known that there is a next row."""
    name = step_name(places.rows, step)
    parts: list[str] = []
    ends_by_itself = False
    for store in dict.fromkeys(inputs_by_rows(places, step)):
        maker = made_rows(places.rows, store)
        if maker is None:
            continue
        height = plane(places.graph, store.tensor)[0]
        parts.append(_waits(places.rows, step, name, maker, height))
        ends_by_itself = ends_by_itself or _stops(step, maker, height)
    if not ends_by_itself and not (looped and parts):
        parts.insert(0, f"{next_row(name)} < {places.end_row(step, name)}")
    return " && ".join(parts)


def _waits(rows: SegmentRows, step: Step, name: str, maker: Step, height: int) -> str:
    made, row = next_row(step_name(rows, maker)), next_row(name)
    if maker.sums is not None:
        return f"{made} == {maker.areas[0].rows.end}"
    if step.row_form.source_rows:
        return f"{made} >= needed_{name}[{row}]"
    stride, reach = step.window.stride_h, _reach(step)
    if _clips(step, height):
        return f"{made} >= runnel_rows_needed({row}, {stride}, {reach}, {height})"
    return f"{made} > {row}" if (stride, reach) == (1, 1) else f"{made} >= {plus(times(row, stride), reach)}"


def _reach(step: Step) -> int:
    """Rows of the input, from the top, that output row 0 needs."""
    window = step.window
    return (window.kernel_h - 1) * window.dilation_h - window.pad_top + 1


def _clips(step: Step, height: int) -> bool:
    """Whether windows of some row reach below the input."""
    return any((area.rows.end - 1) * step.window.stride_h + _reach(step) > height for area in step.areas)


def _stops(step: Step, maker: Step, height: int) -> bool:
    """Whether the step waits in vain after its last row, because the maker makes no more, in every band."""
    if step.row_form.source_rows or maker.sums is not None:
        return False
    wanted = [area.rows.end * step.window.stride_h + _reach(step) for area in step.areas]
    most = height if _clips(step, height) else max(wanted)
    return all(made.rows.end < min(most, rows) for made, rows in zip(maker.areas, wanted, strict=True))


def ends_with_last_step(rows: SegmentRows) -> bool:
    """Whether nothing is left to do when the last step has made its last row."""
    return not any(step.output.whole for step in rows.steps[:-1])
